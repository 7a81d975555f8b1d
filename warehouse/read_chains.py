"""Whether the appended-to tables still hold together: the audit trail and the deletion log."""

from __future__ import annotations

from typing import TYPE_CHECKING

from warehouse.engine import reading
from warehouse.privacy import chain
from warehouse.schema import audit_event, deletion_log

if TYPE_CHECKING:
    from sqlalchemy.engine import Engine


def broken(engine: Engine) -> dict[str, int | None]:
    """For each chained table, the number of the first entry that was changed or follows a gap."""
    with reading(engine) as connection:
        return {
            "audit trail": chain.first_break(connection, audit_event),
            "deletion log": chain.first_break(connection, deletion_log),
        }
