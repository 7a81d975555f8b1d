"""When a company goes, and by which policy row: the same dates the lifecycle computes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sources.kit.period import add_to_date
from warehouse.privacy.retention import policy
from warehouse.privacy.retention_companies import STATUS_CONDITIONS, VANISHED

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from sources.kit.policy import RetentionPolicy

Row = dict[str, Any]


def of_company(
    policies: Sequence[RetentionPolicy], company: Row, lead: Row, today: date
) -> dict[str, Any]:
    """State, reason, dates, and the policy row they follow.

    `pending` is set when a condition already holds that the next `deactivate` will act on.
    """
    row = policy(policies, company["policy_id"])
    is_active = company["state"] == "active"
    return {
        "state": company["state"],
        "inactive_since": company["inactive_since"],
        "inactive_reason": company["inactive_reason"],
        "delete_after": company["delete_after"],
        "is_due": bool(company["delete_after"] and company["delete_after"] <= today),
        "pending": _pending(row, lead) if is_active else None,
        "policy": {
            "id": row.id,
            "inactive_after": row.inactive_after,
            "inactive_when": list(row.inactive_when),
            "delete_after_inactive": row.delete_after_inactive,
            "citation": row.citation,
            "decided_by": row.decided_by,
            "decided_on": row.decided_on,
        },
    }


def _pending(row: RetentionPolicy, lead: Row) -> dict[str, Any] | None:
    """The condition of the policy row that holds for the record already, if one does."""
    for condition in row.inactive_when:
        ends = STATUS_CONDITIONS.get(condition)
        if ends is not None and ends == lead["lei_status"]:
            moment = lead["last_update_at"]
        elif condition == VANISHED and lead["vanished_at"] is not None:
            moment = lead["vanished_at"]
        else:
            continue
        since = moment.date()
        return {
            "reason": condition,
            "since": since,
            "delete_after": add_to_date(since, row.delete_after_inactive),
        }
    return None
