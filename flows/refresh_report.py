"""What a refresh was asked for and found: each LEI with its outcome, and field by field."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from sources.kit import columns
from sources.kit.columns import NATURAL, change_name
from warehouse import sorting

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

NOT_FOUND, NOT_ASKED = "not_found", "not_asked"
_OUTCOMES = {code: name.removeprefix("records_") for code, name in sorting.NAMES.items()}


@dataclass(frozen=True)
class Request:
    """What one refresh was asked for: LEIs, sound and each once.

    `register_urls` are addresses to ask instead of registers' own, by source id.
    """

    source_id: str
    leis: tuple[str, ...]
    base_url: str | None = None
    register_urls: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Answer:
    """What became of one LEI.

    `outcome`: unchanged, changed, new, stale, superseded, out_of_scope, suppressed, quarantined,
    not_found (the publisher does not know it) or not_asked (the run ended before). `changes` are
    in the words and texts of the view `changes`; values that name a person are never among them.
    """

    lei: str
    outcome: str
    delivery_id: int | None = None
    rules: list[str] = field(default_factory=list)
    changes: list[dict[str, str | None]] = field(default_factory=list)
    has_kept_apart: bool = False
    """Changed in particulars only that are kept apart and not shown."""


@dataclass
class RegisterAnswer:
    """What a register's answer on one number became, and of which LEI's company it is.

    `outcome` as in `Answer` (not_asked: nothing was loaded of it), or erased. `contacts` counts
    contact points that came and went, by kind; values are shown by `explain` alone.
    """

    source_key: str
    outcome: str
    lei: str = ""
    changes: list[dict[str, str | None]] = field(default_factory=list)
    contacts: dict[str, dict[str, int]] = field(default_factory=dict)


@dataclass
class RegisterReport:
    """One register's part of a refresh; `error` is why it ended before every number was loaded.

    `is_set_up`: whether it could be asked at all. A register whose key or address is missing has
    not failed.
    """

    source_id: str
    answers: list[RegisterAnswer] = field(default_factory=list)
    deliveries: list[int | None] = field(default_factory=list)
    error: dict[str, str] | None = None
    is_set_up: bool = True
    base_url: str | None = field(default=None, repr=False)

    @property
    def counts(self) -> dict[str, int]:
        """How many numbers had which outcome."""
        found: dict[str, int] = {"numbers": len(self.answers)}
        for answer in self.answers:
            found[answer.outcome] = found.get(answer.outcome, 0) + 1
        return found


@dataclass
class Report:
    """A whole refresh: every LEI asked for, in the order asked, and the deliveries it made."""

    source_id: str
    is_dry_run: bool
    answers: list[Answer] = field(default_factory=list)
    deliveries: list[dict[str, Any]] = field(default_factory=list)
    unknown_names: list[str] = field(default_factory=list)
    registers: list[RegisterReport] = field(default_factory=list)
    error: dict[str, str] | None = None

    @property
    def failed(self) -> list[str]:
        """The sources that not all was heard of, by id."""
        own = [self.source_id] if self.error else []
        return own + [one.source_id for one in self.registers if one.error and one.is_set_up]

    @property
    def counts(self) -> dict[str, int]:
        """How many LEIs had which outcome."""
        found: dict[str, int] = {"leis": len(self.answers)}
        for answer in self.answers:
            found[answer.outcome] = found.get(answer.outcome, 0) + 1
        return found

    def as_json(self) -> dict[str, Any]:
        """The report as one document; moments are left for the writer."""
        registers = [
            {**asdict(one), "counts": one.counts, "is_complete": one.error is None}
            for one in self.registers
        ]
        for told in registers:
            del told["base_url"]
        return {
            **asdict(self),
            "registers": registers,
            "counts": self.counts,
            "failed": self.failed,
        }

    def add_delivery(
        self, delivery_id: int | None, url: str, published_at: datetime | None
    ) -> None:
        """Note one answer that was taken; without a number in a dry run."""
        self.deliveries.append(
            {"delivery_id": delivery_id, "url": url, "published_at": published_at}
        )


def outcome_named(code: int) -> str:
    """The word for an outcome code of `warehouse.sorting`."""
    return _OUTCOMES[code]


def differences(
    before: Mapping[str, Any] | None, after: Mapping[str, Any]
) -> list[dict[str, str | None]]:
    """Published fields that differ, as the view `changes` would tell them.

    Of whom either side knows as a natural person only the skeleton is told.
    """
    if before is None:
        return []
    is_person = NATURAL in {before["person_kind"], after["person_kind"]}
    return [
        {"field": change_name(name), "before": before[name], "after": after[name]}
        for name in columns.PUBLISHED
        if before[name] != after[name] and (name in columns.SKELETON or not is_person)
    ]
