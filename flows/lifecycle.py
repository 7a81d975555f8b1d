"""active → inactive → gone: what the two lifecycle flows do, as plain functions."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from flows.afterwards import clean_up_erased, sweep_received
from flows.deliver import card_of
from flows.ledger import ledger_run
from flows.lifecycle_act import act_of
from sources.kit.catalogue import catalogue
from sources.kit.own_lists import own_lists as own_lists_known
from warehouse import migrate, runs
from warehouse.engine import reading, sole_writer, writing
from warehouse.privacy import deletion, erased_bytes, landing_files, own_lists, retention
from warehouse.privacy.contact_retention import count as count_contacts

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

    from flows.house import House
    from warehouse.privacy.deletion_words import Due
    from warehouse.privacy.own_lists import Move as OwnMove
    from warehouse.privacy.own_lists import OwnDue
    from warehouse.privacy.retention_companies import Move

    Tell = Callable[[str, int, int | None], None]

_NEVER_KEPT = "P0D"
_SHOWN = 1000
"""Entries a dry run lists in full; the counts are always of all."""


def deactivate(house: House, as_of: date | None = None, *, dry_run: bool = False) -> dict[str, Any]:
    """Make inactive what its policy row says, and active again what its register restored.

    A dry run lists each company with the condition and the date; `as_of` another day is a look
    at it and never acts.
    """
    migrate.check(house.engine)
    day = as_of or house.now().date()
    if dry_run or day != house.now().date():
        with reading(house.engine) as connection:
            planned = retention.plan_moves(connection, house.settings.retention, day)
            own = own_lists.plan_moves(connection, house.settings.retention, house.keys, day)
        return _moves_report(planned, own, is_dry_run=True)
    with sole_writer(house.engine), ledger_run(house, "deactivate") as ledger:
        with writing(house.engine) as connection:
            planned = retention.plan_moves(connection, house.settings.retention, day)
            retention.apply_moves(
                connection,
                house.settings.retention,
                planned,
                actor=runs.actor(house.engine),
                now=house.now(),
            )
            own = own_lists.plan_moves(connection, house.settings.retention, house.keys, day)
            own_lists.apply_moves(connection, own, actor=runs.actor(house.engine), now=house.now())
        report = _moves_report(planned, own, is_dry_run=False)
        ledger.counts = report["counts"]
        return report


def delete(
    house: House,
    as_of: date | None = None,
    *,
    dry_run: bool = False,
    confirm: bool = False,
    tell: Tell | None = None,
) -> dict[str, Any]:
    """Delete what is inactive and past its date; refuse past the cap unless confirmed.

    One company goes all-or-none over every table; files and the database's own bytes follow.
    """
    migrate.check(house.engine)
    day = as_of or house.now().date()
    if dry_run or day > house.now().date():
        with reading(house.engine) as connection:
            found = deletion.due(connection, day)
            own = own_lists.due(connection, day)
            aside = deletion.aside_due(connection, house.settings.retention, day)
        return _deletion_report(found, own, day, aside, {}, is_dry_run=True)
    with sole_writer(house.engine), ledger_run(house, "delete") as ledger:
        with reading(house.engine) as connection:
            found = deletion.due(connection, day)
            own = own_lists.due(connection, day)
            if not confirm:
                deletion.check_cap(connection, found, house.settings.deletion_cap)
                own_lists.check_cap(own, house.settings.deletion_cap)
        report = _delete(house, found, own, day, ledger.run_id, tell)
        ledger.counts = report["counts"]
        return report


def _delete(
    house: House,
    found: list[Due],
    own: list[OwnDue],
    day: date,
    run_id: int,
    tell: Tell | None,
) -> dict[str, Any]:
    """Rows, files, and then the bytes they were, also those of a run that died before that."""
    act = act_of(house)
    rows = deletion.delete(
        house.engine,
        found,
        act,
        progress=None if tell is None else lambda done, of: tell("deleted", done, of),
    )
    for table, gone in own_lists.delete(house.engine, own, act).items():
        rows[table] = rows.get(table, 0) + gone
    aside = deletion.delete_aside(house.engine, house.settings.retention, act, day)
    swept = sum(
        sweep_received(house, source_id, is_refused_kept=False) for source_id in catalogue()
    )
    aside["landing_file"] = swept + landing_files.remove_due(
        house.engine, house.landing_root, day, _landing_periods(house)
    )
    house.landing.sweep_partials(house.now())
    clean_up_erased(house)
    if found or own or any(aside.values()) or not runs.ended_well(house.engine, "delete", run_id):
        erased_bytes.clean_up_bytes(house.engine)
    return _deletion_report(found, own, day, aside, rows, is_dry_run=False)


def _landing_periods(house: House) -> dict[str, str]:
    """How long each source's bytes are kept, by its card or [sources.ID] landing_retention.

    The owner's own files stay where they are: no copy of them is ever landed.
    """
    periods = {source_id: card_of(house, source_id).landing_retention for source_id in catalogue()}
    return periods | {own.source_id: _NEVER_KEPT for own in own_lists_known().values()}


def _moves_report(
    planned: retention.Plan, own: list[OwnMove], *, is_dry_run: bool
) -> dict[str, Any]:
    return {
        "dry_run": is_dry_run,
        "as_of": planned.as_of.isoformat(),
        "counts": {
            "deactivated": len(planned.deactivated),
            "reactivated": len(planned.reactivated),
            "rescheduled": len(planned.rescheduled),
            "personal_values": planned.personal_values,
            "contact_points": count_contacts(planned.contacts),
            **_own_counts(own),
        },
        "loud_skips": list(planned.loud_skips),
        "deactivated": [_plain(move) for move in planned.deactivated[:_SHOWN]],
        "reactivated": [_plain(move) for move in planned.reactivated[:_SHOWN]],
        "own_lists": [_plain(move) for move in own[:_SHOWN]],
    }


def _own_counts(own: list[OwnMove]) -> dict[str, int]:
    """Rows of the owner's lists by what happens to them; nothing where nothing does."""
    return dict(Counter(f"own_rows_{move.kind}" for move in own))


def _deletion_report(
    found: list[Due],
    own: list[OwnDue],
    day: date,
    aside: dict[str, int],
    rows: dict[str, int],
    *,
    is_dry_run: bool,
) -> dict[str, Any]:
    companies = [item for item in found if item.field is None]
    return {
        "dry_run": is_dry_run,
        "as_of": day.isoformat(),
        "counts": {
            "companies": len(companies),
            "personal_values": len(found) - len(companies),
            **Counter(item.list_code for item in own),
            **aside,
        },
        "rows_deleted": rows,
        "due": [_plain(item) for item in found[:_SHOWN]],
        "own_lists_due": [_plain(item) for item in own[:_SHOWN]],
    }


def _plain(item: Move | Due | OwnMove | OwnDue) -> dict[str, Any]:
    """An entry as JSON values; opaque ids, conditions and dates only."""
    values = asdict(item)
    return {
        name: value.isoformat() if hasattr(value, "isoformat") else value
        for name, value in values.items()
        if name not in {"record_ids", "was"}
    }
