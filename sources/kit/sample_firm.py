"""What one register knows of one invented company, in no register's own words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal, get_args

Register = Literal["brreg", "cvr", "ariregister", "prh"]
REGISTERS: tuple[Register, ...] = get_args(Register)
ContactKind = Literal["email", "phone", "mobile", "website", "fax"]


@dataclass(frozen=True)
class Contact:
    """A contact point as typed into a register: `value` may be anything.

    `ended` is the last day it was valid; `is_secret` that the register must not pass it on.
    """

    kind: ContactKind
    value: str
    since: date
    ended: date | None = None
    is_secret: bool = False


@dataclass(frozen=True)
class Firm:
    """One company in one register.

    `number` is as the register writes it. `is_protected` and `unit_is_protected` are the
    marketing-protection of the company and of its production unit; None where the register has no
    such row. `personal_number` is planted somewhere in the entry, at `planted_in`. `home_number` is
    a foreign company's number at home.
    """

    register: Register
    number: str
    name: str
    form: str
    form_text: str
    is_person: bool
    street: str
    house: str
    postal_code: str
    city: str
    registered: date
    lei: str | None = None
    contacts: tuple[Contact, ...] = ()
    cases: tuple[str, ...] = ()
    care_of: str = ""
    activity: str = ""
    former_name: str = ""
    home_number: str = ""
    ceased: date | None = None
    is_protected: bool | None = None
    unit_is_protected: bool | None = None
    personal_number: str = ""
    planted_in: str = ""

    @property
    def address_line(self) -> str:
        """Street and house number."""
        return f"{self.street} {self.house}".strip()

    def value_of(self, kind: ContactKind) -> str | None:
        """The first valid contact point of a kind, secret ones left out."""
        for contact in self.contacts:
            if contact.kind == kind and contact.ended is None and not contact.is_secret:
                return contact.value
        return None
