"""The owner's decisions as frozen models: who we are, why we write, to whom, how, and how long."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from sources.kit.policy_values import (
    Channel,
    Country,
    Day,
    Id,
    Mailbox,
    OptionalPeriod,
    Outcome,
    PeriodText,
    RecipientKind,
    Text,
    Texts,
    WarehouseAddress,
    WebAddress,
    Words,
    one_as_many,
)


class Decision(BaseModel):
    """What every row below shares: it never changes once read, and unknown keys are errors."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        hide_input_in_errors=True,
        defer_build=True,  # every command imports these, few validate one
    )


class Controller(Decision):
    """Who answers for the data (N1 to N3 of the notice)."""

    name: Text
    address: Text
    country: Country
    email: Mailbox
    registration_number: Text
    representative: Text | None = None
    data_protection_officer: Text | None = None


class Policy(Decision):
    """The privacy policy in force: every notice, export and answer names its version."""

    version: Text
    valid_from: Day


class Links(Decision):
    """Where the signed links of letters and mails point; no slash at the end."""

    base_url: WebAddress


class Purpose(Decision):
    """One of the closed list of purposes, worded for the reader."""

    id: Id
    text: Texts


class Assessment(Decision):
    """The weighing of interests behind one purpose and category of persons (GDPR 6(1)(f))."""

    purpose: Id
    person_category: Annotated[int, Field(strict=True, ge=1, le=4)]
    interest: Texts
    necessity: Text
    balancing: Text
    safeguards: Text
    author: Text
    approver: Text
    approved_on: Day
    expires_on: Day

    def is_approved(self, on: date) -> bool:
        """Say whether it carries processing on that day: approved by another, not yet expired."""
        return self.author != self.approver and self.approved_on <= on < self.expires_on


class Recipient(Decision):
    """Who may be handed a list: the register of recipients (clause 3 of the policy)."""

    id: Id
    kind: Literal["own", "processor", "partner", "authority"]
    name: Text
    country: Country
    contract_until: Day | None = None
    transfer_basis: Text | None = None
    purposes: Annotated[tuple[Id, ...], Field(min_length=1)]
    fields: Annotated[Words, Field(min_length=1)]


class ChannelRule(Decision):
    """Whether one kind of recipient in one country may be approached by one channel.

    `privacy/channel-rules`: a missing, unaccepted or expired rule means forbidden.
    """

    country: Country
    channel: Channel
    recipient_kind: RecipientKind
    outcome: Outcome
    citation: Text
    verified: bool
    accepted_by: Text | None = None
    accepted_on: Day | None = None
    expires_on: Day | None = None
    version: Text

    def effective(self, on: date) -> Outcome:
        """Return the outcome that counts on that day."""
        is_accepted = self.accepted_by and self.accepted_on and self.accepted_on <= on
        is_expired = self.expires_on is not None and on >= self.expires_on
        return self.outcome if is_accepted and not is_expired else "forbidden"


class ProtectionFlag(Decision):
    """A country whose register publishes a protection from marketing: no answer means no list."""

    country: Country
    flag: Text
    register_name: Text  # plain `register` is taken: every class has a method of that name
    citation: Text


class RetentionPolicy(Decision):
    """How long one class of data lives: the row that the lifecycle executes and the notice prints.

    `person_category` is 0 for what is not kept by category (files, logs). Periods are ISO 8601
    (`PnYnMnD`). Without `inactive_after` there is no clock while a register publishes the value:
    only the events of `inactive_when` make it inactive.
    """

    id: Id
    person_category: Annotated[int, Field(strict=True, ge=0, le=4)]
    data: Annotated[Words, Field(min_length=1)]
    inactive_after: OptionalPeriod = None
    inactive_when: Words = ()
    delete_after_inactive: PeriodText
    cap_from_start: OptionalPeriod = None
    absence_grace: OptionalPeriod = None
    notice_text: Text
    citation: Text
    decided_by: Text | None = None
    decided_on: Day | None = None
    reason: Text | None = None


class ChannelSettings(Decision):
    """Whose country's rules bind a letter; the recipient's always does."""

    strictest_of: Annotated[
        tuple[Literal["sender", "recipient"], ...],
        BeforeValidator(one_as_many),
    ] = ("sender", "recipient")


class SourceSettings(Decision):
    """What the owner changes of a source's card; None leaves the card's own value."""

    base_url: WebAddress | None = None
    api_key_env: Text | None = None
    landing_retention: OptionalPeriod = None
    rate: Annotated[float, Field(gt=0)] | None = None
    min_ratio: Annotated[float, Field(ge=0)] | None = None
    max_ratio: Annotated[float, Field(gt=0)] | None = None
    max_vanished: Annotated[int, Field(ge=0)] | None = None
    max_vanished_share: Annotated[float, Field(ge=0, le=1)] | None = None


class WarehouseSettings(Decision):
    """Where the warehouse is; the address may hold a password, so it never shows in a repr."""

    url: Annotated[WarehouseAddress, Field(repr=False)]


class Store(Decision):
    """One place where data rests (clause 6 of the policy)."""

    id: Id
    country: Country
    transfer_basis: Text | None = None


class NoLei(Decision):
    """Companies without an LEI that are taken from their country's register.

    `legal_forms` are ISO 20275 codes or the register's own, empty for all; `min_employees` counts
    only where the register says how many there are.
    """

    country: Country
    legal_forms: tuple[Text, ...] = ()
    min_employees: Annotated[int, Field(ge=0)] | None = None


class Scope(Decision):
    """What is taken in: natural persons as a skeleton or in full; countries, empty for all.

    `no_lei`: which companies of the registers are taken without an LEI; none unless named.
    """

    natural_persons: Literal["skeleton", "full"] = "skeleton"
    countries: tuple[Country, ...] = ()
    no_lei: tuple[NoLei, ...] = ()


class DeletionCap(Decision):
    """How much one deletion run may take before a person has to confirm it."""

    max_share: Annotated[float, Field(gt=0, le=1)] = 0.05
    max_rows: Annotated[int, Field(ge=0)] = 1000


class Authority(Decision):
    """Where a person in that country may complain (N14 of the notice)."""

    country: Country
    name: Text
    address: Text
    url: WebAddress
