"""The parts of `explain` about national registers: joins, differences, protection, contacts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flows.cli.explain_words import full_label
from flows.cli.sentences import condition
from flows.cli.words import day, when

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from flows.cli.paper import Paper

Row = dict[str, Any]

_REASONS = {
    "own record": "this company was made for it",
    "same number": "both state the same number of the same register",
}
_ENDS = {
    "number": "the number leads elsewhere now",
    "person": "a person said that it was wrong",
}
_CLASSES = {
    "role": "a role's mailbox on a domain of its own",
    "named": "a named person's mailbox",
    "free-mail": "a mailbox at a free-mail provider",
    "agent": "a mailbox on a domain that many companies share",
    "unknown": "not known whose mailbox: treated as a named person's",
}
_FLAGS = {True: "protected", False: "not protected", None: "not known"}


def show_joins(page: Paper, records: Sequence[Row]) -> None:
    """Write which records the company rests on since when and why, and which it rested on."""
    if len(records) < 2:  # noqa: PLR2004 (one record is no join)
        return
    page.heading("Records it is joined with")
    page.table(
        ("record", "since", "because", "until"),
        [
            (
                f"{record['source_id']} {record['source_key']}",
                day(record["since_at"]),
                _REASONS.get(record["link_reason"], record["link_reason"]),
                _end(record),
            )
            for record in records
        ],
    )
    page.say("A wrong one is ended with `sourcenote join end`.", indent=2)


def _end(record: Row) -> str:
    if record["until_at"] is None:
        return "holds"
    why = _ENDS.get(record["until_reason"], record["until_reason"] or "not stated")
    return f"{day(record['until_at'])}: {why}"


def show_parted(page: Paper, points: Sequence[Row]) -> None:
    """Write contact points of records that no company rests on: where from, since when, how long.

    Without their values: whoever asks for one knows it.
    """
    if not points:
        return
    page.heading("On registers' records that are joined to no company, and in no list")
    for one in points:
        page.say(
            f"{one['kind']}, of {one['source_id']} {one['source_key']} ({one['database_name']}, "
            f"{one['publisher']}; {one['record_url']}): received {when(one['retrieved_at'])} in "
            f"delivery {one['delivery_id']}, {one['state']}, inactive from "
            f"{day(one['inactive_after'])}, deleted from {day(one['delete_after'])}.",
            indent=2,
        )


def show_disagreements(page: Paper, differences: Sequence[Row]) -> None:
    """Write where two publishers say different things, and which one is shown."""
    if not differences:
        return
    page.heading("Where its publishers differ")
    page.say(f"Shown first, because {differences[0]['why']}. Nothing is joined by name.", indent=2)
    rows = []
    for one in differences:
        shown = one["shown"]
        rows.append((full_label(one["field"]), shown["source_id"], shown["value"], "shown"))
        rows += [("", other["source_id"], other["value"], _hint(other)) for other in one["others"]]
    page.table(("", "publisher", "says", ""), rows)


def _hint(other: Row) -> str:
    likeness = other.get("name_likeness")
    return "" if likeness is None else f"names alike: {likeness} of 100, for review only"


def show_protection(page: Paper, said: Sequence[Row]) -> None:
    """Write what each register says of marketing protection, and when it last did."""
    if not said:
        return
    page.heading("Protection from marketing")
    for one in said:
        told = f", said last on {when(one['said_at'])}" if one["said_at"] else ""
        page.say(f"{one['source_id']} {one['source_key']}: {_state(one['state'])}{told}.", indent=2)


def _state(state: str) -> str:
    return {
        "protected": "protected: on no list",
        "not protected": "not protected",
        "no such flag": "the register publishes no such flag",
        "not known": "not known: the register has not answered, so it is on no list",
    }[state]


def show_contacts(page: Paper, contacts: Sequence[Row], numbers: Callable[[Row], str]) -> None:
    """Write the contact points with whose they are, their protection, and when they go."""
    if not contacts:
        return
    page.heading("Contact points, for the marketing and privacy duties")
    page.table(
        ("kind", "value", "source", "first seen", "last seen", "protection", "state"),
        [
            (
                one["kind"],
                one["value"],
                numbers(one),
                day(one["first_seen_at"]),
                day(one["last_seen_at"]),
                _FLAGS[one["ad_protected"]],
                _contact_state(one),
            )
            for one in contacts
        ],
    )
    for one in contacts:
        whose = _CLASSES.get(one["mailbox_class"])
        named = ", and it may name a person" if one["person_kind"] != "none" else ""
        if whose:
            page.say(f"{one['value']}: {whose}{named}.", indent=2)


def _contact_state(one: Row) -> str:
    goes = f"deleted from {day(one['delete_after'])}"
    if one["state"] == "inactive":
        why = f", because {condition(one['inactive_reason'])}" if one["inactive_reason"] else ""
        return f"inactive since {day(one['inactive_since'])}{why}; {goes}"
    if one["withdrawn_at"] is not None:
        return f"its register withdrew it on {day(one['withdrawn_at'])}; {goes}"
    return f"active; inactive from {day(one['inactive_after'])}, {goes}"
