"""What `explain` and `join` are asked about, told by its form: a company or a contact value."""

from __future__ import annotations

import re
from typing import Any, Literal, NamedTuple

from sources.kit.catalogue import catalogue
from sources.kit.errors import Refused
from sources.kit.number_spaces import key_of
from warehouse import read_company
from warehouse.privacy.suppression import canonical

Connection = Any  # only the warehouse names SQLAlchemy

_LEI = re.compile(r"[0-9A-Z]{18}[0-9]{2}")
_LEI_LENGTH = 20
_LIKE_AN_LEI = re.compile(r"(?=(?:.*[0-9]){4})[0-9A-Z]{12,28}")
_LIKE_A_PHONE = re.compile(r"(?:\+|00)[\d\s()./-]{6,}")
_LIKE_A_REGISTER = re.compile(r"(RA\d{6}|[A-Z]{2}):\s*(\S.{1,40})", re.IGNORECASE)
_LIKE_A_VAT_NUMBER = re.compile(r"([A-Z]{2})\s*(\d[\d .-]{4,20}\d)(?:\s*MVA)?", re.IGNORECASE)
_LIKE_A_WEBSITE = re.compile(r"(?:https?://)?[^\s@/]+\.[^\s@./]{2,}(?:/\S*)?", re.IGNORECASE)
_LARGEST_ID_DIGITS = 18
CONTACTS = ("email", "phone", "website")


class Question(NamedTuple):
    """What is asked about. `fault` says why an LEI cannot be one; it may be quarantined as such.

    A `register`'s value is the number with its space, as `RA000472:999999999`.
    """

    kind: Literal["lei", "company", "register", "email", "phone", "website"]
    value: str
    fault: str | None = None

    @property
    def is_contact(self) -> bool:
        """Whether a contact value is asked about: it is never repeated in an answer or a log."""
        return self.kind in CONTACTS


def read_question(text: str) -> Question:
    """Tell what kind of thing is asked about, by its form; `Refused` for none of them."""
    stripped = text.strip()
    compact = re.sub(r"[\s-]", "", stripped).upper()
    if stripped.isascii() and stripped.isdigit() and len(stripped) <= _LARGEST_ID_DIGITS:
        return Question("company", stripped)
    if found := _LIKE_A_REGISTER.fullmatch(stripped):
        return Question("register", _in_register(found[1].upper(), found[2]))
    if (found := _LIKE_A_VAT_NUMBER.fullmatch(stripped)) and (
        key := key_of(_homes().get(found[1].upper()), found[2])
    ):
        return Question("register", ":".join(key))
    if "@" in stripped:
        return Question("email", canonical("email", stripped))
    if _LIKE_A_PHONE.fullmatch(stripped):
        number = f"+{stripped[2:]}" if stripped.startswith("00") else stripped
        return Question("phone", canonical("phone", number))
    if _LIKE_AN_LEI.fullmatch(compact):
        return Question("lei", compact, lei_fault(compact))
    if _LIKE_A_WEBSITE.fullmatch(stripped) and (website := _website(stripped)):
        return Question("website", website)
    raise Refused(
        "question",
        "it has the form of neither an LEI, a company id, a register's number, an e-mail address, "
        "a phone number nor a website",
        "Give one of them; a phone number with its country code, such as +45 …, a register's "
        "number with its country or code, such as NO:…",
    )


def lei_fault(lei: str) -> str | None:
    """Say what is wrong with an LEI's form (ISO 17442-1), or None."""
    if len(lei) != _LEI_LENGTH:
        return f"it has {len(lei)} characters, an LEI has {_LEI_LENGTH}"
    if not _LEI.fullmatch(lei):
        return "an LEI is 18 capital letters or digits, then two digits"
    if int("".join(str(int(character, 36)) for character in lei)) % 97 != 1:
        return "its check digits do not fit, so at least one character is wrong"
    return None


def _in_register(prefix: str, number: str) -> str:
    """The number in its one form after the code of its space."""
    homes = _homes()
    code = homes.get(prefix, prefix)
    found = key_of(code, number)
    if found is None or len(code) <= len("DK"):
        known = ", ".join(f"{home} ({authority})" for home, authority in sorted(homes.items()))
        raise Refused(
            "register's number",
            f"it cannot be a number of {prefix}",
            f"Registers asked here: {known}",
        )
    return ":".join(found)


def _homes() -> dict[str, str]:
    """Each country whose register is asked here, with the code of its numbers."""
    return {
        card.home: card.authority_codes[0]
        for card in (module.CARD for module in catalogue().values())
        if card.home and card.authority_codes
    }


def _website(text: str) -> str | None:
    from sources.kit.contact_website import read

    return next((part.value for part in read(text, None).parts if part.value), None)


def as_held(connection: Connection, question: Question) -> Question:
    """The question, but for bare digits that are no company id of ours and a register's number.

    Raises `Refused` where companies of several registers have that number.
    """
    if question.kind != "company" or company_ids(connection, question):
        return question
    found = {
        home: Question("register", ":".join(key))
        for home, code in sorted(_homes().items())
        if (key := key_of(code, question.value))
    }
    held = {home: one for home, one in found.items() if company_ids(connection, one)}
    if len(held) > 1:
        raise Refused(
            f"number {question.value}",
            "companies of several registers have it",
            f"Ask with the country: {' or '.join(f'{home}:{question.value}' for home in held)}",
        )
    return next(iter(held.values()), question)


def company_ids(connection: Connection, question: Question) -> list[int]:
    """The companies now held that the question is about."""
    if question.kind == "company":
        held = read_company.companies(connection, [int(question.value)])
        return [row["company_id"] for row in held]
    if question.kind == "lei":
        return read_company.ids_by_lei(connection, question.value)
    if question.kind == "register":
        space, _, number = question.value.partition(":")
        return read_company.ids_by_number(connection, space, number, sources_of(space))
    return read_company.ids_by_contact(connection, question.kind, question.value)


def sources_of(space: str) -> list[str]:
    """The sources whose numbers are of that space."""
    from flows.known_registers import registers

    return [source_id for source_id, own in registers().items() if own == space]
