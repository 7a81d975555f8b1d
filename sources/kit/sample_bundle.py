"""The bundled sample: 613 rows of invented companies, with known bad rows and known oddities.

It is made at run time, always the same but for its dates, which follow the day it is asked for.
Most companies are Nordic or Baltic, so that the demo's list has rows; some are due for renewal.
"""

from __future__ import annotations

import csv
import io
import zipfile
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING

from sources.kit.sample_draw import Mix
from sources.kit.sample_file import columns, write_full

if TYPE_CHECKING:
    from collections.abc import Callable

Row = dict[str, str]

SAMPLE_DAY = date(2026, 11, 2)
"""The day the demo plays on when no other is asked for."""

_SEED = 612
_COMPANIES = 612
_MIX = Mix(
    countries={
        "DK": 90, "NO": 90, "SE": 80, "FI": 70, "DE": 60, "EE": 50, "LV": 40, "LT": 30, "GB": 15,
        "FR": 10, "NL": 10, "IN": 10, "US": 10, "PL": 8, "GR": 8, "BG": 8, "JP": 8, "CN": 8,
        "IT": 5, "ES": 5, "AE": 6, "NA": 4,
    },
    statuses=(0.52, 0.3, 0.06, 0.03, 0.03, 0.02, 0.02, 0.02),
    categories=(0.84, 0.07, 0.02, 0.045, 0.015, 0.01),
    trusts=0.03,
)  # fmt: skip
_DUE = {"NO": 6, "DE": 6, "FI": 6, "EE": 6, "LV": 6, "DK": 4, "SE": 4}
"""Legal persons whose LEI is made to fall due 30 to 60 days after the sample's day."""

_NAME, _STATUS = "Entity.LegalName", "Registration.RegistrationStatus"
_RENEWAL, _UPDATED = "Registration.NextRenewalDate", "Registration.LastUpdateDate"
_COUNTRY = "Entity.LegalAddress.Country"


@dataclass(frozen=True)
class BadRow:
    """A row that arrival checks quarantine: its number (the first data row is 1), LEI and rule."""

    row: int
    lei: str
    rule: str


@dataclass(frozen=True)
class OddRow:
    """A row that is loaded and noted, or loaded although it looks dangerous."""

    row: int
    lei: str
    oddity: str


@dataclass(frozen=True)
class BundledSample:
    """The sample's bytes and what is known about them."""

    as_of: date
    published_at: datetime
    csv: bytes = field(repr=False)
    rows: int
    bad: tuple[BadRow, ...]
    odd: tuple[OddRow, ...]
    due: tuple[str, ...]
    """LEIs of legal persons due 30 to 60 days after `as_of`, by design (others may be too)."""

    @property
    def member(self) -> str:
        """The CSV's name inside the publisher's zip."""
        return f"{self.published_at:%Y%m%d-%H%M}-gleif-goldencopy-lei2-golden-copy.csv"

    def zip(self) -> bytes:
        """The CSV as the one member of a zip, the same bytes every time."""
        packed = io.BytesIO()
        info = zipfile.ZipInfo(self.member, self.published_at.timetuple()[:6])
        info.compress_type = zipfile.ZIP_DEFLATED
        with zipfile.ZipFile(packed, "w") as archive:
            archive.writestr(info, self.csv)
        return packed.getvalue()


class _Pages:
    """The rows under preparation, and which of them are taken."""

    def __init__(self, rows: list[Row]) -> None:
        self.rows = rows
        self.taken: dict[int, tuple[str, str]] = {}
        self.due: list[int] = []

    def plain(self, country: str | None = None) -> int:
        """An untouched row of an ordinary, living, issued company in `country`."""
        for number, row in enumerate(self.rows):
            if number not in self.taken and number not in self.due and _is_plain(row, country):
                return number
        message = f"the bundled sample has no plain company left in {country}"
        raise LookupError(message)

    def mark(self, number: int, kind: str, name: str, **changes: str) -> None:
        """Note row `number` as `bad` or `odd` under `name`, and change its columns."""
        self.taken[number] = (kind, name)
        self.rows[number] |= changes


def _is_plain(row: Row, country: str | None) -> bool:
    return (
        country in (None, row[_COUNTRY])
        and row["Entity.EntityCategory"] == "GENERAL"
        and row[_STATUS] == "ISSUED"
        and row["Entity.EntityStatus"] == "ACTIVE"
        and row["Entity.LegalForm.EntityLegalFormCode"] not in {"8888", "9999"}
        and row["Entity.HeadquartersAddress.Country"] == row[_COUNTRY]
        and "c/o " not in " ".join(row.values()).lower()
    )


def _moment(day: date) -> str:
    return f"{day.isoformat()}T00:00:00Z"


def _make_due(pages: _Pages, as_of: date) -> None:
    for country, count in _DUE.items():
        for n in range(count):
            number = pages.plain(country)
            pages.rows[number][_RENEWAL] = _moment(as_of + timedelta(days=31 + 5 * n))
            pages.due.append(number)


