"""What an export was asked for, and every reason to refuse it as a whole before it begins."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from flows.decisions import missing_decisions
from flows.known_registers import registers
from sources.kit.errors import Refused
from warehouse.segments import DEFAULT_DAYS, Selection, select

if TYPE_CHECKING:
    from datetime import date
    from pathlib import Path

    from flows.settings import Settings
    from sources.kit.policy import Assessment, Controller, Links, Policy, Purpose, Recipient

CHANNELS = ("post", "email", "phone")
FORMATS = ("csv",)
LATER_FORMATS = ("xlsx", "jsonl", "listmonk", "mailchimp", "hubspot")
PERSON_CATEGORY = 4
"""Persons found in a public database: the only ones registers create (privacy/clauses, 3)."""

ALL_FIELDS = "*"
_ADDRESS = ("contact_value", "address_line_1")


@dataclass(frozen=True)
class ExportRequest:
    """One list: whom, for what, for whom, by which channel, and the folder it is placed in.

    `countries` are ISO 3166-1 codes of the legal address, none for all. A dry run needs no `out`.
    """

    segment: str
    channel: str
    purpose: str
    recipient: str
    out: Path | None = None
    days: int = DEFAULT_DAYS
    countries: tuple[str, ...] = ()
    format: str = "csv"


@dataclass(frozen=True)
class Decided:
    """The owner's decisions that one list rests on, all of them made."""

    controller: Controller
    policy: Policy
    links: Links
    purpose: Purpose
    assessment: Assessment
    recipient: Recipient

    def may_have(self, column: str) -> bool:
        """Whether the recipient may have that column of the list."""
        return bool({ALL_FIELDS, column} & set(self.recipient.fields))


def check_request(
    settings: Settings, request: ExportRequest, on: date
) -> tuple[Selection, Decided]:
    """The selection and the decisions behind it; `Refused`, naming everything that is missing."""
    _check_words(request)
    selection = select(
        request.segment,
        on,
        days=request.days,
        countries=request.countries,
        registers=registers(),
    )
    lacking = missing_decisions(
        settings, request.purpose, request.recipient, on, channel=request.channel
    )
    if lacking:
        what = "decision of the owner is" if len(lacking) == 1 else "decisions of the owner are"
        raise Refused(
            f"export for {request.purpose} to {request.recipient}",
            f"{len(lacking)} {what} missing: {'; '.join(lacking)}",
            "Fill in sourcenote.toml; `sourcenote init --example` shows a complete one",
        )
    decided = _decided(settings, request, on)
    _check_fields(decided, request.channel)
    return selection, decided


def _check_words(request: ExportRequest) -> None:
    if request.channel not in CHANNELS:
        cause = f"there is no channel {request.channel!r}"
        raise Refused("--channel", cause, f"Choose one of: {', '.join(CHANNELS)}")
    if request.format in LATER_FORMATS:
        cause = f"{request.format} comes with a later version"
        raise Refused("--format", cause, f"Choose one of: {', '.join(FORMATS)}")
    if request.format not in FORMATS:
        cause = f"there is no format {request.format!r}"
        raise Refused("--format", cause, f"Choose one of: {', '.join(FORMATS)}")


def _decided(settings: Settings, request: ExportRequest, on: date) -> Decided:
    assessment = settings.approved_assessment(request.purpose, PERSON_CATEGORY, on)
    controller, policy, links = settings.controller, settings.policy, settings.links
    if not (controller and policy and links and assessment):
        cause = "a decision is missing that nothing had named"
        raise Refused("export", cause, "This is a fault of sourcenote: report it")
    return Decided(
        controller=controller,
        policy=policy,
        links=links,
        purpose=next(row for row in settings.purpose if row.id == request.purpose),
        assessment=assessment,
        recipient=next(row for row in settings.recipient if row.id == request.recipient),
    )


def _check_fields(decided: Decided, channel: str) -> None:
    """A letter needs a name and an address: a recipient who may not have them gets no list."""
    has_address = any(decided.may_have(column) for column in _ADDRESS)
    if channel == "post" and not (has_address and decided.may_have("legal_name")):
        raise Refused(
            f"[[recipient]] {decided.recipient.id} fields",
            "letters need legal_name and address_line_1, which it may not have",
            'Add them, or "*" for every column',
        )
