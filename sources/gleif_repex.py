"""GLEIF level 2: why an entity reports no parent (reporting exceptions)."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from sources import gleif_plan
from sources.gleif_files import adopt as adopt_level
from sources.gleif_files import fetch
from sources.kit.card import Card

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from sources.kit.card import Held, Plan
    from sources.kit.frames import Frame, Prepared, Rows
    from sources.kit.session import PoliteSession

__all__ = ["CARD", "adopt", "fetch", "plan", "rows_of"]

CARD = Card(
    source_id="gleif-repex",
    publisher="Global Legal Entity Identifier Foundation (GLEIF)",
    database_name="Global LEI Index, reporting exceptions (Golden Copy)",
    licence="CC0 1.0 Universal",
    licence_url="https://creativecommons.org/publicdomain/zero/1.0/",
    is_public_database=True,
    # The page of the record's first LEI shows it; a key is that LEI, a colon, and what it says.
    record_url_template="https://search.gleif.org/#/record/{key}",
    homepage="https://www.gleif.org",
    notice_sentence={
        "da": "Kilde: {database}, {publisher}, offentligt tilgængelig, hentet {retrieved}.",
        "en": "Source: {database}, {publisher}, publicly accessible, fetched {retrieved}.",
    },
    contact_kinds=(),
    base_url="https://goldencopy.gleif.org",
    hosts=("goldencopy.gleif.org", "api.gleif.org"),
    rate=1.0,
    # 4,244,309 records in June 2023; retracted ones leave the full file.
    expected_min=3_000_000,
    expected_max=12_000_000,
    min_ratio=0.8,
    max_ratio=1.5,
    landing_retention="P35D",
    shape="exception",
)

adopt = partial(adopt_level, level="repex")


def plan(session: PoliteSession, held: Held | None, *, is_full_wanted: bool = False) -> Plan:
    """Plan what to fetch now; see `sources.gleif_plan.plan`. Records may be retracted."""
    return gleif_plan.plan(
        session, held, card=CARD, level="repex", only_grows=False, is_full_wanted=is_full_wanted
    )


def rows_of(
    path: Path, prepare: Callable[[Frame], Prepared]
) -> AbstractContextManager[Rows[Prepared]]:
    """Open a landed delivery as tidy frames in the house's words; see `sources.gleif_group`."""
    # Arrow is not light: listing sources does without it.
    from sources.gleif_group import rows_of as open_rows
    from sources.gleif_group_columns import EXCEPTIONS
    from sources.kit.shapes import EXCEPTION

    return open_rows(path, prepare, EXCEPTIONS, EXCEPTION)


def retold(rows: Sequence[Mapping[str, str]]) -> Frame:
    """The frame of rejected rows, told again from their kept texts; see `sources.gleif_group`."""
    from sources.gleif_group import retold as tell_again
    from sources.kit.shapes import EXCEPTION

    return tell_again(rows, EXCEPTION)
