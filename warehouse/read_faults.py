"""What a database's own error means to the person at the command, without quoting any value."""

from __future__ import annotations

import sqlalchemy as sa

from sources.kit.errors import Busy, Refused, SourcenoteError

_SQLITE = {
    "SQLITE_BUSY": ("another program keeps it locked", "Wait for it to end and try again"),
    "SQLITE_CANTOPEN": ("it cannot be opened", "Check that its folder exists and is yours"),
    "SQLITE_CORRUPT": ("it is damaged", "Restore the last back-up"),
    "SQLITE_FULL": ("the disk is full", "Make room; nothing of this run was kept"),
    "SQLITE_IOERR": ("the disk could not be read or written", "Check the disk and try again"),
    "SQLITE_NOTADB": ("the file is no SQLite database", "Check [warehouse] url or --warehouse"),
    "SQLITE_READONLY": ("it may only be read by this user", "Check who owns the file"),
}
"""By SQLite's result code (https://www.sqlite.org/rescode.html), extended codes by their start."""
_POSTGRES = {
    "08": (
        "it cannot be reached, or does not let us in",
        "Check that the server runs, and the host, user, password and database of its address",
    ),
    "42501": ("this login may not do that", "Ask who administers the database for the right"),
    "53": ("the server has run out of room", "Make room; nothing of this run was kept"),
    "55P03": ("another program keeps it locked", "Wait for it to end and try again"),
    "57P": ("the server was stopped", "Start it and run the command again"),
}
"""By SQLSTATE or its class (PostgreSQL 15, appendix A)."""


def as_refusal(error: BaseException) -> SourcenoteError | None:
    """Return the database's error in the house's words; None when it is not one of the known.

    What COPY says comes from the driver itself, without SQLAlchemy around it.
    """
    original = error.orig if isinstance(error, sa.exc.DBAPIError) else error
    found = _from_sqlite(original) or _from_postgres(original)
    if found is None:
        return None
    kind = Busy if "locked" in found[0] else Refused
    return kind("warehouse", *found)


def _from_sqlite(original: BaseException | None) -> tuple[str, str] | None:
    name = getattr(original, "sqlite_errorname", None) or ""
    return next((said for code, said in _SQLITE.items() if name.startswith(code)), None)


def _from_postgres(original: BaseException | None) -> tuple[str, str] | None:
    if not type(original).__module__.startswith("psycopg"):
        return None
    # A connection that never was has no SQLSTATE.
    state = getattr(original, "sqlstate", None) or "08"
    if type(original).__name__ != "OperationalError" and state == "08":
        return None
    return next((said for code, said in _POSTGRES.items() if state.startswith(code)), None)
