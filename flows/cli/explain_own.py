"""The part of `explain` on the owner's own lists: what the person gave, when, and when it goes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flows.cli.sentences import condition
from flows.cli.words import day, when

if TYPE_CHECKING:
    from flows.cli.paper import Paper

Row = dict[str, Any]


def show_own_rows(page: Paper, rows: list[Row]) -> None:
    """Write each row: its values, the file each came in, and its dates; nothing where none is."""
    if rows:
        page.heading("In your own lists, as the person gave it")
    for row in rows:
        page.say(f"{row['list']}, row {row['own_id']}: {_way_out(row)}", indent=2)
        origins = row["deliveries"]
        page.table(
            ("", "value", "came in"),
            [
                (
                    value["field"].replace("_", " "),
                    _said(value["value"]),
                    f"delivery {value['delivery_id']}, {origins[value['delivery_id']]['url']}",
                )
                for value in row["values"]
            ],
        )


def _way_out(row: Row) -> str:
    received = f"received {when(row['obtained_at'])}, {row['state']}"
    if row["inactive_after"] is None:
        return f"{received}; it goes on, and is kept as long."
    return (
        f"{received}; inactive from {day(row['inactive_after'])} "
        f"({condition(row['inactive_reason'])}), deleted from {day(row['delete_after'])}."
    )


def _said(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)
