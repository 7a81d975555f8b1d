"""`status`: what is held, how old it is, what is due and what went wrong, on one page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from flows.cli.call import call_of, epilog
from flows.cli.catalogue import freshness
from flows.cli.drift_page import show_drift
from flows.cli.words import counted, listed, when

if TYPE_CHECKING:
    from flows.cli.paper import Paper

_DUE_WORDS = {
    "companies": ("company", "companies"),
    "personal_values": ("personal value", None),
    "own_rows": ("row of your own lists", "rows of your own lists"),
    "quarantined_rows": ("quarantined row", None),
}


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog=epilog("status --json"))(status)


def status(context: typer.Context) -> None:
    """Show what is held, how fresh it is, what retention has due, and what went wrong."""
    from flows.status_steps import status as state_of

    call = call_of(context)
    with call.ready_house() as house:
        found = state_of(house)
    call.answer(found, lambda page: _show(page, found))


def _show(page: Paper, found: dict[str, Any]) -> None:
    companies = found["companies"]
    held = companies["active"] + companies["inactive"]
    page.title(f"sourcenote on {when(found['as_of'])}")
    if found["is_example"]:
        page.warn("EXAMPLE configuration: nothing here has been approved by anyone.")
    if held:
        page.say(
            f"{counted(held, 'company', 'companies')} held: {companies['active']:,} active, "
            f"{companies['inactive']:,} inactive. {counted(found['stops'], 'entry', 'entries')} "
            "on the do-not-contact list."
        )
    if not any(entry["last_delivery"] for entry in found["sources"]):
        page.say("Nothing loaded yet: run `sourcenote ingest gleif`.")
    _show_own_lists(page, found["own_lists"])
    _show_sources(page, found["sources"], {run["source_id"] for run in found["troubled_runs"]})
    _show_unusual(page, found)
    _show_retention(page, found["retention"])
    _show_service(page, found["service"])
    _show_troubles(page, found)


def _show_own_lists(page: Paper, lists: dict[str, dict[str, int]]) -> None:
    """Write what is held of the owner's own lists, where there is anything."""
    held = {code: count for code, count in lists.items() if any(count.values())}
    parts = [
        f"{code} {count['active']:,} active, {count['inactive']:,} inactive"
        for code, count in held.items()
    ]
    if parts:
        page.say(f"Of your own lists: {'; '.join(parts)}.")


def _show_service(page: Paper, service: dict[str, Any]) -> None:
    """Write when each line of the schedule is due; what was missed stands in words."""
    page.heading("Schedule (UTC)")
    if not service["is_up"]:
        page.say("The standing service is not up: `sourcenote up` starts it.", indent=2)
    page.table(
        ("line", "next due", "last run", "ended as", "missed"),
        [
            (
                line["name"],
                when(line["next_due_at"]),
                when(line["last_run_at"]),
                line["last_run_state"] or "-",
                f"since {when(line['last_due_at'])}" if line["is_missed"] else "-",
            )
            for line in service["schedule"]
        ],
    )


def _show_sources(page: Paper, entries: list[dict[str, Any]], troubled: set[str | None]) -> None:
    """Write what arrived; a refused delivery only where its run is not told of below."""
    page.heading("Sources")
    page.table(
        ("source", "last delivery", "freshness", "records", "quarantine: alarming", "known"),
        [
            (
                entry["source_id"],
                _delivery(entry["last_delivery"]),
                freshness(entry),
                f"{entry['records']:,}",
                f"{entry['quarantine']['alarming']:,}",
                f"{entry['quarantine']['known']:,}",
            )
            for entry in entries
        ],
        numbers=("records", "quarantine: alarming", "known"),
    )
    _show_registers(page, [entry for entry in entries if entry["joins"]])
    for entry in entries:
        refused = entry["refused_since"]
        if refused and entry["source_id"] not in troubled:
            page.warn(
                f"{entry['source_id']}: the delivery received {when(refused['retrieved_at'])} "
                f"was refused: {refused['reason']}",
                indent=2,
            )


def _show_registers(page: Paper, entries: list[dict[str, Any]]) -> None:
    """Write what the national registers bring, and which of them we have not reached in time."""
    if not entries:
        return
    page.heading("National registers")
    page.table(
        ("register", "contact points", "joined by number", "without an LEI", "ambiguous"),
        [
            (
                entry["source_id"],
                f"{entry['contact_points']:,}",
                f"{entry['joins']['joined']:,}",
                f"{entry['joins']['without_lei']:,}",
                f"{entry['joins']['ambiguous']:,}",
            )
            for entry in entries
        ],
        numbers=("contact points", "joined by number", "without an LEI", "ambiguous"),
    )
    for entry in entries:
        if entry["overdue_since"]:
            page.warn(
                f"{entry['source_id']} was last reached {when(entry['last_reached_at'])} and has "
                f"been due since {when(entry['overdue_since'])}. Nothing is made inactive for it.",
                indent=2,
            )


def _show_unusual(page: Paper, found: dict[str, Any]) -> None:
    """Write what has vanished, and how a source's last delivery differs from its earlier ones."""
    for source, count in found["vanished"].items():
        records = counted(count, "record")
        page.say(f"{source}: {records} held that its publisher no longer lists.", indent=2)
    for source, drift in found["drift"].items():
        if drift:
            page.warn(f"{source}: the last delivery is unlike the ones before it.", indent=2)
        show_drift(page, drift)


def _delivery(delivery: dict[str, Any] | None) -> str:
    if delivery is None:
        return "-"
    return f"{delivery['kind']}, received {when(delivery['retrieved_at'])}"


def _show_retention(page: Paper, retention: dict[str, Any]) -> None:
    page.heading("Retention")
    to_deactivate = _amounts(retention["deactivate_due"])
    to_delete = _amounts(retention["delete_due"])
    page.say(
        f"To make inactive: {to_deactivate}. "
        + ("Run `sourcenote deactivate`." if any(retention["deactivate_due"].values()) else ""),
        indent=2,
    )
    page.say(
        f"To delete: {to_delete}. "
        + ("Run `sourcenote delete`." if any(retention["delete_due"].values()) else ""),
        indent=2,
    )
    if retention["overdue"]:
        page.warn(f"Overdue: {_amounts(retention['delete_overdue'])}.", indent=2)
    else:
        page.say("Overdue: nothing.", indent=2)


def _amounts(due: dict[str, int]) -> str:
    parts = [counted(count, *_DUE_WORDS[name]) for name, count in due.items() if count]
    return listed(parts) if parts else "nothing"


def _show_troubles(page: Paper, found: dict[str, Any]) -> None:
    if not found["troubled_runs"] and not found["unfinished_exports"]:
        return
    page.heading("Needs a look")
    for run in found["troubled_runs"]:
        of = f" of {run['source_id']}" if run["source_id"] else ""
        why = f": {run['message']}" if run["message"] else ""
        state = (
            "is running, or ended with its process" if run["state"] == "running" else run["state"]
        )
        page.say(f"{run['flow']}{of}, started {when(run['started_at'])}: {state}{why}", indent=2)
    for export in found["unfinished_exports"]:
        page.say(
            f"list {export['export_id']} ({export['segment']}) of {when(export['created_at'])} "
            "was not finished; the next export of any list finishes or removes it",
            indent=2,
        )
