"""The manifest: who made which list when for whom, what it holds and what it left out."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from checks.departures import REASONS
from flows.decisions import EXAMPLE
from flows.export_terms import rules_used
from sources.kit.errors import Refused
from sources.kit.period import add_to_date
from warehouse.privacy.retention import policy

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from checks.departures import Departures
    from flows.export_job import Job, Judged
    from flows.settings import Settings
    from sources.kit.policy import ChannelRule

Manifest = dict[str, Any]

NOTHING_SELECTED = 3
"""Exit code of a list without rows: done, and nobody was left to write to."""


def manifest_of(settings: Settings, job: Job, judged: Judged, selected: int) -> Manifest:
    """What a dry run and a list have in common; selected and excluded are all candidates."""
    departures, request, today = judged.departures, job.request, job.now.date()
    _check_sum(departures, selected)
    recipient = job.decided.recipient
    used = {*judged.countries, job.decided.controller.country}
    kept = policy(settings.retention, "export").delete_after_inactive
    excluded = {reason: departures.excluded[reason] for reason in REASONS}
    return {
        "created_at": job.now.replace(microsecond=0).isoformat(),
        "actor": job.actor,
        "segment": request.segment,
        "filter": job.selection.filter(),
        "channel": request.channel,
        "format": request.format,
        "purpose": request.purpose,
        "recipient": {"id": recipient.id, "name": recipient.name, "kind": recipient.kind},
        "candidates": departures.candidates,
        "selected": selected,
        "excluded": {reason: count for reason, count in excluded.items() if count},
        "by_channel": _by_channel(request.channel, selected, judged.by_post),
        "protection_recheck": [one.as_json() for one in judged.rechecks],
        "undeliverable": dict(sorted(departures.undeliverable.items())),
        "channel_rules": [
            _rule(rule, today) for rule in rules_used(settings, request.channel, used)
        ],
        "policy_version": job.decided.policy.version,
        "configuration": EXAMPLE if settings.is_example else None,
        "expires_on": add_to_date(today, kept).isoformat(),
        "signature": None,  # comes with `export verify`
    }


def completed(
    manifest: Manifest, export_id: str, languages: Sequence[str], listed: Sequence[dict[str, Any]]
) -> Manifest:
    """The manifest of a list that exists: its number, its notices by language, its files."""
    by_language = dict(sorted(Counter(languages).items()))
    return {
        "export_id": export_id,
        **manifest,
        "notices": {"complete": len(languages), "languages": by_language},
        "files": list(listed),
    }


def exit_code(manifest: Manifest) -> int:
    """0 for a list with rows, 3 for an empty one."""
    return 0 if manifest["selected"] else NOTHING_SELECTED


def counts(manifest: Manifest) -> dict[str, int]:
    """The manifest's figures for the run ledger and the audit trail."""
    excluded = {f"excluded_{reason}": count for reason, count in manifest["excluded"].items()}
    return {"candidates": manifest["candidates"], "selected": manifest["selected"], **excluded}


def _rule(rule: ChannelRule, on: date) -> dict[str, Any]:
    return {
        "country": rule.country,
        "recipient_kind": rule.recipient_kind,
        "outcome": rule.effective(on),
        "version": rule.version,
        "verified": rule.verified,
        "accepted_by": rule.accepted_by,
        "expires_on": rule.expires_on.isoformat() if rule.expires_on else None,
    }


def _by_channel(channel: str, selected: int, by_post: int | None) -> dict[str, int]:
    """How many this channel reaches, and letters beside it: `0 by e-mail, 1,284 by post`."""
    return {channel: selected} if by_post is None else {channel: selected, "post": by_post}


def _check_sum(departures: Departures, selected: int) -> None:
    outcomes = selected + departures.excluded.total()
    if outcomes != departures.candidates:
        raise Refused(
            "export",
            f"{departures.candidates} candidates have {outcomes} outcomes",
            "Nothing was exported. This is a fault of sourcenote: report it with these figures",
        )
