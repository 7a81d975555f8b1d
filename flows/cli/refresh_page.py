"""The page of `refresh`: what became of each LEI, field by field where it changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flows.cli.explain_words import full_label
from flows.cli.words import counted, listed, when

if TYPE_CHECKING:
    from flows.cli.paper import Paper

_SAID = {
    "unchanged": "unchanged",
    "new": "new: it was not held before",
    "stale": "stale: what is held is newer than the answer",
    "superseded": "superseded by another row of the same answer",
    "out_of_scope": "out of scope (countries, or due for deletion on arrival): not taken",
    "suppressed": "suppressed: on the do-not-contact list, not taken",
    "not_found": "not found at GLEIF",
    "not_asked": "not asked: the run ended before",
}
_SAID_BY_REGISTER = {
    "not_found": "the register does not know this number",
    "erased": "removed by the register for good: what it brought is deleted here too",
    "quarantined": "quarantined: see `sourcenote quarantine list`",
    "not_asked": "not refreshed",
}


def show(page: Paper, found: dict[str, Any]) -> None:
    """Write the report of a refresh."""
    number = counted(found["counts"]["leis"], "LEI")
    dry = " (dry run: nothing was written)" if found["is_dry_run"] else ""
    page.title(f"{number} asked for at GLEIF{dry}")
    page.facts(
        [
            (name.replace("_", " "), f"{count:,}")
            for name, count in found["counts"].items()
            if name != "leis"
        ]
    )
    for answer in found["answers"]:
        _show_one(page, answer, found["quarantine_rules"])
    for register in found["registers"]:
        _show_register(page, register)
    for delivery in found["deliveries"]:
        numbered = f"delivery {delivery['delivery_id']}" if delivery["delivery_id"] else "answer"
        page.say(
            f"{numbered}: {delivery['url']}, published {when(delivery['published_at'], 'never')}"
        )
    if found["unknown_names"]:
        page.warn(f"Names never heard of, dropped: {listed(found['unknown_names'])}")
    if found["error"]:
        error = found["error"]
        page.warn(f"It ended early: {error['thing']}: {error['cause']}. {error['cure']}.")
    if found["failed"]:
        page.warn(f"Not refreshed in full: {listed(found['failed'])}. The rest is as told above.")


def _show_one(page: Paper, answer: dict[str, Any], meanings: dict[str, str]) -> None:
    lei, outcome = answer["lei"], answer["outcome"]
    if outcome == "quarantined":
        page.warn(f"{lei}: quarantined")
        for rule in answer["rules"]:
            page.say(f"{rule}: {meanings[rule]}", indent=2)
    elif outcome != "changed":
        page.say(f"{lei}: {_SAID[outcome]}")
    elif answer["has_kept_apart"]:
        page.say(f"{lei}: changed in particulars that are kept apart and not shown here")
    else:
        page.heading(f"{lei}: changed")
        page.table(
            ("what", "before", "after"),
            [
                (
                    full_label(change["field"]),
                    change["before"] or "(nothing)",
                    change["after"] or "(nothing)",
                )
                for change in answer["changes"]
            ],
        )


def _show_register(page: Paper, register: dict[str, Any]) -> None:
    """Write what one national register said, and where it said nothing."""
    source_id = register["source_id"]
    page.heading(f"At {source_id}")
    for answer in register["answers"]:
        said = _SAID_BY_REGISTER.get(answer["outcome"]) or _SAID.get(answer["outcome"], "changed")
        page.say(f"{answer['source_key']} ({answer['lei']}): {said}", indent=2)
        for change in answer["changes"]:
            before, after = change["before"] or "(nothing)", change["after"] or "(nothing)"
            page.say(f"{full_label(change['field'])}: {before}, now {after}", indent=4)
        for kind, count in answer["contacts"].items():
            page.say(f"{kind}: {count['came']} came, {count['went']} went", indent=4)
    if register["error"]:
        error = register["error"]
        how = "ended early" if register["is_set_up"] else "was not asked"
        page.warn(
            f"{source_id} {how}: {error['thing']}: {error['cause']}. {error['cure']}.",
            indent=2,
        )
