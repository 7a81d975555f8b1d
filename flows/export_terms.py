"""What the gates of one export are held to, gathered from settings, warehouse and notices."""

from __future__ import annotations

from functools import cache, partial
from typing import TYPE_CHECKING

from checks.departures import COOL_OFF, Terms
from checks.departures_gates import RECIPIENT_KINDS
from flows.protection import sources_by_country
from warehouse import exporting, group_heads, own_customers
from warehouse.engine import reading
from warehouse.export_stops import read_stops

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from flows.export_job import Job
    from flows.export_notices import NoticeMaker
    from flows.house import House
    from flows.settings import Settings
    from sources.kit.policy import ChannelRule
    from sources.kit.policy_values import Outcome


def terms_of(house: House, job: Job, maker: NoticeMaker, *, is_asking: bool = False) -> Terms:
    """The job's terms at its moment; `Refused` when the do-not-contact list is not whole."""
    settings, channel = house.settings, job.request.channel
    since = exporting.moment_before(job.now, COOL_OFF)
    with reading(house.engine) as connection:
        stops = read_stops(connection, house.keys)
        return Terms(
            channel=channel,
            sender_country=job.decided.controller.country,
            is_sender_bound="sender" in settings.channel.strictest_of,
            rules=_in_force(settings, channel, job.now.date()),
            flagged=sources_by_country(settings),
            known_sources=exporting.sources_on_record(connection),
            cooling=exporting.approached_since(connection, channel, since),
            is_stopped=stops.covers,
            is_register_stopped=stops.register_check(),
            is_notice_complete=cache(maker.is_complete),
            is_asking=is_asking,
            ours=own_customers.ours(connection, job.now.date()),
            heads_of=partial(_heads_of, house),
        )


def _heads_of(house: House, leis: list[str | None]) -> list[str | None]:
    """The LEI that heads the group of each; asked beside the reading of the candidates."""
    with reading(house.engine) as connection:
        found = group_heads.heads(connection, [lei for lei in leis if lei])
    return [found.get(lei or "") for lei in leis]


def _in_force(settings: Settings, channel: str, on: date) -> dict[str, dict[str, Outcome]]:
    """Recipient kind to country to the outcome that counts on that day."""
    found: dict[str, dict[str, Outcome]] = {}
    for rule in settings.channel_rule:
        if rule.channel == channel:
            found.setdefault(rule.recipient_kind, {})[rule.country] = rule.effective(on)
    return found


def rules_used(settings: Settings, channel: str, countries: Iterable[str]) -> list[ChannelRule]:
    """The rules on legal persons that a list to these countries rests on."""
    found = (
        settings.rule(country, channel, RECIPIENT_KINDS[channel])
        for country in sorted(set(countries))
    )
    return [rule for rule in found if rule is not None]
