"""Every column says what it holds, whether it is personal, and which policy deletes it."""

from __future__ import annotations

import tomllib
from importlib import resources

import pytest
import sqlalchemy as sa
from ingesting import Ingesting, opened

from sources.kit import columns
from warehouse.schema import METADATA
from warehouse.schema.base import Utc

COLUMNS = [column for table in METADATA.sorted_tables for column in table.columns]
CATEGORIES = {"operation", "company facts", "person", "contact", "device"}


def named(column: sa.Column) -> str:
    return f"{column.table.name}.{column.name}"


@pytest.mark.parametrize("table", METADATA.sorted_tables, ids=lambda table: table.name)
def test_a_table_says_what_it_is_for(table) -> None:
    assert table.comment
    assert table.primary_key.columns


@pytest.mark.parametrize("column", COLUMNS, ids=named)
def test_a_column_says_what_it_holds(column) -> None:
    assert column.comment
    assert set(column.info) == {"category", "personal", "retention"}
    assert column.info["category"] in CATEGORIES
    assert isinstance(column.info["personal"], bool)


def test_retention_tags_name_policy_rows() -> None:
    text = resources.files("flows").joinpath("defaults/retention.toml").read_text("utf-8")
    rows = {row["id"] for row in tomllib.loads(text)["retention"]}
    assert {column.info["retention"] for column in COLUMNS} <= rows


def test_what_is_personal_lives_in_tables_of_its_own() -> None:
    """HOUSE: contact points, care-of lines, natural persons' particulars: never in `record`."""
    personal = {named(column) for column in COLUMNS if column.info["personal"]}
    assert personal == {
        "personal_value.value",
        *(f"contact_point.{name}" for name in ("value", "original", "mail_domain")),
        "quarantined_row.content",
        "letter.notice_html",
        *(f"{table}.event_reference" for table in ("customer", "enquiry", "visit", "consent")),
        *(
            f"{table}.{name}"
            for table in ("customer", "enquiry")
            for name in ("company_name", "email", "phone")
        ),
        *(f"visit.{name}" for name in ("ip_address", "device", "browser")),
        "consent.contact_hash",
    }
    assert {c.info["category"] for c in COLUMNS if c.info["personal"]} <= CATEGORIES - {"operation"}


def test_names_carry_their_unit_and_kind() -> None:
    """HOUSE, Words: `_at` is a moment, `_date` a day, `is_` and `has_` a truth."""
    for column in COLUMNS:
        if column.name.endswith("_at") and column.table.name != "record":
            assert isinstance(column.type, Utc), named(column)
        if column.name.endswith("_date"):
            assert isinstance(column.type, sa.Date), named(column)
        if column.name.startswith(("is_", "has_")):
            assert isinstance(column.type, sa.Boolean), named(column)
        if isinstance(column.type, sa.Boolean):
            assert column.name.startswith(("is_", "has_", "ad_")), named(column)


def test_the_same_name_is_the_same_kind_everywhere() -> None:
    kinds: dict[str, set[str]] = {}
    for column in COLUMNS:
        if column.table.name != "record":
            kinds.setdefault(column.name, set()).add(repr(column.type))
    assert {name: found for name, found in kinds.items() if len(found) > 1} == {}


def test_records_hold_the_words_that_every_frame_uses() -> None:
    held = METADATA.tables["record"].columns
    assert {name for name in held.keys() if name in columns.BY_NAME} == set(columns.NAMES)  # noqa: SIM118 (a ColumnCollection)
    assert all(held[field.name].comment == field.meaning for field in columns.FIELDS)


def test_partitioned_tables_carry_their_partition_key() -> None:
    """HOUSE: what hangs on a record can follow it into HASH (source_key) partitions."""
    partitioned = METADATA.tables["record"]
    assert partitioned.dialect_options["postgresql"]["partition_by"] == "HASH (source_key)"
    for table in METADATA.sorted_tables:
        for key in table.foreign_key_constraints:
            if key.referred_table is partitioned:
                assert "source_key" in key.column_keys, table.name


def test_comments_are_in_the_database_too(postgres_url, tmp_path) -> None:
    """Where the database keeps comments; SQLite has none."""
    with opened(postgres_url, tmp_path) as place:
        found = sa.inspect(place.house.engine)
        check_comments(found)


def check_comments(found: sa.Inspector) -> None:
    for table in METADATA.sorted_tables:
        held = {column["name"]: column["comment"] for column in found.get_columns(table.name)}
        assert held == {column.name: column.comment for column in table.columns}
        assert found.get_table_comment(table.name)["text"] == table.comment


def test_moments_are_whole_utc_seconds_and_never_without_a_zone(place: Ingesting) -> None:
    from datetime import UTC, datetime, timedelta, timezone

    from warehouse.engine import reading, writing
    from warehouse.schema import run

    def write(moment: datetime) -> None:
        values = {"run_id": 5, "flow": "ingest", "state": "done", "actor": "x"}
        with writing(place.house.engine) as connection:
            connection.execute(run.delete())
            connection.execute(run.insert().values(**values, started_at=moment))

    west = timezone(timedelta(hours=-5))
    write(datetime(2026, 11, 2, 23, 30, 15, 999999, tzinfo=west))
    with reading(place.house.engine) as connection:
        assert connection.scalar(sa.select(run.c.started_at)) == datetime(
            2026, 11, 3, 4, 30, 15, tzinfo=UTC
        )
    with pytest.raises(sa.exc.StatementError, match="without a time zone"):
        write(datetime(2026, 11, 2))  # noqa: DTZ001 (the fault itself)
