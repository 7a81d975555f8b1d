"""Drift in words: which figures of a delivery are unlike its source's earlier ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flows.cli.explain_words import full_label, label
from flows.cli.words import counted
from sources.kit.columns import change_name
from sources.kit.shapes import ENTITY, RELATIONSHIP

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flows.cli.paper import Paper

_SHARES = {
    "records_quarantined": "quarantined rows",
    "records_out_of_scope": "rows out of scope",
    "records_suppressed": "suppressed rows",
    "records_minimised": "natural persons",
}
_OF_MANY = {change_name(name) for name in set(ENTITY.published) & set(RELATIONSHIP.published)}
"""Fields that companies and relationships have: what they belong to, the source says."""


def show_drift(page: Paper, drift: Sequence[dict[str, Any]]) -> None:
    """Write what lies outside the source's own history; nothing when all is as usual."""
    if not drift:
        return
    most = max(one["deliveries"] for one in drift)
    page.heading(f"Unlike this source's last {counted(most, 'delivery', 'deliveries')}")
    page.say(
        "It was loaded all the same. See whether the publisher has changed its file; what an "
        "earlier delivery had stands in the view `delivery_profiles`.",
        indent=2,
    )
    page.table(
        ("what", "now", "usually", "as usual between"),
        [
            (
                _what(one),
                _figure(one, "found"),
                _figure(one, "usual"),
                f"{_figure(one, 'low')} and {_figure(one, 'high')}",
            )
            for one in drift
        ],
        numbers=("now", "usually"),
    )


def _what(one: dict[str, Any]) -> str:
    if one["what"] == "rows":
        return "rows in the file"
    if one["what"] == "share":
        return _SHARES[one["name"]]
    field: str = one["name"]
    return f"rows that have: {label(field) if field in _OF_MANY else full_label(field)}"


def _figure(one: dict[str, Any], name: str) -> str:
    value: float = one[name]
    return f"{value:,.0f}" if one["what"] == "rows" else f"{value:.2%}"