_DUE_NAMES = {
    "NO": ("+47 Invest AS", "<i>Kursiv</i> & Sønn AS"),
    "EE": ("@home OÜ",),
    "FI": ("-7 Astetta Oy",),
    "DE": ("{{ 7*7 }} Vorlagen GmbH",),
    "DK": ("=1+1 ApS",),
}
"""Names a spreadsheet, a page or a template would run; all of them may be registered."""


def _add_oddities(pages: _Pages) -> None:
    for country, names in _DUE_NAMES.items():
        due = [number for number in pages.due if pages.rows[number][_COUNTRY] == country]
        for number, name in zip(due, names, strict=False):
            runs = name[0] in "=+-@"
            pages.mark(number, "odd", "formula_name" if runs else "markup_name", **{_NAME: name})
    places = ("Entity.LegalAddress", "Entity.HeadquartersAddress")
    year = {"Entity.EntityCreationDate": "9940-05-04T00:00:00Z"}
    pages.mark(pages.plain("NO"), "odd", "creation_year_9940", **year)
    empty = {f"{place}.PostalCode": "" for place in places}
    pages.mark(pages.plain("FI"), "odd", "postal_code_empty", **empty)
    region = {f"{place}.Region": "se-ab" for place in places}
    pages.mark(pages.plain("SE"), "odd", "region_in_lower_case", **region)
    form = {"Entity.LegalForm.EntityLegalFormCode": "GmbH"}
    pages.mark(pages.plain("DE"), "odd", "legal_form_not_a_code", **form)


def _wrong_check_digits(lei: str) -> str:
    """The same 18 characters with two check digits that cannot fit."""
    return f"{lei[:18]}{(int(lei[18:]) + 1) % 100:02d}"


def _add_bad_rows(pages: _Pages, as_of: date) -> None:
    """One row for every rule that quarantines; the rules' names are those of the checks."""
    faults: tuple[tuple[str, Callable[[Row], Row]], ...] = (
        ("lei_is_well_formed", lambda row: {"LEI": row["LEI"][:19]}),
        ("lei_check_digits_hold", lambda row: {"LEI": _wrong_check_digits(row["LEI"])}),
        ("legal_name_is_present", lambda _: {_NAME: ""}),
        ("entity_status_is_known", lambda _: {"Entity.EntityStatus": "DORMANT"}),
        ("lei_status_is_known", lambda _: {_STATUS: "SUSPENDED"}),
        ("entity_category_is_known", lambda _: {"Entity.EntityCategory": "COOPERATIVE"}),
        ("countries_are_known", lambda _: {_COUNTRY: "XQ"}),
        ("dates_are_readable", lambda _: {_UPDATED: "2026-13-45T00:00:00Z"}),
        ("text_is_readable", lambda row: {_NAME: f"{row[_NAME][:5]}\a{row[_NAME][5:]}"}),
        (
            "renewal_is_not_before_registration",
            lambda _: {
                "Registration.InitialRegistrationDate": _moment(as_of - timedelta(days=200)),
                _RENEWAL: _moment(as_of - timedelta(days=400)),
            },
        ),
    )
    countries = ("DK", "NO", "SE", "FI", "DE", "EE", "DK", "LT", "NO", "SE")
    for (rule, change), country in zip(faults, countries, strict=True):
        number = pages.plain(country)
        pages.mark(number, "bad", rule, **change(pages.rows[number]))
    annulled = next(n for n, row in enumerate(pages.rows) if row[_STATUS] == "ANNULLED")
    wrong = {"LEI": _wrong_check_digits(pages.rows[annulled]["LEI"])}
    pages.mark(annulled, "bad", "lei_check_digits_hold", **wrong)


def _repeat_a_key(pages: _Pages) -> None:
    """The last company again, under the same LEI and another name: neither can be trusted."""
    number = len(pages.rows) - 1
    again = pages.rows[number] | {_NAME: "Tvillingfirma " + pages.rows[number][_NAME]}
    pages.rows.append(again)
    pages.mark(number, "bad", "key_is_unique")
    pages.mark(number + 1, "bad", "key_is_unique")


def _as_csv(rows: list[Row]) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, columns(), quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def bundled_sample(as_of: date = SAMPLE_DAY) -> BundledSample:
    """The sample as published at `as_of` 08:00 UTC; the same companies whatever the day."""
    raw = io.BytesIO()
    write_full(raw, _COMPANIES, seed=_SEED, as_of=as_of, mix=_MIX)
    pages = _Pages(list(csv.DictReader(io.StringIO(raw.getvalue().decode(), newline=""))))
    _make_due(pages, as_of)
    _add_oddities(pages)
    _add_bad_rows(pages, as_of)
    _repeat_a_key(pages)
    marked = [(n + 1, pages.rows[n]["LEI"], *pages.taken[n]) for n in sorted(pages.taken)]
    return BundledSample(
        as_of=as_of,
        published_at=datetime.combine(as_of, time(8), UTC),
        csv=_as_csv(pages.rows),
        rows=len(pages.rows),
        bad=tuple(BadRow(row, lei, name) for row, lei, kind, name in marked if kind == "bad"),
        odd=tuple(OddRow(row, lei, name) for row, lei, kind, name in marked if kind == "odd"),
        due=tuple(pages.rows[n]["LEI"] for n in pages.due),
    )
