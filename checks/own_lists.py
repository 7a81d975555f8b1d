"""Rows of the owner's own lists: which are sound, which a rule holds back, and what is dropped."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from checks.own_cells import read_cells
from checks.rules import MISSHAPEN
from sources.kit.identity_numbers import without_personal_numbers
from sources.kit.own_lists import is_mere_use

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from checks.own_cells import Cells
    from sources.kit.own_lists import OwnList

Row = dict[str, Any]


@dataclass(frozen=True)
class Rejected:
    """A row that rules hold back: its reference ('' where it could name somebody), and its text.

    `content` holds the mapped cells without personal numbers; `number` is the row's in the file.
    """

    reference: str
    rules: tuple[str, ...]
    number: int
    content: dict[str, str] = field(repr=False)


@dataclass(frozen=True)
class Judged:
    """A list's rows, each in exactly one place: sound, rejected, or the same as one before it.

    `kept_out` counts values (not rows) that could not be read and are not needed, by
    `field.rule`; `personal_numbers` counts those dropped.
    """

    rows: list[Row] = field(repr=False)
    rejected: list[Rejected] = field(repr=False)
    superseded: int
    kept_out: Counter[str]
    personal_numbers: int

    @property
    def count(self) -> int:
        """Rows in."""
        return len(self.rows) + len(self.rejected) + self.superseded


@dataclass(frozen=True)
class Terms:
    """What a list is held to: the owner's country and purposes, the day, how days are written."""

    home: str
    purposes: frozenset[str]
    today: date
    date_format: str


def judge(
    own: OwnList,
    texts: Mapping[str, Sequence[str]],
    numbers: Sequence[int],
    misshapen: frozenset[int],
    terms: Terms,
) -> Judged:
    """Judge every row. `texts` holds each mapped field's cells, `numbers` the rows' in the file.

    `misshapen` are places of rows with more cells than the header names.
    """
    if not numbers:
        return Judged([], [], 0, Counter(), 0)
    cells = read_cells(texts, own, terms.date_format, terms.home)
    rows = [_row(own, cells, place) for place in range(len(numbers))]
    for place, row in enumerate(rows):
        broken = set(_broken(own, row, terms))
        if "dates_are_in_format" in cells.broken[place]:  # a day was given, and not understood
            broken.discard("event_date_is_given")
        cells.broken[place].update(broken)
        if place in misshapen:
            cells.broken[place].add(MISSHAPEN)
        if cells.lost_number[place] or "@" in (row["event_reference"] or ""):
            cells.broken[place].add("event_reference_names_nobody")
    superseded = _repeats(rows, cells)
    return Judged(
        [
            row
            for place, row in enumerate(rows)
            if not cells.broken[place] and place not in superseded
        ],
        [
            _rejected(own, texts, place, number, cells, terms.home)
            for place, number in enumerate(numbers)
            if cells.broken[place]
        ],
        len(superseded),
        cells.kept_out,
        cells.personal_numbers,
    )


def _row(own: OwnList, cells: Cells, place: int) -> Row:
    """One row's values, with the day that retention counts from."""
    row: Row = {
        name: cells.values[name][place] if name in cells.values else None for name in own.fields
    }
    row["event_date"] = _event_date(row)
    if "is_managed" in row:
        row["is_managed"] = bool(row["is_managed"])
    return row


def _event_date(row: Row) -> date | None:
    for name in ("event_date", "relationship_start_date"):
        if row.get(name) is not None:
            found: date = row[name]
            return found
    moment = row.get("visited_at") or row.get("consented_at")
    return None if moment is None else moment.date()


def _broken(own: OwnList, row: Row, terms: Terms) -> Iterator[str]:
    if not row["event_reference"]:
        yield "event_reference_is_given"
    if row["event_date"] is None:
        yield "event_date_is_given"
    # A day ahead is another time zone's today. A relationship may be agreed on before it starts.
    elif row["event_date"] > terms.today + timedelta(days=1) and own.code != "customers":
        yield "event_is_not_to_come"
    yield from _OF_LIST[own.code](row, terms)


def _customer(row: Row, _terms: Terms) -> Iterator[str]:
    start = row["relationship_start_date"] or row["event_date"]
    end = row["relationship_end_date"]
    if end is not None and start is not None and end < start:
        yield "relationship_ends_after_start"
    named = ("lei", "registration_number", "company_name", "email", "phone")
    if not any(row[name] for name in named):
        yield "customer_is_named"


def _enquiry(row: Row, _terms: Terms) -> Iterator[str]:
    if not (row["email"] or row["phone"]):
        yield "contact_is_given"


def _visit(_row: Row, _terms: Terms) -> Iterator[str]:
    yield from ()


def _consent(row: Row, terms: Terms) -> Iterator[str]:
    """GDPR art. 4(11) and 7(1): an act of the person's, shown by wording and time."""
    if not row["act"]:
        yield "act_is_given"
    if not row["text_version"]:
        yield "text_version_is_given"
    if is_mere_use(row["act"], row["text_version"]):
        yield "use_is_no_consent"
    if row["channel"] is None:
        yield "channel_is_known"
    elif not row[row["channel"]]:
        yield "contact_is_given"
    if row["purpose"] not in terms.purposes:
        yield "purpose_is_known"
    given, withdrawn = row["consented_at"], row["withdrawn_at"]
    if given is not None and withdrawn is not None and withdrawn < given:
        yield "withdrawal_is_after_consent"


_OF_LIST: dict[str, Callable[[Row, Terms], Iterator[str]]] = {
    "customers": _customer,
    "enquiries": _enquiry,
    "visits": _visit,
    "consents": _consent,
}


def _repeats(rows: list[Row], cells: Cells) -> set[int]:
    """Places of rows that say again what one before them says; those that differ are broken."""
    places: dict[str, list[int]] = {}
    for place, row in enumerate(rows):
        if row["event_reference"] and not cells.broken[place]:
            places.setdefault(row["event_reference"], []).append(place)
    superseded: set[int] = set()
    for same in places.values():
        if all(rows[place] == rows[same[0]] for place in same):
            superseded.update(same[1:])
            continue
        for place in same:
            cells.broken[place].add("event_reference_is_unique")
    return superseded


def _rejected(
    own: OwnList,
    texts: Mapping[str, Sequence[str]],
    place: int,
    number: int,
    cells: Cells,
    home: str,
) -> Rejected:
    broken = cells.broken[place]
    reference = cells.values["event_reference"][place] or ""
    if "event_reference_names_nobody" in broken or "texts_are_short" in broken:
        reference = ""
    content = {
        name: without_personal_numbers(column[place], home)
        for name, column in texts.items()
        if name in own.fields and column[place]
    }
    return Rejected(reference, tuple(sorted(broken)), number, content)
