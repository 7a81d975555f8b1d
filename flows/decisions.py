"""Which of the owner's decisions an export still lacks, and what the example may not do."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from sources.kit.countries import EEA_COUNTRIES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import date

    from flows.settings import Settings
    from sources.kit.policy import Assessment, Recipient

EXAMPLE = "EXAMPLE"
PUBLIC_CATEGORY = 4  # persons found in a public database: the only ones registers create


def missing_decisions(
    settings: Settings,
    purpose: str,
    recipient: str,
    on: date,
    *,
    channel: str = "post",
    person_category: int = PUBLIC_CATEGORY,
) -> list[str]:
    """Return each of the owner's decisions that this export needs and lacks on that day.

    Every line names the table and key to fill in. An empty list means that nothing stands in the
    way of the export as a whole; single rows are judged by the gates.
    """
    return [
        *_about_the_house(settings, on),
        *_about_purpose(settings, purpose),
        *_about_assessment(settings, purpose, person_category, on),
        *_about_recipient(settings, recipient, purpose, on),
        *_about_channel(settings, channel, on),
        *_about_stores(settings),
        *example_violations(settings),
    ]


def example_violations(
    settings: Settings,
    source_base_urls: Mapping[str, str] | None = None,
) -> list[str]:
    """Return what the example configuration may not do: its links and sources must be local.

    `source_base_urls` is where each source would be asked, by source id, after every override.
    Empty under a configuration that is no example (privacy/channel-rules).
    """
    if not settings.is_example:
        return []
    why = "must be on this machine (127.0.0.1) while anything is accepted by EXAMPLE"
    configured = {
        source_id: row.base_url for source_id, row in settings.sources.items() if row.base_url
    }
    asked = {**configured, **(source_base_urls or {})}
    lines = [
        f"[sources.{key}] base_url {why}" for key, url in asked.items() if not is_local_url(url)
    ]
    if settings.links and not is_local_url(settings.links.base_url):
        lines.append(f"[links] base_url {why}")
    return lines


def is_local_url(url: str) -> bool:
    """Say whether a web address is on this machine's loopback, by host and not by looks."""
    try:
        host = urlsplit(url).hostname or ""
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _about_the_house(settings: Settings, on: date) -> Iterator[str]:
    needed = {"controller": settings.controller, "policy": settings.policy, "links": settings.links}
    for table, decided in needed.items():
        label = f"[{table}]"
        if decided is None:
            yield f"{label} {_blanks(settings, label) or 'is not filled in'}"
    if settings.policy and settings.policy.valid_from > on:
        yield f"[policy] valid_from: the policy is not in force on {on}"


def _about_purpose(settings: Settings, purpose: str) -> Iterator[str]:
    label = f"[[purpose]] {purpose}"
    if all(row.id != purpose for row in settings.purpose):
        yield f"{label} {_blanks(settings, label) or 'is not there: name it and word it'}"


def _about_assessment(
    settings: Settings,
    purpose: str,
    category: int,
    on: date,
) -> Iterator[str]:
    if settings.approved_assessment(purpose, category, on):
        return
    label = f"[[assessment]] {purpose}, person_category {category}"
    held = [r for r in settings.assessment if (r.purpose, r.person_category) == (purpose, category)]
    reason = _why_not_in_force(held[-1], on) if held else "is not there: write and approve one"
    yield f"{label} {_blanks(settings, label) or reason}"


def _why_not_in_force(row: Assessment, on: date) -> str:
    if on < row.approved_on:
        return f"approved_on: it is not approved yet on {on}"
    return f"expires_on: it has expired by {on}; renew it"


def _about_recipient(
    settings: Settings,
    recipient: str,
    purpose: str,
    on: date,
) -> Iterator[str]:
    label = f"[[recipient]] {recipient}"
    row = next((row for row in settings.recipient if row.id == recipient), None)
    if row is None:
        yield f"{label} {_blanks(settings, label) or 'is not there: enter who receives the list'}"
        return
    if purpose not in row.purposes:
        yield f"{label} purposes: {purpose} is not among them"
    if row.kind == "authority":
        yield f"{label} kind: an authority receives through `sourcenote disclose`, not a list"
    yield from _about_contract(row, label, on)
    if row.country not in EEA_COUNTRIES and row.transfer_basis is None:
        yield f"{label} transfer_basis: needed outside the EEA"


def _about_contract(row: Recipient, label: str, on: date) -> Iterator[str]:
    if row.kind in {"processor", "partner"}:
        if row.contract_until is None:
            yield f"{label} contract_until: no contract is on record"
        elif row.contract_until < on:
            yield f"{label} contract_until: the contract has ended by {on}"


def _about_channel(settings: Settings, channel: str, on: date) -> Iterator[str]:
    rules = [rule for rule in settings.channel_rule if rule.channel == channel]
    if any(rule.effective(on) != "forbidden" for rule in rules):
        return
    # One line a country would bury the other decisions; any one of them opens the channel.
    first = next((rule for rule in rules if rule.outcome != "forbidden"), None)
    if first is None:
        yield f"[[channel_rule]] there is none for {channel} that permits anything"
        return
    name = f"[[channel_rule]] {first.country} {channel} {first.recipient_kind}"
    state = "is not in force" if first.accepted_by else "is not accepted (accepted_by, accepted_on)"
    yield f"{name} {state}, nor is any other rule for {channel} in force on {on}"


def _about_stores(settings: Settings) -> Iterator[str]:
    open_stores = [label for label in settings.undecided if label.startswith("[[store]]")]
    for label in open_stores:
        yield f"{label} {_blanks(settings, label)}"
    if not settings.store and not open_stores:
        yield "[[store]] is not there: enter every place where data rests"
    for row in settings.store:
        if row.country not in EEA_COUNTRIES and row.transfer_basis is None:
            yield f"[[store]] {row.id} transfer_basis: needed outside the EEA"


def _blanks(settings: Settings, label: str) -> str:
    keys = settings.undecided.get(label, ())
    return f"{', '.join(keys)}: still to be filled in" if keys else ""
