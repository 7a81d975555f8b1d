"""The way to a source's publisher: the session, and what the example configuration allows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flows.deliver import card_of
from flows.settings import example_violations
from sources.kit.catalogue import source
from sources.kit.errors import Refused

if TYPE_CHECKING:
    from flows.house import House
    from sources.kit.session import PoliteSession


def session_with(house: House, source_id: str, base_url: str | None) -> PoliteSession:
    """A polite session with the publisher, or with the `base_url` given or configured instead."""
    # requests is not light.
    from sources.kit.session import PoliteSession

    return PoliteSession(
        card_of(house, source_id), house.now, base_url=base_of(house, source_id, base_url)
    )


def base_of(house: House, source_id: str, base_url: str | None) -> str | None:
    """The address to ask instead of the publisher: as given, else as configured, else None."""
    configured = house.settings.sources.get(source_id)
    return base_url or (configured.base_url if configured else None)


def check_example(house: House, source_id: str, base_url: str | None) -> None:
    """Under the example configuration every source must be on this machine."""
    url = base_of(house, source_id, base_url) or source(source_id).CARD.base_url
    broken = example_violations(house.settings, {source_id: url})
    if broken:
        raise Refused(
            "example configuration",
            "; ".join(broken),
            "Give --base-url of a local stand-in, or --file, or write your own configuration "
            "with `sourcenote init`",
        )
