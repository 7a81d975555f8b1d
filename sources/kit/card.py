"""What is known of a publisher before a byte is fetched, and what a fetch is planned and was."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal
from urllib.parse import quote

from sources.kit.errors import DeliveryRefused

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime, timedelta
    from pathlib import Path

PlanKind = Literal["full", "delta", "feed", "up_to_date"]
LandedKind = Literal["full", "delta", "feed", "file", "api"]


@dataclass(frozen=True)
class Card:
    """One publisher's database: who, under which licence, where, and how much is normal.

    `hosts`: the only hosts it is fetched from, over https (`name` or `name:port`).
    `rate`: requests a second at most. `expected_min`, `expected_max`: rows of a full delivery,
    absolute, judged only for downloads from `hosts`; `min_ratio`, `max_ratio`: rows of a full
    delivery against our last full one. More records than `max_vanished`, and than the share
    `max_vanished_share` of those held, never vanish at once unasked. `landing_retention`: ISO 8601
    period for the bytes as received. `authority_codes`: registers (GLEIF RA codes) whose numbers
    this source keys on. `contact_kinds`: what it can bring of `post`, `email`, `phone`, `website`.
    `shape`: what kind of record it brings (`sources.kit.shapes`). `home`: the country (ISO 3166-1)
    whose register it is, None of a register of the whole world. `has_protection_flag`: it publishes
    who is protected from marketing; null is then an unanswered question, not a no.
    `tells_removals`: its feed alone tells what copies must erase, so that no older file may be
    loaded over it.
    """

    source_id: str
    publisher: str
    database_name: str
    licence: str
    licence_url: str
    is_public_database: bool
    record_url_template: str
    homepage: str
    notice_sentence: Mapping[str, str]
    contact_kinds: tuple[str, ...]
    base_url: str
    hosts: tuple[str, ...]
    rate: float
    expected_min: int
    expected_max: int
    min_ratio: float
    max_ratio: float
    landing_retention: str
    authority_codes: tuple[str, ...] = ()
    max_vanished: int = 100
    max_vanished_share: float = 0.01
    shape: str = "entity"
    home: str | None = None
    has_protection_flag: bool = False
    tells_removals: bool = False

    def record_url(self, key: str) -> str:
        """Where a reader finds the publisher's own record on `key`."""
        return self.record_url_template.format(key=quote(key, safe=""))

    def source_sentence(self, language: str, retrieved: str) -> str:
        """Word the source exactly as the notice states it (GDPR Art. 14(2)(f)).

        `retrieved` is a day already written in that language. Raises `KeyError` for a language
        the card has no sentence in: the caller falls back and records it.
        """
        return self.notice_sentence[language].format(
            publisher=self.publisher, database=self.database_name, retrieved=retrieved
        )


@dataclass(frozen=True)
class Held:
    """What the warehouse holds of a source, as far as a plan needs to know it.

    `published_at` is the last publication up to which everything is applied, `record_count` the
    rows of the last full file. `expected_min`, `expected_max`: how many records a full file
    published now should list, before what a delta would bring (None: no full file was applied).
    `refused`: publication and URL of deliveries that were fetched and refused. `position` is the
    place in a change feed up to which everything is applied, in the source's own words (None: it
    has none yet). `full_published_at` is the newest full file's publication. `missing` are numbers
    of the register that another source has told of since the last delivery, and no record is held.
    """

    published_at: datetime | None
    record_count: int | None = None
    expected_min: int | None = None
    expected_max: int | None = None
    refused: tuple[tuple[datetime, str], ...] = ()
    position: str | None = None
    full_published_at: datetime | None = None
    missing: tuple[str, ...] = ()


@dataclass(frozen=True)
class Plan:
    """What a source would fetch now, and why.

    `url` is as published (a session's base_url is applied when it is fetched). `size` is the
    file's length in bytes, `record_count` its rows, both as the publisher states them. `window`
    is the publisher's word for how far back a delta reaches, `reach` the time it means.
    `held_at` is the publication held; `passed_over` names the windows that were not taken, each
    with the reason. `position` is where a feed is read on from, `keys` are looked up beside it.
    """

    source_id: str
    kind: PlanKind
    url: str
    published_at: datetime | None
    size: int | None
    record_count: int | None
    window: str | None
    reason: str
    reach: timedelta | None = None
    held_at: datetime | None = None
    passed_over: tuple[tuple[str, str], ...] = ()
    position: str | None = None
    keys: tuple[str, ...] = ()


@dataclass(frozen=True)
class Landed:
    """A delivery's bytes, received once and kept unaltered at `path`.

    `url` is where they really came from. `member` is the file name the publisher gave the rows,
    where one is known. `record_count` is the publisher's figure, for the loader to hold it to.
    `kind` is `file` for a local file that does not say what it is: a delta of unknown date.
    `reach` is how far back a delta reaches, where that is known, `reason` the plan's. `asked` are
    the keys that an API was asked for (kinds `api` and `feed`): it can be about no others.
    `position` is the feed's place after it. `parts` are files of the same delivery beside `path`,
    which names them.
    """

    path: Path
    sha256: str
    byte_count: int
    url: str
    retrieved_at: datetime
    published_at: datetime | None
    kind: LandedKind
    record_count: int | None
    member: str | None
    is_publisher_host: bool
    reach: timedelta | None = None
    reason: str = ""
    asked: tuple[str, ...] | None = None
    position: str | None = None
    parts: tuple[Path, ...] = ()

    @property
    def is_by_hand(self) -> bool:
        """Whether somebody gave the file, so that its name and date are their word."""
        return self.url.startswith("file:")

    @property
    def name(self) -> str:
        """What the reader knows the file by; the landing calls it by its digest."""
        return self.url.rpartition("/")[2].removeprefix("file:")


@contextmanager
def judging(landed: Landed) -> Iterator[None]:
    """A refusal inside says what it refuses, so that the ledger can name those bytes."""
    try:
        yield
    except DeliveryRefused as refusal:
        refusal.landed = landed
        raise
