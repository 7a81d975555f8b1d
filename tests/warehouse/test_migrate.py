"""Migrations bring an empty warehouse to the schema, and nobody works with an older one."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from ingesting import opened

from sources.kit.errors import Busy, Refused
from warehouse import migrate
from warehouse.engine import open_warehouse, reading, sole_writer, writing
from warehouse.schema import METADATA
from warehouse.views import VIEWS


@pytest.fixture
def engine(warehouse_url: str) -> Iterator[Any]:
    engine = open_warehouse(warehouse_url)
    yield engine
    engine.dispose()


def is_partition(name: object) -> bool:
    """PostgreSQL makes them, and a foreign key to each, of `record` by itself."""
    return "_part_" in str(name)


def differences(engine: Any) -> list[Any]:
    """What Alembic would still have to change for the database to be as `METADATA` says."""

    def is_ours(thing: Any, name: str | None, kind: str, *__: Any) -> bool:
        if kind == "foreign_key_constraint":
            return not any(is_partition(key.target_fullname) for key in thing.elements)
        return not (kind == "table" and is_partition(name))

    with reading(engine) as connection:
        options = {"compare_type": True, "compare_server_default": True, "include_object": is_ours}
        context = MigrationContext.configure(connection, opts=options)
        return compare_metadata(context, METADATA)


def checks(inspector: Any) -> dict[str, set[str]]:
    """CHECK constraints, which Alembic does not compare, by table."""
    return {
        table.name: {str(found["name"]) for found in inspector.get_check_constraints(table.name)}
        for table in METADATA.sorted_tables
    }


def test_head_is_alembics_head() -> None:
    config = Config()
    config.set_main_option("script_location", "warehouse:migrations")
    assert ScriptDirectory.from_config(config).get_heads() == [migrate.HEAD]


def test_an_empty_warehouse_comes_to_the_schema_itself(engine) -> None:
    assert migrate.upgrade(engine) == [migrate.HEAD]
    assert differences(engine) == []
    found = sa.inspect(engine)
    tables = {name for name in found.get_table_names() if not is_partition(name)}
    assert tables == {*METADATA.tables, "alembic_version"}
    assert checks(found) == {
        table.name: {
            str(constraint.name)
            for constraint in table.constraints
            if isinstance(constraint, sa.CheckConstraint)
        }
        for table in METADATA.sorted_tables
    }
    for table in METADATA.sorted_tables:
        keys = found.get_foreign_keys(table.name)
        assert {str(key["name"]) for key in keys if not is_partition(key["referred_table"])} == {
            str(key.name) for key in table.foreign_key_constraints
        }
        held = {column["name"]: column["nullable"] for column in found.get_columns(table.name)}
        assert held == {column.name: column.nullable for column in table.columns}
        primary = found.get_pk_constraint(table.name)["constrained_columns"]
        assert primary == [column.name for column in table.primary_key.columns]


def test_the_comparison_can_fail(engine) -> None:
    migrate.upgrade(engine)
    with writing(engine) as connection:
        connection.execute(sa.text("DROP INDEX ix_company_record_record_id"))
        connection.execute(sa.text("ALTER TABLE run ADD COLUMN colour TEXT"))
    assert sorted(change[0] for change in differences(engine)) == ["add_index", "remove_column"]


def test_it_is_what_the_schema_alone_would_make(tmp_path) -> None:
    """Migrations and `METADATA.create_all` agree, so tests on either speak of the same tables."""
    plain = sa.create_engine(f"sqlite:///{tmp_path / 'plain.db'}")
    migrated = open_warehouse(f"sqlite:///{tmp_path / 'migrated.db'}")
    try:
        METADATA.create_all(plain)
        migrate.upgrade(migrated)
        one, other = sa.inspect(plain), sa.inspect(migrated)
        for table in METADATA.tables:
            assert names(one.get_indexes(table)) == names(other.get_indexes(table))
            assert names(one.get_unique_constraints(table)) == names(
                other.get_unique_constraints(table)
            )
        assert checks(one) == checks(other)
    finally:
        plain.dispose()
        migrated.dispose()


def names(found: list[Any]) -> list[tuple[str, tuple[str, ...]]]:
    return sorted((str(each["name"]), tuple(each["column_names"])) for each in found)


def test_upgrading_again_changes_nothing(engine) -> None:
    migrate.upgrade(engine)
    assert migrate.upgrade(engine) == []
    assert set(sa.inspect(engine).get_view_names()) == set(VIEWS)


def test_upgrading_keeps_what_is_held(warehouse_url, tmp_path) -> None:
    from ingesting import company

    with opened(warehouse_url, tmp_path) as place:
        place.full([company(1)], "2026-11-01")
        held = place.tables()
        migrate.upgrade(place.house.engine)
        assert place.tables() == held


def test_a_warehouse_without_tables_is_refused(engine) -> None:
    with pytest.raises(Refused, match=r"no tables yet.*sourcenote init"):
        migrate.check(engine)
    assert sa.inspect(engine).get_table_names() == []


def test_an_older_schema_is_refused_until_upgraded(engine) -> None:
    migrate.upgrade(engine)
    migrate.check(engine)
    with writing(engine) as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '0001'"))
    with pytest.raises(Refused, match=rf"at 0001, this version needs {migrate.HEAD}.*db upgrade"):
        migrate.check(engine)


def test_a_failed_upgrade_leaves_an_empty_warehouse(engine, monkeypatch) -> None:
    def fail(_: Any) -> None:
        raise ZeroDivisionError

    with monkeypatch.context() as patch:
        patch.setattr("warehouse.views.recreate_views", fail)
        with pytest.raises(ZeroDivisionError):
            migrate.upgrade(engine)
    assert sa.inspect(engine).get_table_names() == []
    assert migrate.upgrade(engine) == [migrate.HEAD]


def test_an_upgrade_waits_for_nobody(engine) -> None:
    with sole_writer(engine), pytest.raises(Busy):
        migrate.upgrade(engine)


def test_the_file_is_its_owners_alone(sqlite_url, tmp_path: Path) -> None:
    with opened(sqlite_url, tmp_path) as place:
        for name in ("warehouse.db", "warehouse.db.lock"):
            assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600
        assert place.one("PRAGMA secure_delete") == 1
        assert place.one("PRAGMA foreign_keys") == 1
        assert place.one("PRAGMA journal_mode") == "wal"


@pytest.mark.parametrize("url", ["mysql://x/y", "sqlite://", "nonsense", ""])
def test_an_address_that_is_no_warehouse_is_refused(url) -> None:
    with pytest.raises(Refused, match="warehouse URL"):
        open_warehouse(url)
