"""What a load leaves to be done when it is committed: bytes of what is erased, bytes received."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flows.deliver import card_of
from sources.kit.catalogue import source
from sources.kit.period import parse_period
from warehouse import runs
from warehouse.engine import reading, writing
from warehouse.privacy import erased_bytes, erasing, landing_files

if TYPE_CHECKING:
    from pathlib import Path

    from flows.house import House
    from sources.kit.card import Landed


def clean_up(house: House, source_id: str, landed: Landed) -> None:
    """Leave no bytes of erased records, and none received of a source that keeps none.

    What a run that died left of it is done by the next `ingest` of the source (`finish_dead`), or
    by `delete`.
    """
    clean_up_erased(house)
    if _keeps_nothing(house, source_id):
        _remove(landed.path, landed.parts)


def finish_dead(house: House, source_id: str) -> None:
    """Do what `clean_up` had to, for a run of this source that was committed and then died.

    Also when there is nothing newer to load: an erasure does not wait for that. Hold the
    one-writer lock.
    """
    clean_up_erased(house)
    sweep_received(house, source_id, is_refused_kept=True)


def sweep_received(house: House, source_id: str, *, is_refused_kept: bool) -> int:
    """Remove what a run that died left of bytes received of a source that keeps none; how many.

    Of a delivery of several files all go, the others first: the one that names them tells a next
    run of them. Hold the one-writer lock.
    """
    if not _keeps_nothing(house, source_id):
        return 0
    return _remove_received(house, source_id, is_refused_kept=is_refused_kept)


def _remove_received(house: House, source_id: str, *, is_refused_kept: bool) -> int:
    """Remove what is there of the source's bytes as received; how many deliveries' they were."""
    parts_of = getattr(source(source_id), "parts_of", _no_parts)
    found = landing_files.of_source(
        house.engine, house.landing_root, source_id, is_refused_kept=is_refused_kept
    )
    for path in found:
        _remove(path, parts_of(path))
    return len(found)


def _no_parts(_path: Path) -> tuple[Path, ...]:
    return ()


def _remove(path: Path, parts: tuple[Path, ...]) -> None:
    for one in (*parts, path):
        one.unlink(missing_ok=True)


def _keeps_nothing(house: House, source_id: str) -> bool:
    return not any(parse_period(card_of(house, source_id).landing_retention))


def clean_up_erased(house: House) -> bool:
    """Clean all files of what was erased since it was last done; whether anything was.

    The database's own, and whatever is kept as received of the register that had it erased: which
    of its files hold the entity is not looked for, each may, and can be fetched again.
    """
    with reading(house.engine) as connection:
        sources = erasing.unclean_sources(connection)
    for source_id in sources:
        _remove_received(house, source_id, is_refused_kept=False)
    if sources:
        erased_bytes.clean_up_bytes(house.engine)
        with writing(house.engine) as connection:
            erasing.note_clean(connection, runs.actor(house.engine), house.now())
    return bool(sources)
