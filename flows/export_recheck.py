"""Companies on their way out whose register said too long ago that they are not protected.

They are asked for again at the moment the list is written, each batch loaded as a delivery like
any other. Whom the register does not answer on stays at home: unknown means no.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from flows import ingest_steps
from flows.export_job import would_leave
from flows.protection import fresh_since
from flows.publisher import check_example, session_with
from sources.kit.catalogue import source
from sources.kit.errors import Refused, SourcenoteError
from warehouse import export_flags
from warehouse.engine import reading

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from flows.export_job import Job
    from flows.house import House

    Tell = Callable[[str, int, int | None], None]


@dataclass
class Recheck:
    """One register's part: how many companies were to be asked for, and how many it answered on.

    `error` is why it did not answer on the others (thing, cause, cure), None where it was asked for
    all, or where nobody was asked (a dry run).
    """

    source_id: str
    to_ask: int
    answered: int = 0
    error: dict[str, str] | None = None

    def as_json(self) -> dict[str, Any]:
        """As it stands in the manifest."""
        return asdict(self)


def count(house: House, job: Job) -> list[Recheck]:
    """How many companies would be asked for at which register; asks nobody."""
    return [Recheck(name, len(keys)) for name, keys in _to_ask(house, job).items()]


def ask_again(house: House, job: Job, run_id: int, tell: Tell) -> list[Recheck]:
    """Ask each register, and load what it says now. Hold the one-writer lock.

    A register that does not answer is not asked further; the list is made without those companies.
    """
    house.landing.sweep_partials(house.now())
    return [_ask(house, name, keys, run_id, tell) for name, keys in _to_ask(house, job).items()]


def _to_ask(house: House, job: Job) -> dict[str, list[str]]:
    """Source id to the numbers of those who would leave if what was said long ago still counted."""
    since = fresh_since(house.settings, job.now)
    with reading(house.engine) as connection:
        if not export_flags.has_stale(connection, since):
            return {}
    ids = would_leave(house, job)
    with reading(house.engine) as connection:
        return export_flags.stale_keys(connection, ids, since)


def _ask(house: House, source_id: str, keys: list[str], run_id: int, tell: Tell) -> Recheck:
    found = Recheck(source_id, len(keys))
    try:
        check_example(house, source_id, None)
        module = source(source_id)
        if not hasattr(module, "fetch_keys"):
            raise Refused(source_id, "it cannot be asked for single companies", "Ingest it again")
        with session_with(house, source_id, None) as session:
            for start in range(0, len(keys), module.KEYS_AT_ONCE):
                batch = keys[start : start + module.KEYS_AT_ONCE]
                landed = module.fetch_keys(session, batch, house.landing)
                if landed is not None:
                    ingest_steps.load_delivery(house, run_id, source_id, landed, _unheard)
                found.answered += _answered(landed, batch)
                tell("protection", start + len(batch), len(keys))
    except SourcenoteError as error:
        found.error = {"thing": error.thing, "cause": error.cause, "cure": error.cure}
    return found


def _answered(landed: Any, batch: Sequence[str]) -> int:  # noqa: ANN401 (Landed or None)
    """How many of a batch the register knew; a publisher that tells no number knew them all."""
    if landed is None:
        return 0
    return len(batch) if landed.record_count is None else min(landed.record_count, len(batch))


def _unheard(_stage: str, _done: int, _total: int | None) -> None:
    """The load's own progress, beside the export's."""
