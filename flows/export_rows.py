"""A list's rows, made a few hundred companies at a time and written as they are made."""

from __future__ import annotations

import csv
import json
from datetime import UTC
from typing import TYPE_CHECKING

from checks.departures_address import postal_address
from checks.departures_gates import RECIPIENT_KINDS
from flows.export_files import ROWS, create
from notices.address import lay_out
from notices.rows import (
    CONTACT_ROW_COLUMNS,
    ROW_COLUMNS,
    address_cells,
    notice_cells,
    write_csv,
)
from notices.stencil import Stencils
from notices.tokens import RANDOM_BYTES, make_token, token_digest
from sources.kit import columns
from sources.kit.errors import Refused
from warehouse.engine import reading
from warehouse.export_origins import Holdings
from warehouse.exporting import SentRow

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence
    from datetime import date
    from pathlib import Path
    from typing import TextIO

    from flows.export_files import ListFolder
    from flows.export_job import Job
    from flows.export_notices import NoticeMaker
    from flows.house import House
    from notices.context import NoticeContext
    from notices.rows import Cell
    from warehouse.export_origins import Holding

    Tell = Callable[[str, int, int | None], None]

LINK_KEYS = "links"
"""Purpose under which the keys of the letters' links are derived; the portal derives the same."""
ONE_CLICK = "List-Unsubscribe=One-Click"
"""RFC 8058, section 3.1."""
CHUNK = 400

_ADDRESS = "headquarters_"
_NO_ADDRESS = "headquarters_address_language"
_SHOWN_AS = {held: shown for shown, held in columns.SHOWN}


class ListWriter:
    """Writes one list's rows, and keeps of each what the warehouse and the manifest need.

    `rows` are in the order written; `specimens` holds one context a recorded language;
    `incomplete` counts rows whose own notice could not be made after all.
    """

    def __init__(self, house: House, job: Job, maker: NoticeMaker, folder: ListFolder) -> None:
        self.house, self.job, self.maker, self.folder = house, job, maker, folder
        held = house.keys.derive(LINK_KEYS).by_version
        self._link_keys = [held[version] for version in sorted(held)]
        self._stencils = Stencils()
        self.rows: list[SentRow] = []
        self.specimens: dict[str, NoticeContext] = {}
        self.incomplete = 0

    def write(self, company_ids: Sequence[int], tell: Tell) -> None:
        """Write the rows' file and the spool of their notices, both on the disk at the end."""
        header = ROW_COLUMNS if self.job.request.channel == "post" else CONTACT_ROW_COLUMNS
        with (
            reading(self.house.engine) as connection,
            create(self.folder.partial / ROWS) as stream,
            create(self.folder.spool) as spool,
        ):
            held = self._held(Holdings(connection), company_ids, tell)
            cells = (self._row(holding, spool) for holding in held)
            write_csv((row for row in cells if row is not None), stream, header)

    def drop(self, company_ids: Collection[int]) -> set[str]:
        """Take these companies' rows out again; returns the ids of those rows."""
        dropped = {row.row_id for row in self.rows if row.company_id in company_ids}
        if dropped:
            _without_rows(self.folder.partial / ROWS, dropped)
            self.rows = [row for row in self.rows if row.row_id not in dropped]
        return dropped

    def notices(self) -> Iterator[tuple[str, str]]:
        """(row id, full notice as HTML) of every row ever written, from the spool."""
        with self.folder.spool.open(encoding="utf-8") as spool:
            for line in spool:
                row_id, html = json.loads(line)
                yield row_id, html

    def _held(
        self, holdings: Holdings, company_ids: Sequence[int], tell: Tell
    ) -> Iterator[Holding]:
        for start in range(0, len(company_ids), CHUNK):
            chunk = company_ids[start : start + CHUNK]
            found = holdings.read(chunk)
            yield from (found[number] for number in chunk)
            tell("rows", start + len(chunk), len(company_ids))

    def _row(self, holding: Holding, spool: TextIO) -> dict[str, Cell] | None:
        """One row's cells, None when its notice is incomplete; remembers the row."""
        row_id = f"{len(self.rows) + self.incomplete + 1:06d}"
        random16 = self.house.random(RANDOM_BYTES)
        link = self.maker.link(make_token(random16, self._link_keys))
        context = self.maker.context(holding, f"{self.folder.export_id}-{row_id}", link)
        try:
            notice, page = self._stencils.compile(context)
        except Refused:
            self.incomplete += 1
            return None
        spool.write(f"{json.dumps([row_id, page])}\n")
        self.specimens.setdefault(notice.language, context)
        leaving = self._leaving(holding)
        self.rows.append(
            SentRow(
                row_id=row_id,
                company_id=holding.company_id,
                lei=holding.lei,
                subject=holding.subject,
                fields=tuple(_SHOWN_AS.get(name, name) for name in leaving),
                notice_id=context.notice_id,
                language=notice.language,
                token_digest=token_digest(random16),
            )
        )
        return {
            **notice_cells(notice, context),
            **self._company_cells(holding),
            **self._address_cells(holding),
            "export_id": self.folder.export_id,
            "row_id": row_id,
            "segment": self.job.request.segment,
            "recipient_kind": RECIPIENT_KINDS[self.job.request.channel],
            "obtained_on": _obtained_on(holding, leaving),
            "unsubscribe_url": link,
            "list_unsubscribe": f"<{link}>",
            "list_unsubscribe_post": ONE_CLICK,
        }

    def _leaving(self, holding: Holding) -> list[str]:
        """The fields of the record whose values stand in the row."""
        named = {"lei": "lei", "legal_name": "legal_name", "country": "legal_country"}
        if holding.lei is None:
            del named["lei"]
        allowed = [field for column, field in named.items() if self.job.decided.may_have(column)]
        address = [
            name
            for name, value in holding.values.items()
            if name.startswith(_ADDRESS) and name != _NO_ADDRESS and value is not None
        ]
        return allowed + address

    def _company_cells(self, holding: Holding) -> dict[str, Cell]:
        """What says which company it is; a column the recipient may not have is left empty."""
        cells: dict[str, Cell] = {
            "company_id": holding.company_id,
            "lei": holding.lei,
            "legal_name": holding.values["legal_name"],
            "country": holding.values["legal_country"],
        }
        return {
            column: cell if self.job.decided.may_have(column) else ""
            for column, cell in cells.items()
        }

    def _address_cells(self, holding: Holding) -> dict[str, Cell]:
        lines = lay_out(postal_address(holding.values), self.job.decided.controller.country)
        return address_cells(lines)


def _obtained_on(holding: Holding, fields: Sequence[str]) -> date:
    """The day (UTC) on which the newest of the values that leave was retrieved.

    The notice names each value's own day.
    """
    leaving = set(fields)
    return max(
        origin.retrieved_at.astimezone(UTC).date()
        for origin in holding.origins
        if origin.is_shown and leaving.intersection(origin.fields)
    )


def _without_rows(path: Path, row_ids: Collection[str]) -> None:
    """Write the list anew without these rows, cells as they are, in the old one's place."""
    rest = path.with_suffix(".rest")
    with path.open(encoding="utf-8", newline="") as stream, create(rest) as kept:
        lines = csv.reader(stream)
        header = next(lines)
        place = header.index("row_id")
        writer = csv.writer(kept, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
        writer.writerow(header)
        writer.writerows(line for line in lines if line[place] not in row_ids)
    rest.replace(path)
