"""The page of `explain`: sentences and tables, every value with the number of its source."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flows.cli.explain_ends import show_ends, show_left
from flows.cli.explain_group import show_group
from flows.cli.explain_own import show_own_rows
from flows.cli.explain_registers import (
    show_contacts,
    show_disagreements,
    show_joins,
    show_parted,
    show_protection,
)
from flows.cli.explain_words import (
    PARTS,
    PERSON_RULES,
    full_label,
    label,
    value_in_words,
)
from flows.cli.sentences import stop_sentence
from flows.cli.words import counted, day, when

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flows.cli.paper import Paper

Row = dict[str, Any]


class _Sources:
    """Deliveries numbered in the order they are first named, as footnotes are."""

    def __init__(self) -> None:
        self.origins: dict[tuple[str, int], Row] = {}
        self._pages: dict[tuple[str, int], set[str]] = {}

    def number(self, origin: Row) -> str:
        """The footnote of one origin."""
        key = (origin["source_id"], origin["delivery_id"])
        self.origins.setdefault(key, origin)
        self._pages.setdefault(key, set()).add(origin["record_url"])
        return f"[{list(self.origins).index(key) + 1}]"

    def page(self, origin: Row) -> str:
        """The publisher's page of what the delivery brought; which other ones there are."""
        others = len(self._pages[origin["source_id"], origin["delivery_id"]]) - 1
        more = f", and {counted(others, 'page')} like it, by the LEI of the row" if others else ""
        return f"{origin['record_url']}{more}"

    def numbers(self, value: Row) -> str:
        """The footnotes of a value's origins."""
        return " ".join(self.number(origin) for origin in value["origins"])


def show(page: Paper, found: Row) -> None:
    """Write the whole page."""
    if found["is_as_of_asked"]:
        page.say(
            f"As of {when(found['as_of'])}: what this warehouse said then. What has been deleted "
            "since is in no answer; stops are today's."
        )
    if not found["companies"]:
        _show_absent(page, found)
    for company in found["companies"]:
        _show_company(page, found, company)
    show_parted(page, found["without_company"])
    show_own_rows(page, found["own_lists"])
    _show_rejected(page, found["quarantine"])


def _show_absent(page: Paper, found: Row) -> None:
    kind = found["asked"]["kind"]
    asked = found["asked"].get("value")
    named = {
        "lei": f"LEI {asked}",
        "register": f"Register number {asked}",
        "company": "That company id",
    }
    if found["first_held_at"]:
        page.title(
            f"{named.get(kind, 'That contact')} was not held on {when(found['as_of'])}: it first "
            f"came on {when(found['first_held_at'])}."
        )
    else:
        state = "not held in this warehouse"
        if found["without_company"]:
            state = "held on a register's record that is joined to no company"
        elif found["own_lists"]:
            state = "held in your own lists alone"
        page.title(f"{named.get(kind, 'That contact')} is {state}.")
    page.say(stop_sentence(found["stop"], "it"))
    for dropped in found["dropped_on_arrival"]:
        page.say(
            f"A delivery of {dropped['source_id']} last brought it on "
            f"{when(dropped['last_seen_at'])}; because of the stop it was counted and not taken."
        )
    sources = _Sources()
    for group in found["groups"]:
        if group["leads_to"] or group["led_to_by"] or group["exceptions"] or group["ended"]:
            show_group(page, group, sources.numbers, is_earlier=found["is_as_of_asked"])
            _show_sources(page, sources, [])
    if kind in named:
        page.heading("What left while it was held")
        show_left(page, found["left_earlier"])


def _show_company(page: Paper, found: Row, company: Row) -> None:
    sources = _Sources()
    name = company["name"] or "A natural person, whose name is not kept"
    page.title(f"{name} ({company['country'] or 'country not stated'})")
    lei = f"LEI (Legal Entity Identifier) {company['lei']}, " if company["lei"] else ""
    page.say(
        f"{lei}company {company['company_id']} in this warehouse, "
        f"{company['retention']['state']}. First held on {day(company['first_seen_at'])}, "
        f"last changed on {day(company['last_changed_at'])}."
    )
    _show_person(page, company)
    page.say(stop_sentence(found["stop"], "this company"))
    _show_values(page, company, sources)
    show_joins(page, company["records"])
    show_disagreements(page, company["disagreements"])
    show_protection(page, company["protection"])
    show_contacts(page, company["contact_points"], sources.numbers)
    for group in found["groups"]:
        if group["lei"] == company["lei"]:
            show_group(page, group, sources.numbers, is_earlier=found["is_as_of_asked"])
    _show_changes(page, company["changes"])
    _show_personal(page, company, sources)
    _show_sources(page, sources, company["records"])
    page.heading("Who has received it")
    show_left(page, company["left"])
    show_ends(page, company["retention"], company["personal"])


