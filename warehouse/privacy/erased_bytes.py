"""Erased bytes: what is left of deleted rows in the database's own files, and how it goes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

if TYPE_CHECKING:
    from sqlalchemy.engine import Engine

HOLD_PERSONS = (
    *("personal_value", "contact_point", "quarantined_row", "letter"),
    *("customer", "enquiry", "visit", "consent"),
)
"""Tables with values that name a person, small beside what registers say of companies."""


def clean_up_bytes(engine: Engine) -> None:
    """Leave no erased bytes in the database's own files, as far as each database can.

    SQLite: checkpoint and VACUUM, after which file and WAL hold none. PostgreSQL: VACUUM FULL of
    the small tables that hold persons; write-ahead log segments keep theirs until recycled.
    """
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if engine.dialect.name == "sqlite":
            driver: Any = connection.connection.driver_connection
            for statement in ("PRAGMA wal_checkpoint(TRUNCATE)", "VACUUM"):
                driver.execute(statement)
            driver.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            return
        for table in HOLD_PERSONS:
            connection.execute(sa.text(f"VACUUM FULL {table}"))
