"""What is held is read by the column as it stands row by row, whatever keys and dates there are."""

from __future__ import annotations

import group_rows
import numpy as np
import pyarrow as pa
import pytest
from group_rows import ULTIMATE, exception, relationship
from ingesting import ANY_LENGTH, Ingesting, company, lei, moment

from sources.kit.digest import as_bytes, key_print
from warehouse import held_rows
from warehouse.engine import reading, writing
from warehouse.held import UNKNOWN, read_held
from warehouse.schema import record

ALL = ANY_LENGTH | dict.fromkeys(("gleif-rr", "gleif-repex"), ANY_LENGTH["gleif"])


@pytest.fixture
def filled(place: Ingesting, monkeypatch: pytest.MonkeyPatch) -> Ingesting:
    """Two sources' records, one of them twice absent, one changed; read some at a time."""
    monkeypatch.setattr(held_rows, "_AT_ONCE", 3)
    monkeypatch.setattr(held_rows, "_ASKED_AT_ONCE", 2)
    place.change(sources=ALL)
    group_rows.ingest(place, [relationship(1, 2), relationship(1, 3, ULTIMATE)], "2026-10-01")
    group_rows.ingest(place, [exception(4)], "2026-10-01")
    lines = [company(n) for n in range(10)]
    place.full(lines, "2026-11-01")
    old = company(3, legal_name="Før A/S", last_update_published=moment("1901-01-01"))
    place.full([*lines[:3], old, *lines[4:9]], "2026-11-02")
    place.full([*lines[:3], old, *lines[4:9]], "2026-11-03")
    return place


def rows_of(place: Ingesting, source_id: str) -> dict[bytes, tuple[object, ...]]:
    """What `record` says, row by row, by the key's fingerprint."""
    names = ("record_id", "digest", "last_update_at")
    rows = [row for row in place.tables("record")["record"] if row["source_id"] == source_id]
    return {
        key_print(pa.array([row["source_key"]])).tobytes(): (
            *(row[name] for name in names),
            row["absent_count"] > 0,
        )
        for row in rows
    }


def read(place: Ingesting, source_id: str, asked: list[str] | None = None) -> dict[bytes, object]:
    with reading(place.house.engine) as connection:
        held = read_held(connection, source_id, asked)
    assert np.array_equal(held.key[:, 0], np.sort(held.key[:, 0]))
    assert (held.published() > UNKNOWN).all()
    updated = held.updated()
    return {
        held.key[n].tobytes(): (
            int(held.record_id[n]),
            as_bytes(held.digest[[n]]).to_pylist()[0],
            None if updated[n] == UNKNOWN else int(updated[n]),
            bool(held.is_absent[n]),
        )
        for n in range(len(held))
    }


@pytest.mark.parametrize("source_id", ["gleif", "gleif-rr", "gleif-repex", "nosuch"])
def test_all_of_a_source(filled, source_id) -> None:
    assert read(filled, source_id) == rows_of(filled, source_id)
    assert len(rows_of(filled, source_id)) == {"gleif": 10, "gleif-rr": 2, "gleif-repex": 1}.get(
        source_id, 0
    )


def test_only_what_is_asked_for(filled) -> None:
    asked = [lei(n) for n in (1, 3, 5, 99)]
    kept = {key_print(pa.array([key])).tobytes() for key in asked}
    expected = {key: row for key, row in rows_of(filled, "gleif").items() if key in kept}
    assert read(filled, "gleif", asked) == expected
    assert len(expected) == 3
    assert read(filled, "gleif", []) == {}


def test_keys_that_are_no_ascii_and_dates_that_are_not_stated(filled) -> None:
    with writing(filled.house.engine) as connection, connection.begin_nested() as taken_back:
        few = record.c.source_id == "gleif-repex"
        connection.execute(
            record.update().where(few).values(source_key="nøgle, 1\n2", last_update_at=None)
        )
        held = read_held(connection, "gleif-repex")
        taken_back.rollback()
    assert held.key.tolist() == key_print(pa.array(["nøgle, 1\n2"])).tolist()
    assert held.updated().tolist() == [UNKNOWN]
