"""The way to a source's publisher: the session, and what the example configuration allows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flows.deliver import card_of
from flows.settings import example_violations
from sources.kit.catalogue import source
from sources.kit.errors import Refused
from sources.kit.secret import Secret

if TYPE_CHECKING:
    from flows.house import House
    from sources.kit.session import PoliteSession


def session_with(house: House, source_id: str, base_url: str | None) -> PoliteSession:
    """A polite session with the publisher, or with the `base_url` given or configured instead.

    Raises `Refused` before anything is asked when the publisher wants a key and there is none.
    """
    # requests is not light.
    from sources.kit.session import PoliteSession

    return PoliteSession(
        card_of(house, source_id),
        house.now,
        base_url=base_of(house, source_id, base_url),
        secret_query=_secret_query(house, source_id),
    )


def _secret_query(house: House, source_id: str) -> dict[str, Secret]:
    """What the source's addresses are asked with beside what stands in them: its API key."""
    parameter: str | None = getattr(source(source_id), "API_KEY_PARAMETER", None)
    if parameter is None:
        return {}
    key = house.settings.api_keys.get(source_id)
    if key is None:
        configured = house.settings.sources.get(source_id)
        usual = f"SOURCENOTE_{source_id.upper()}_API_KEY"
        variable = (configured.api_key_env if configured else None) or usual
        raise Refused(
            f"API key of {source_id}",
            f"the environment variable {variable} is not set",
            f"Set it to your key for {source(source_id).CARD.base_url}",
        )
    return {parameter: Secret(key.get_secret_value())}


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
