"""The parts of `explain` about the way out: stops, lists that left, and when it is deleted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flows.cli.explain_words import full_label
from flows.cli.sentences import condition
from flows.cli.words import counted, day, listed, period, when

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flows.cli.paper import Paper

Row = dict[str, Any]


def show_left(page: Paper, left: Sequence[Row]) -> None:
    """Write what left the house, to whom, when, and under which notice."""
    if not left:
        page.say("Nobody: it has been on no list.", indent=2)
        return
    for row in left:
        names = [name.strip() for name in str(row["fields"]).split(",")]
        fields = "; ".join(full_label(name) for name in names if name)
        page.say(
            f"{when(row['disclosed_at'])}: {row['recipient_name']} ({row['recipient']}), for "
            f"{row['purpose']}, by {row['channel']}, segment {row['segment']}.",
            indent=2,
        )
        kept = "kept as printed" if row["is_notice_kept"] else "its text went with the company"
        page.facts(
            [
                ("list, row", f"{row['export_id']}, {row['row_id']}"),
                ("left with it", fields),
                ("notice", f"{row['notice_id']}, in {row['language'] or '-'}; {kept}"),
                ("policy", f"version {row['policy_version']}"),
            ],
            indent=6,
        )


def show_ends(page: Paper, retention: Row, personal: Sequence[Row]) -> None:
    """Write how long it is kept, by which row of the retention policy."""
    policy = retention["policy"]
    page.heading("How long it is kept")
    page.say(_state_sentence(retention), indent=2)
    ends = listed([condition(name) for name in policy["inactive_when"]], "or")
    page.say(
        f"Policy {policy['id']}: inactive when {ends}; deleted "
        f"{period(policy['delete_after_inactive'])} after the date of that event. "
        f"Basis: {policy['citation']}.",
        indent=2,
    )
    if personal:
        first = min(value["delete_after"] for value in personal)
        values = counted(len(personal), "particular")
        page.say(
            f"The {values} naming a person: policy person_public, the first is deleted from "
            f"{day(first)}.",
            indent=2,
        )


def _state_sentence(retention: Row) -> str:
    if retention["state"] == "inactive":
        due = "due for deletion since" if retention["is_due"] else "deleted from"
        return (
            f"Inactive since {day(retention['inactive_since'])}, because "
            f"{condition(retention['inactive_reason'])}; on no list, and {due} "
            f"{day(retention['delete_after'])}."
        )
    pending = retention["pending"]
    if pending:
        return (
            f"Active, but {condition(pending['reason'])} since {day(pending['since'])}: the next "
            f"`sourcenote deactivate` makes it inactive, and it is deleted from "
            f"{day(pending['delete_after'])}."
        )
    return "Active: kept for as long as its register publishes it as current; no date is set."
