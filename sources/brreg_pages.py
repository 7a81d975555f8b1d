"""What Enhetsregisteret's API answers: pages in HAL's form, their events, their entities.

Source: https://data.brreg.no/enhetsregisteret/api/dokumentasjon/no/index.html.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sources.brreg_place import moment_of
from sources.kit.errors import DeliveryRefused

if TYPE_CHECKING:
    from datetime import datetime

ROOT = "https://data.brreg.no/enhetsregisteret/api"
FEED_URL = f"{ROOT}/oppdateringer/enheter"
ENTITIES_URL = f"{ROOT}/enheter"

CHANGES = ("Ukjent", "Ny", "Endring", "Sletting", "Fjernet")
"""What the change feed says of an entity."""
DELETED, REMOVED = "Sletting", "Fjernet"
"""It ended, and still answers; it was removed for legal reasons, and copies must erase it."""

_ERRORS = frozenset({"error", "errors", "feilmelding"})
"""What an answer that failed says of it, whatever stands beside."""
_NUMBER = re.compile(r"[0-9]{9}")
_THING = "Enhetsregisteret's API"


@dataclass(frozen=True)
class Change:
    """One event of the feed: its id, when (UTC), whose number, and which of `CHANGES` happened."""

    event_id: int
    at: datetime
    number: str
    kind: str


def is_number(text: str | None) -> bool:
    """Whether it has the form of an organisation number: nine digits."""
    return _NUMBER.fullmatch(text or "") is not None


def changes_of(document: Any) -> list[Change]:  # noqa: ANN401 - JSON is any of its types
    """The events of a page of the feed, as they stand; none when it is empty.

    Raises `DeliveryRefused` for an event of a kind that is not published: it could be an erasure.
    """
    try:
        return [_change(event) for event in _listed(document, "oppdaterteEnheter")]
    except (KeyError, TypeError, ValueError, AttributeError):
        raise refused("its change feed is not of the published shape") from None


def total_of(document: Any) -> int | None:  # noqa: ANN401 - JSON is any of its types
    """How many there are on all pages together, where the page says so."""
    page = document.get("page") if isinstance(document, dict) else None
    total = page.get("totalElements") if isinstance(page, dict) else None
    return total if isinstance(total, int) else None


def entities_of(document: Any) -> list[dict[str, Any]]:  # noqa: ANN401 - JSON is any of its types
    """The entities of a page of a search, each with a number; none when it found nothing."""
    found = _listed(document, "enheter")
    if not all(isinstance(one, dict) and is_number(number_of(one)) for one in found):
        raise refused("a page of its search holds something without an organisation number")
    return found


def number_of(entity: Any) -> str | None:  # noqa: ANN401 - JSON is any of its types
    """The number of an entity or event without blanks, None where there is none."""
    stated = entity.get("organisasjonsnummer") if isinstance(entity, dict) else None
    is_written = isinstance(stated, str | int) and not isinstance(stated, bool)
    return re.sub(r"\s", "", str(stated)) if is_written else None


def refused(cause: str) -> DeliveryRefused:
    """The refusal of an answer; nothing of its delivery is loaded."""
    return DeliveryRefused(
        _THING, cause, "Nothing of it was loaded. Try again, or tell Brønnøysund"
    )


def _change(event: dict[str, Any]) -> Change:
    number, kind = number_of(event), event["endringstype"]
    if kind not in CHANGES:
        raise refused("its change feed names a kind of event that is not published")
    if number is None or not is_number(number):
        raise ValueError
    return Change(int(event["oppdateringsid"]), moment_of(event["dato"]), number, kind)


def _listed(document: Any, name: str) -> list[Any]:  # noqa: ANN401 - JSON is any of its types
    """What a page lists under the name; a page that has found nothing has no `_embedded`."""
    is_page = isinstance(document, dict) and bool({"page", "_embedded"} & {*document})
    if not is_page or _ERRORS & {*document}:
        raise refused("it does not answer with a page; it may have answered with an error")
    embedded = document.get("_embedded", {})
    found = embedded.get(name, []) if isinstance(embedded, dict) else None
    if not isinstance(found, list):
        raise refused("a page of it is not of the published shape")
    return found
