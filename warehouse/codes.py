"""Code lists into their tables: what ships, and what a delivery brings, old words kept."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, time
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from sources.kit.code_words import built_in
from warehouse.engine import writing
from warehouse.merge import Merged, delivery_values, move_cursor
from warehouse.numbering import take_numbers
from warehouse.schema import (
    delivery,
    legal_form,
    quarantined_row,
    registration_authority,
    source_cursor,
)
from warehouse.schema.deliveries import COUNTS
from warehouse.upsert import upsert

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy.engine import Connection, Engine

    from sources.kit.code_words import Authority, Codes, LegalForm, Rejected
    from warehouse.load_shapes import DeliveryFacts

Row = dict[str, Any]


def seed(connection: Connection) -> None:
    """Put the words that ship in, as version 0, and take out those of an earlier release.

    Once a delivery has brought words, those that ship are current no more.
    """
    shipped = built_in()
    lists = (
        (legal_form, _form_rows(shipped.codes.forms), shipped.forms_citation,
         shipped.forms_listed_on),
        (registration_authority, _authority_rows(shipped.codes.authorities),
         shipped.authorities_citation, shipped.authorities_listed_on),
    )  # fmt: skip
    for table, rows, citation, listed_on in lists:
        is_ours = table.c.delivery_id.is_(None)
        ended = connection.scalar(sa.select(sa.func.min(table.c.until_at)).where(is_ours))
        connection.execute(table.delete().where(is_ours))
        origin = {
            "version": 0,
            "citation": citation,
            "since_at": datetime.combine(listed_on, time(), UTC),
            "until_at": ended,
        }
        connection.execute(table.insert(), [{**row, **origin} for row in rows])


def load(engine: Engine, facts: DeliveryFacts, found: Codes) -> Merged:
    """Load a delivery of code lists in one transaction with its row and the source's cursor.

    A code that is missing stays as it is: codes are not withdrawn, their status says INAC.
    """
    with writing(engine) as connection:
        delivery_id = take_numbers(connection, "delivery", 1)
        forms = _List(connection, legal_form, ("code", "place"))
        authorities = _List(connection, registration_authority, ("code",))
        differing = (
            forms.compare(_form_rows(found.forms)),
            authorities.compare(_authority_rows(found.authorities)),
        )
        if _is_older(connection, facts):
            differing = (differing[0].made_stale(), differing[1].made_stale())
        counts = _counts(found, differing)
        is_loaded = counts["records_new"] or counts["records_changed"]
        status = "loaded" if is_loaded else "unchanged"
        connection.execute(
            delivery.insert().values(
                delivery_id=delivery_id,
                status=status,
                unknown_columns=", ".join(found.unknown) or None,
                **delivery_values(facts),
                **counts,
            )
        )
        forms.write(differing[0], delivery_id, facts)
        authorities.write(differing[1], delivery_id, facts)
        _quarantine(connection, facts, delivery_id, found.rejected)
        move_cursor(connection, facts, counts["records_in"])
    return Merged(delivery_id, status, counts)


def _is_older(connection: Connection, facts: DeliveryFacts) -> bool:
    """Whether a newer publication of the lists was applied before."""
    applied = connection.scalar(
        sa.select(source_cursor.c.published_at).where(
            source_cursor.c.source_id == facts.card.source_id
        )
    )
    published = facts.published_at
    return applied is not None and published is not None and published < applied


def _counts(found: Codes, differing: Iterable[_Differing]) -> dict[str, int]:
    """Every entry in has one outcome, as the rows of any delivery have."""
    counts = dict.fromkeys(COUNTS, 0)
    counts["records_in"] = found.entry_count
    counts["records_quarantined"] = len(found.rejected)
    counts["records_superseded"] = found.repeated
    for item in differing:
        for outcome, number in item.counts.items():
            counts[outcome] += number
    return counts


@dataclass(frozen=True)
class _Differing:
    """Rows in new words, rows whose words ended, and how many codes had which outcome."""

    rows: list[Row]
    ended: list[Row]
    counts: dict[str, int]

    def made_stale(self) -> _Differing:
        """The same for a delivery older than what is held: nothing of it is taken."""
        unchanged = self.counts["records_unchanged"]
        stale = sum(self.counts.values()) - unchanged
        return _Differing([], [], {"records_unchanged": unchanged, "records_stale": stale})


class _List:
    """One list's table and the words in it now."""

    def __init__(self, connection: Connection, table: sa.Table, keys: tuple[str, ...]) -> None:
        self._connection, self._table, self._keys = connection, table, keys
        rows = [dict(row) for row in connection.execute(sa.select(table)).mappings()]
        self._versions: dict[tuple[str, ...], int] = {}
        for row in rows:
            key = self._key(row)
            self._versions[key] = max(self._versions.get(key, 0), row["version"])
        self._current = {
            self._key(row): row
            for row in rows
            if row["until_at"] is None and row["delivery_id"] is not None
        }

    def compare(self, rows: Iterable[Row]) -> _Differing:
        """Sort the codes: new, changed in any of their words, or unchanged."""
        found = _Differing(
            [], [], {f"records_{word}": 0 for word in ("new", "changed", "unchanged")}
        )
        held = _by_code(self._current.values())
        for code, listed in _by_code(rows).items():
            before = {self._key(row): row for row in held.get(code, [])}
            now = {self._key(row): row for row in listed}
            fresh = [row for key, row in now.items() if not _same(before.get(key), row)]
            ended = [row for key, row in before.items() if not _same(row, now.get(key, {}))]
            found.rows.extend(fresh)
            found.ended.extend(ended)
            is_different = fresh or ended
            outcome = "unchanged" if not is_different else "changed" if before else "new"
            found.counts[f"records_{outcome}"] += 1
        return found

    def write(self, differing: _Differing, delivery_id: int, facts: DeliveryFacts) -> None:
        """End the old words, the shipped ones too, and write the new."""
        table, at = self._table, facts.retrieved_at
        is_shipped = sa.and_(table.c.delivery_id.is_(None), table.c.until_at.is_(None))
        self._connection.execute(table.update().where(is_shipped).values(until_at=at))
        for row in differing.ended:
            mine = [table.c[name] == row[name] for name in (*self._keys, "version")]
            self._connection.execute(table.update().where(*mine).values(until_at=at))
        if differing.rows:
            origin = {"delivery_id": delivery_id, "since_at": at}
            self._connection.execute(
                table.insert(),
                [
                    {**row, **origin, "version": self._versions.get(self._key(row), 0) + 1}
                    for row in differing.rows
                ],
            )

    def _key(self, row: Row) -> tuple[str, ...]:
        return tuple(row[name] for name in self._keys)