def _show_person(page: Paper, company: Row) -> None:
    rule = company["person_rule"]
    if company["person_kind"] == "natural" and not company["is_person_by_lead"]:
        why = PERSON_RULES.get(rule, rule)
        page.warn(
            f"A natural person by {company['person_source']}, because {why}; its other records do "
            "not say so. The more careful word counts: it is never put on a list."
        )
    elif company["person_kind"] == "natural":
        why = PERSON_RULES.get(rule, rule)
        page.warn(
            f"A natural person, because {why}. Of natural persons only LEI, country, category, "
            "status and dates are kept here, and none is ever put on a list."
        )
    elif company["person_kind"] == "possible":
        page.warn(
            f"Possibly named after a person (rule: {rule}): kept, and put on no list before "
            "somebody has looked at it."
        )


def _show_values(page: Paper, company: Row, sources: _Sources) -> None:
    page.heading("What is held, and where each value came from")
    page.say("[n] is the source, listed below; dates are those on which we received the value.")
    by_field: dict[str, list[Row]] = {}
    for value in company["values"]:
        by_field.setdefault(value["field"], []).append(value)
    rows: list[Sequence[str]] = [
        _value_row("LEI", value, sources) for value in by_field.get("lei", [])
    ]
    for title, fields in PARTS:
        held = [(field, value) for field in fields for value in by_field.get(field, [])]
        if held:
            rows.append((title, "", "", "", ""))
            rows.extend(_value_row(f"  {label(field)}", value, sources) for field, value in held)
    page.table(("", "value", "source", "first seen", "last seen"), rows)


def _value_row(name: str, value: Row, sources: _Sources) -> tuple[str, ...]:
    field = value.get("field", "")
    if value.get("is_removed"):
        text = "removed by retention"
    elif value["value"] is None:  # a moment whose text cannot be a date
        text = f"not readable as a date: {value['as_published']}"
    else:
        text = value.get("in_words") or value_in_words(field, value["value"])
    return (
        name,
        text,
        sources.numbers(value),
        day(value["first_seen_at"]),
        day(value["last_seen_at"]),
    )


def _show_changes(page: Paper, changes: Sequence[Row]) -> None:
    page.heading("What has changed since it was first held")
    if not changes:
        page.say("Nothing.", indent=2)
        return
    page.table(
        ("received", "what", "before", "after", "delivery"),
        [
            (
                day(change["retrieved_at"]),
                full_label(change["field"]),
                change["old_value"] or "(nothing)",
                change["new_value"] or "(nothing)",
                f"{change['delivery_id']} of {change['source_id']}",
            )
            for change in changes
        ],
    )


def _show_personal(page: Paper, company: Row, sources: _Sources) -> None:
    page.heading("Particulars that name a person, for the privacy duty only")
    if not company["personal"]:
        page.say("None.", indent=2)
        return
    page.say(
        "Kept apart from the company's record, in no list and in no view of analysts.", indent=2
    )
    page.table(
        ("", "value", "source", "obtained", "inactive from", "deleted from"),
        [
            (
                full_label(value["field"]),
                value["value"],
                sources.numbers(value),
                day(value["first_seen_at"]),
                day(value["inactive_after"]),
                day(value["delete_after"]),
            )
            for value in company["personal"]
        ],
    )


def _show_sources(page: Paper, sources: _Sources, records: Sequence[Row]) -> None:
    page.heading("Sources")
    for number, origin in enumerate(sources.origins.values(), 1):
        public = "a public database" if origin["is_public_database"] else "not a public database"
        published = when(origin["published_at"], "on a date that is not stated")
        corrected = origin.get("correction")
        if corrected:
            page.say(
                f"[{number}] Corrected by {origin['publisher']}, not as published: "
                f"{corrected['actor']} on {when(corrected['corrected_at'])}, because: "
                f"{corrected['reason']}. What the publisher says: {origin['record_url']}",
                indent=2,
            )
            continue
        page.say(
            f"[{number}] {origin['database_name']}, published by {origin['publisher']}: {public}, "
            f"licence {origin['licence']}.",
            indent=2,
        )
        page.facts(
            [
                ("published", published),
                ("received", f"{when(origin['retrieved_at'])} from {origin['delivery_url']}"),
                ("delivery", f"{origin['delivery_id']}, SHA-256 {origin['delivery_sha256']}"),
                ("record", sources.page(origin)),
            ],
            indent=6,
        )
    for record in (one for one in records if one["until_at"] is None):
        if record["vanished_at"]:
            page.warn(
                f"{record['database_name']} no longer lists it, since "
                f"{when(record['vanished_at'])}.",
                indent=2,
            )
        elif record["absent_count"]:
            files = counted(record["absent_count"], "full file")
            page.warn(f"{record['database_name']}: missing from the last {files}.", indent=2)


def _show_rejected(page: Paper, rejected: Sequence[Row]) -> None:
    if not rejected:
        return
    page.heading("Rejected rows on this key (quarantine)")
    page.table(
        ("id", "rule that it broke", "first seen", "last seen", "state"),
        [
            (
                row["quarantine_id"],
                f"{row['rule']}: {row['meaning']}",
                day(row["first_seen_at"]),
                day(row["last_seen_at"]),
                row["state"],
            )
            for row in rejected
        ],
    )
    page.say("`sourcenote quarantine show ID` shows such a row.", indent=2)
