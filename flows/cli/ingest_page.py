"""The page of `ingest`: every row in has one outcome, and the outcomes add up."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from flows.cli.drift_page import show_drift
from flows.cli.words import counted, listed, when

if TYPE_CHECKING:
    from flows.cli.paper import Paper

_OUTCOMES = {
    "records_new": "new",
    "records_changed": "changed",
    "records_unchanged": "unchanged",
    "records_stale": "stale (older than what is held)",
    "records_superseded": "superseded (an earlier event on a key in the same delivery)",
    "records_retracted": "retracted by the publisher",
    "records_out_of_scope": "out of scope (countries, or due for deletion on arrival)",
    "records_quarantined": "quarantined",
    "records_suppressed": "suppressed (on the do-not-contact list, not taken)",
}
_BESIDE = {
    "records_vanished": "records held that this full file no longer lists",
    "records_minimised": "natural persons kept as a skeleton (among the above)",
}
_TOLD = {
    "mended": "mended: written otherwise than meant, and read by a listed repair",
    "kept_out": "kept out: not a contact point that can be used",
    "dropped": "dropped before anything was stored",
}
"""How the names in `told` begin; what follows is what happened, or to what."""
_STATES = {
    "loaded": "loaded",
    "unchanged": "unchanged: nothing in it differs from what is held",
    "up_to_date": "up to date: nothing newer is published",
    "planned": "planned only (dry run): nothing was fetched or written",
}


def show(page: Paper, document: dict[str, Any]) -> None:
    """Write the report of one ingest, or of several."""
    for found in document.get("ingests", [document]):
        if "error" in found:
            error = found["error"]
            page.warn(f"{found['source_id']} was refused: {error['thing']}: {error['cause']}")
            page.say(f"{error['cure']}.", indent=2)
        else:
            _show_one(page, found)


def _show_one(page: Paper, found: dict[str, Any]) -> None:
    page.title(f"{found['source_id']}: {_STATES.get(found['status'], found['status'])}")
    page.facts(_facts(found))
    counts = found["counts"]
    if found.get("plan"):
        _show_plan(page, found["plan"])
    if "records_in" in counts:
        _show_outcomes(page, counts)
    elif counts and not found.get("plan"):
        page.facts([(name.replace("_", " "), f"{value:,}") for name, value in counts.items()])
    _show_quarantined(page, found)
    if found["notes"]:
        page.heading("Noted, and loaded all the same")
        page.table(
            ("rule", "rows"),
            [(rule, f"{rows:,}") for rule, rows in found["notes"].items()],
            numbers=("rows",),
        )
    _show_told(page, found.get("told") or {})
    _show_recalls(page, found.get("recalls") or [])
    show_drift(page, found.get("drift", ()))
    if found["unknown_columns"]:
        page.warn(f"Columns never heard of, dropped: {listed(found['unknown_columns'])}")
    if found["care_of_lines"]:
        lines = counted(found["care_of_lines"], "care-of line")
        page.say(f"{lines} that may name a person: kept apart, in no list.")


def _show_plan(page: Paper, plan: dict[str, Any]) -> None:
    """What is held, how far behind that is, which file closes the gap, and which do not and why."""
    held, gap = plan["held_published_at"], plan["gap_hours"]
    facts: list[tuple[str, object]] = [
        ("held", when(datetime.fromisoformat(held) if held else None, "nothing"))
    ]
    if gap is not None and gap > 0:
        facts.append(("behind by", f"{gap:,.4g} hours"))
    if plan["window"]:
        facts.append(("file", f"{plan['window']}: {plan['url']}"))
    facts += [(f"{unit} listed", f"{plan[unit]:,}") for unit in ("bytes", "records") if plan[unit]]
    page.facts(facts)
    if plan["windows_refused"]:
        page.heading("Deltas not taken")
        page.table(
            ("window", "why"),
            [(refused["window"], refused["reason"]) for refused in plan["windows_refused"]],
        )


def _facts(found: dict[str, Any]) -> list[tuple[str, object]]:
    facts: list[tuple[str, object]] = [("why", found["reason"]), ("kind", found["kind"])]
    stated = found["published_at"]
    published = datetime.fromisoformat(stated) if stated else None
    facts.append(("published", when(published, "not stated")))
    if found.get("url"):
        facts += [
            ("where from", found["url"]),
            ("received", when(found["retrieved_at"])),
            ("bytes", f"{found['byte_count']:,}"),
            ("SHA-256", found["sha256"]),
            ("delivery", found["delivery_id"]),
        ]
    return facts


def _show_outcomes(page: Paper, counts: dict[str, int]) -> None:
    rows = [
        (words, f"{counts.get(name, 0):,}") for name, words in _OUTCOMES.items() if counts.get(name)
    ]
    total = sum(counts.get(name, 0) for name in _OUTCOMES)
    rows.append(("rows in, each counted once", f"{counts['records_in']:,}"))
    page.table(("outcome", "rows"), rows, numbers=("rows",))
    if total != counts["records_in"]:
        page.warn(f"These do not add up ({total:,}): report this with the delivery's digest.")
    for name, words in _BESIDE.items():
        if counts.get(name):
            page.say(f"{counts[name]:,} {words}.", indent=2)


def _show_quarantined(page: Paper, found: dict[str, Any]) -> None:
    if not found["quarantined_by_rule"]:
        return
    page.heading("Quarantined, by the rule that does not hold")
    page.table(
        ("rule", "asks that", "rows"),
        [
            (rule, found["quarantine_rules"][rule], f"{rows:,}")
            for rule, rows in found["quarantined_by_rule"].items()
        ],
        numbers=("rows",),
    )
    if found["alarming"]:
        page.warn(
            f"{counted(found['alarming'], 'entry', 'entries')} to look at: "
            "`sourcenote quarantine list`.",
            indent=2,
        )
    else:
        page.say("All of them annulled or duplicate LEIs: known, no alarm.", indent=2)


def _show_told(page: Paper, told: dict[str, int]) -> None:
    """Write what became of contact points and other fields on their way; counts, never a value."""
    if not told:
        return
    page.heading("Mended, kept out, dropped")
    rows = []
    for begins, words in _TOLD.items():
        own = {name: count for name, count in told.items() if name.partition(".")[0] == begins}
        if own:
            rows.append((words, f"{sum(own.values()):,}"))
            rows += [
                (f"  {name.partition('.')[2].replace('.', ': ').replace('_', ' ')}", f"{count:,}")
                for name, count in own.items()
            ]
    page.table(("what", "times"), rows, numbers=("times",))


def _show_recalls(page: Paper, recalls: list[dict[str, Any]]) -> None:
    """Write which lists left with companies that their register has since removed for good."""
    if not recalls:
        return
    page.heading("Lists to recall")
    page.warn(
        "Their register has removed these companies for good, and what it brought is deleted here. "
        "Tell the recipients to delete the rows too."
    )
    page.table(
        ("list", "recipient", "company"),
        [
            (
                one["export_id"],
                f"{one['recipient_name']} ({one['recipient']})",
                str(one["company_id"]),
            )
            for one in recalls
        ],
    )
