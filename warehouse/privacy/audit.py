"""The audit trail: who did what when, chained, never a contact value."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from warehouse.privacy import chain
from warehouse.schema import audit_event

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.engine import Connection


def record_event(
    connection: Connection,
    actor: str,
    action: str,
    now: datetime,
    *,
    subject: str | None = None,
    detail: dict[str, Any] | None = None,
) -> None:
    """Append one event in the caller's transaction; `detail` holds counts and codes only."""
    event = {
        "at": now.replace(microsecond=0),
        "actor": actor,
        "action": action,
        "subject": subject,
        "detail": None if detail is None else json.dumps(detail, sort_keys=True),
    }
    chain.append(connection, audit_event, [event])
