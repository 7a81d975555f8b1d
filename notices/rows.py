"""The rows of a list: their columns in the contract's order, and cells no spreadsheet will run."""

from __future__ import annotations

import csv
import unicodedata
from datetime import UTC, date
from typing import TYPE_CHECKING, TextIO

from notices.address import MAX_LINES
from sources.kit.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from notices.compile import Notice
    from notices.context import NoticeContext, ValueSource

    Cell = str | int | bool | date | None

ADDRESS_COLUMNS = tuple(f"address_line_{n}" for n in range(1, MAX_LINES + 1))

_BEFORE = (
    "export_id",
    "row_id",
    "company_id",
    "lei",
    "legal_name",
    "country",
    "language",
    "segment",
    "channel",
)
_AFTER = (
    "recipient_kind",
    "source_names",
    "source_urls",
    "is_public_database",
    "obtained_on",
    "source_notice",
    "full_notice",
    "notice_url",
    "unsubscribe_url",
    "list_unsubscribe",
    "list_unsubscribe_post",
    "notice_id",
    "policy_version",
    "configuration",
)
ROW_COLUMNS = (*_BEFORE, *ADDRESS_COLUMNS, *_AFTER)
"""Columns of a list for the post, in the contract's order (An export). `configuration` is ours:
it says EXAMPLE in every row made under the example configuration, and is empty otherwise."""

CONTACT_ROW_COLUMNS = (*_BEFORE, "contact_value", *_AFTER)
"""The same for the other channels: one contact value in place of the address lines."""

EXAMPLE = "EXAMPLE"

_JOINT = "; "
# What a spreadsheet takes for a formula (OWASP, CSV injection); U+2212 is the one minus sign that
# compatibility normalisation leaves alone, full-width and small forms become these four.
_FORMULA_STARTS = frozenset("=+-@\u2212")
_BREAKS = frozenset("\t\r\n")
_INVISIBLE = frozenset({"Cc", "Cf", "Zs", "Zl", "Zp"})


def notice_cells(notice: Notice, context: NoticeContext) -> dict[str, Cell]:
    """Return a row's cells that come from its notice: sources, texts, links, version.

    Several sources stand side by side, each once: names and addresses in the order they are
    given, days of retrieval (UTC) from the first to the last. `is_public_database` is true only
    when every source is. `full_notice` is for the post, where the notice is printed with the
    letter; other channels link to it.
    """
    sources = context.sources
    return {
        "language": notice.language,
        "channel": context.channel,
        "source_names": _each(f"{one.database_name}, {one.publisher}" for one in sources),
        "source_urls": _each(one.record_url for one in sources),
        "is_public_database": all(one.is_public_database for one in sources),
        "obtained_on": _each(sorted(_retrieved_on(one) for one in sources)),
        "source_notice": notice.short,
        "full_notice": notice.full_text if context.channel == "post" else "",
        "notice_url": context.notice_url,
        "notice_id": context.notice_id,
        "policy_version": context.policy_version,
        "configuration": EXAMPLE if context.is_example else "",
    }


def address_cells(lines: Sequence[str]) -> dict[str, Cell]:
    """Return the address columns of one row; Refused for more lines than there are columns."""
    if len(lines) > MAX_LINES:
        cause = f"an address has {len(lines)} lines, a row takes {MAX_LINES}"
        raise Refused("list row", cause, "Lay the address out with notices.address")
    padded = [*lines, *[""] * (MAX_LINES - len(lines))]
    return dict(zip(ADDRESS_COLUMNS, padded, strict=True))


def neutralise(cell: str) -> str:
    """Return a cell that no spreadsheet runs: an apostrophe before what would be a formula.

    A formula begins with `= + - @` (also full-width, also behind blanks or invisible signs); a
    tab or line break in front is neutralised too. Every other cell stays as it is.
    """
    if cell[:1] in _BREAKS and cell:
        return f"'{cell}"
    seen = next((sign for sign in cell if unicodedata.category(sign) not in _INVISIBLE), "")
    return f"'{cell}" if unicodedata.normalize("NFKC", seen)[:1] in _FORMULA_STARTS else cell


def write_csv(
    rows: Iterable[Mapping[str, Cell]],
    stream: TextIO,
    columns: Sequence[str] = ROW_COLUMNS,
) -> int:
    """Write a header and the rows to a text stream and return how many rows there were.

    UTF-8 without a byte order mark is the caller's to open, with `newline=""`. Every cell is
    quoted and neutralised, lines end in CRLF (RFC 4180). Raises `Refused` for a row whose columns
    are not exactly `columns`: a cell is empty on purpose or not at all.
    """
    writer = csv.writer(stream, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow(columns)
    written = 0
    for row in rows:
        if row.keys() != set(columns):
            odd = ", ".join(sorted(row.keys() ^ set(columns)))
            raise Refused("list row", f"columns missing or unknown: {odd}", "Fill every column")
        writer.writerow([neutralise(as_text(row[column])) for column in columns])
        written += 1
    return written


def as_text(value: Cell) -> str:
    """Return a value as lists write it: `true`, `false`, ISO 8601 days, empty for None."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, date):
        return value.isoformat()
    return "" if value is None else str(value)


def _each(values: Iterable[str]) -> str:
    return _JOINT.join(dict.fromkeys(values))


def _retrieved_on(source: ValueSource) -> str:
    if source.retrieved_at is None:
        raise Refused("list row", "a value's source has no date", "Check `missing` first")
    return source.retrieved_at.astimezone(UTC).date().isoformat()
