"""A house in a folder: deliveries written from rows, ingested, and what the views then say."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pyarrow as pa
import sqlalchemy as sa

from checks.rules import BY_NAME, DELIVERY_RULES, NOTES, QUARANTINE
from checks.runner import Judgement
from checks.verdicts import BIT
from flows import ingest_run, ingest_steps, lifecycle
from flows.house import Clock, House
from flows.ingest_report import Report, Request
from flows.init_files import write_init_files
from flows.ledger import ledger_run
from flows.settings import Settings, load
from sources import gleif
from sources.gleif_columns import MAPPED, published_columns
from sources.kit.identity import with_person_kind
from sources.kit.policy import SourceSettings
from sources.kit.sample_lei import check_digits
from sources.kit.tidy import with_moments
from warehouse import migrate
from warehouse.engine import reading, sole_writer, writing
from warehouse.privacy import suppression
from warehouse.schema import METADATA

Row = dict[str, str]

MOMENT = datetime(2026, 11, 2, 10, tzinfo=UTC)
"""The clock unless a test sets it."""
COLUMNS = published_columns()
ANY_LENGTH = {"gleif": SourceSettings(min_ratio=0, max_ratio=1000)}
"""[sources.gleif] for files of a few rows that come and go."""
THEIRS = {ours: theirs for theirs, ours in MAPPED.items()}
ISSUER = "506700SOURCENOTE00" + check_digits("506700SOURCENOTE00")


def lei(number: int) -> str:
    """Return an invented LEI whose check digits hold."""
    first_18 = f"506700TEST{number:08d}"
    return first_18 + check_digits(first_18)


def moment(day: date | str, time: str = "T08:00:00Z") -> str:
    """Return a moment as GLEIF writes it."""
    return f"{day}{time}"


SOUND = {
    "legal_name_language": "da",
    "legal_address_language": "da",
    "legal_address_line": "Prøvegade 1",
    "legal_city": "Prøveby",
    "legal_region": "DK-84",
    "legal_country": "DK",
    "legal_postal_code": "0999",
    "headquarters_address_line": "Prøvegade 2",
    "headquarters_city": "Prøvehavn",
    "headquarters_region": "DK-84",
    "headquarters_country": "DK",
    "headquarters_postal_code": "0998",
    "registration_authority": "RA000170",
    "legal_jurisdiction": "DK",
    "entity_category": "GENERAL",
    "legal_form": "599X",
    "entity_status": "ACTIVE",
    "creation_published": "1999-04-01T00:00:00+02:00",
    "initial_registration_published": "2018-03-05T12:00:00Z",
    "last_update_published": "2026-09-01T08:00:00Z",
    "lei_status": "ISSUED",
    "next_renewal_published": "2027-03-05T12:00:00Z",
    "managing_lou": ISSUER,
    "validation_sources": "FULLY_CORROBORATED",
    "validation_authority": "RA000170",
    "conformity": "CONFORMING",
}
"""A company that breaks no rule, not even one that is only noted."""


def company(number: int, **changes: str) -> Row:
    """Return one row as published; `changes` are in the house's words (`legal_name="…"`)."""
    words = {
        **SOUND,
        "source_key": lei(number),
        "legal_name": f"Prøvefirma {number} A/S",
        "registration_number": f"99{number:06d}",
        **changes,
    }
    return dict.fromkeys(COLUMNS, "") | {THEIRS[name]: text for name, text in words.items()}