def _by_code(rows: Iterable[Row]) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(row["code"], []).append(row)
    return found


def _same(held: Row | None, row: Row) -> bool:
    """Whether a held row says what a listed one says."""
    return bool(held and row) and all((held or {})[name] == row[name] for name in row)


def _form_rows(forms: Iterable[LegalForm]) -> list[Row]:
    return [
        {
            "code": form.code,
            **asdict(name),
            "place": place,
            "country": form.country,
            "jurisdiction": form.jurisdiction,
            "status": form.status,
        }
        for form in forms
        for place, name in enumerate(form.names)
    ]


def _authority_rows(authorities: Iterable[Authority]) -> list[Row]:
    return [asdict(authority) for authority in authorities]


def _quarantine(
    connection: Connection, facts: DeliveryFacts, delivery_id: int, rejected: Sequence[Rejected]
) -> None:
    if not rejected:
        return
    first = take_numbers(connection, "quarantine", len(rejected))
    seen = {"last_delivery_id": delivery_id, "last_seen_at": facts.retrieved_at}
    rows = {
        (one.key, one.rule, one.content): {
            "quarantine_id": first + number,
            "source_id": facts.card.source_id,
            "source_key": one.key,
            "rule": one.rule,
            "content_digest": hashlib.blake2b(one.content.encode(), digest_size=16).digest(),
            "content": one.content,
            "withheld": "shape",
            "byte_offset": one.byte_offset,
            "is_alarming": True,
            "first_delivery_id": delivery_id,
            "first_seen_at": facts.retrieved_at,
            **seen,
        }
        for number, one in enumerate(rejected)
    }
    upsert(
        connection,
        quarantined_row,
        list(rows.values()),
        keys=("source_id", "source_key", "rule", "content_digest"),
        updates=(*seen, "byte_offset"),
    )