def csv_bytes(
    rows: Iterable[Mapping[str, str]],
    columns: Sequence[str] = COLUMNS,
    *,
    line_end: str = "\r\n",
) -> bytes:
    """Return a level 1 file as GLEIF writes it: a header, and every field quoted."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator=line_end)
    writer.writerow(columns)
    writer.writerows([row[name] for name in columns] for row in rows)
    return text.getvalue().encode()


def tidied(*rows: Row) -> pa.Table:
    """A frame of these rows as `sources.gleif_parse` hands it on, without a file."""
    texts = {
        ours: pa.array([row[theirs] or None for row in rows], pa.string())
        for theirs, ours in MAPPED.items()
    }
    table = with_person_kind(with_moments(pa.table(texts)))
    return table.append_column("ordinal", pa.array(range(len(rows)), pa.int64()))


def plain_judge(packed: np.ndarray, delivery: Mapping[str, bool]) -> Judgement:
    """What the suite says, said without it (test_runner holds them equal); it saves 0.3 s a load.

    One Python loop a row and rule, no pattern, no table.
    """
    broken = {
        rule: [n for n, bits in enumerate(packed.tolist()) if bits & int(BIT[rule])]
        for rule in (*QUARANTINE, *NOTES)
    }
    return Judgement(
        stops=tuple(BY_NAME[rule.name] for rule in DELIVERY_RULES if not delivery[rule.name]),
        quarantined={rule: np.array(broken[rule], np.int64) for rule in QUARANTINE if broken[rule]},
        notes={rule: len(broken[rule]) for rule in NOTES if broken[rule]},
        checked=len(packed),
    )


OUTCOMES = (
    *("new", "changed", "unchanged", "stale", "superseded"),
    *("retracted", "out_of_scope", "quarantined", "suppressed"),
)


def outcomes(report: Report) -> dict[str, int]:
    """The outcomes that any row had; together they are the rows that came in."""
    counts = {name: report.counts[f"records_{name}"] for name in OUTCOMES}
    assert sum(counts.values()) == report.counts["records_in"]
    return {name: count for name, count in counts.items() if count}


def quiet(_stage: str, _done: int, _total: int | None) -> None:
    """Tell nobody."""


@dataclass
class Ingesting:
    """One open house, and short words for what tests do with it."""

    house: House
    folder: Path
    written: int = 0

    def change(self, **settings: Any) -> Ingesting:
        """Change settings of the open house."""
        self.house.settings = self.house.settings.model_copy(update=settings)
        return self

    def at(self, now: datetime | date) -> Ingesting:
        """Set the clock."""
        if not isinstance(now, datetime):
            now = datetime(now.year, now.month, now.day, 10, tzinfo=UTC)
        self.house.clock = Clock(now)
        return self

    def later(self, **period: float) -> Ingesting:
        """Move the clock on."""
        return self.at(self.house.now() + timedelta(**period))

    def full(self, rows: Iterable[Row], published: str | date) -> Report:
        """Ingest a full file published at 08:00 that day."""
        return self.ingest(csv_bytes(rows), "full", published)

    def delta(self, rows: Iterable[Row], published: str | date) -> Report:
        """Ingest a delta published at 08:00 that day."""
        return self.ingest(csv_bytes(rows), "delta", published)

    def undated(self, rows: Iterable[Row]) -> Report:
        """Ingest a file that says neither its kind nor its date."""
        return self.ingest(csv_bytes(rows))

    def ingest(
        self, content: bytes, kind: Any = None, published: str | date | None = None
    ) -> Report:
        """Ingest these bytes through the flow, from a file whose name says nothing.

        A file published later than it is now is received when it is published.
        """
        self.written += 1
        path = self.folder / f"delivery {self.written}.csv"
        path.write_bytes(content)
        on = None if published is None else datetime.fromisoformat(moment(published))
        if on and on > self.house.now():  # what is published has been published
            self.at(on + timedelta(hours=2))
        request = Request("gleif", file=path, kind=kind, published_at=on)
        clock = self.house.clock
        if on is not None and on > self.house.now() + timedelta(days=1):
            self.at(on)
        try:
            return ingest_run.run(self.house, request, quiet)
        finally:
            self.house.clock = clock

    def load(self, content: bytes, kind: Any, published: str | date, **facts: Any) -> Report:
        """Load landed bytes as fetched: `facts` are what a download knows of them."""
        path = self.folder / "fetched.csv"
        path.write_bytes(content)
        on = datetime.fromisoformat(moment(published))
        landed = gleif.adopt(path, self.house.landing, self.house.now(), kind=kind, published_at=on)
        with sole_writer(self.house.engine), ledger_run(self.house, "ingest", "gleif") as run:
            changed = replace(landed, **facts)
            return ingest_steps.load_delivery(self.house, run.run_id, "gleif", changed, quiet)

    def suppress(self, number: int) -> None:
        """Put the company on the do-not-contact list."""
        with writing(self.house.engine) as connection:
            suppression.add(
                connection,
                self.house.keys,
                "lei",
                lei(number),
                reason="asked",
                origin="command",
                actor="tester",
                now=self.house.now(),
            )

    def deactivate(self, **options: Any) -> dict[str, Any]:
        """Run the flow's function."""
        return lifecycle.deactivate(self.house, **options)

    def delete(self, **options: Any) -> dict[str, Any]:
        """Run the flow's function, confirmed unless told otherwise."""
        return lifecycle.delete(self.house, **{"confirm": True, **options})

    def ask(self, query: str, **values: Any) -> list[dict[str, Any]]:
        """Rows of a query in plain SQL."""
        with reading(self.house.engine) as connection:
            return [dict(row) for row in connection.execute(sa.text(query), values).mappings()]

    def one(self, query: str, **values: Any) -> Any:
        """The one value that the query finds."""
        (row,) = self.ask(query, **values)
        (value,) = row.values()
        return value

    def name(self, number: int) -> str | None:
        """The legal name shown of the company, None when there is none of it."""
        found = self.prospect(number)
        return found and found["legal_name"]

    def prospect(self, number: int) -> dict[str, Any] | None:
        """The company's row in `prospects`, or None."""
        found = self.ask("SELECT * FROM prospects WHERE lei = :lei", lei=lei(number))
        return found[0] if found else None

    def tables(self, *names: str, without: Sequence[str] = ()) -> dict[str, list[dict[str, Any]]]:
        """Every row of these tables (all, when none is named), in an order of their own."""
        found: dict[str, list[dict[str, Any]]] = {}
        with reading(self.house.engine) as connection:
            for name in names or METADATA.tables:
                columns = [c for c in METADATA.tables[name].columns if c.name not in without]
                rows = connection.execute(sa.select(*columns)).mappings()
                found[name] = sorted(map(dict, rows), key=repr)
        return found

    def state(self) -> dict[str, list[dict[str, Any]]]:
        """What is held, down to the last number: all but the ledger of how it came and went."""
        ledger = {"delivery", "delivery_profile", "run", "source_cursor", "audit_event", "sequence"}
        kept = [name for name in METADATA.tables if name not in ledger]
        return self.tables(*kept, without=("last_seen_at", "last_delivery_id", "byte_offset"))

    def said(self) -> dict[str, list[dict[str, Any]]]:
        """What publishers said, whatever numbers we gave it and whichever delivery brought it."""
        ours = [
            *("record_id", "company_id", "lead_record_id", "delivery_id", "quarantine_id"),
            *("first_delivery_id", "last_delivery_id", "byte_offset"),
            *("first_seen_at", "last_seen_at", "last_changed_at", "since_at", "obtained_at"),
        ]
        tables = ("record", "company", "company_record", "personal_value", "quarantined_row")
        return self.tables(*tables, without=ours)

    def empty(self, *kept: str) -> None:
        """Take every row out again, for the next example; what is append-only stays."""
        with writing(self.house.engine) as connection:
            for table in reversed(METADATA.sorted_tables):
                if table.name not in (*APPENDED, *kept):
                    connection.execute(table.delete())


APPENDED = ("audit_event", "deletion_log")


def settings_of(url: str, folder: Path, **changes: Any) -> Settings:
    """Settings as `init --example` writes them, with some of them changed."""
    config = folder / "sourcenote.toml"
    if not config.exists():
        write_init_files(config, folder / "sourcenote.key", os.urandom, example=True)
    found = load(config, warehouse_url=url, environ={"SOURCENOTE_HOME": str(folder)})
    return found.model_copy(update=changes)


@contextmanager
def opened(
    url: str, folder: Path, *, with_suite: bool = False, **changes: Any
) -> Iterator[Ingesting]:
    """An empty warehouse with its schema; `changes` are settings."""
    house = House(settings_of(url, folder, **changes), Clock(MOMENT))
    migrate.upgrade(house.engine)
    try:
        if with_suite:
            yield Ingesting(house, folder)
        else:
            with mock.patch.object(ingest_steps, "judge", plain_judge):
                yield Ingesting(house, folder)
    finally:
        house.close()
