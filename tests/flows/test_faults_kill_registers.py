"""kill -9 in the load of a register, first file and change feed: the next run ends as if clean."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from datetime import timedelta

import dying
import pytest
from dying import Death
from dying_registers import RegisterTrials, job_of
from national import DAY, NOW, kept_home

from sources.kit.sample_registers import bundled_registers
from sources.kit.standin_registers import RegisterStandIn, bundled

pytestmark = pytest.mark.long

LOADS = [("brreg", "first"), ("brreg", "feed"), ("cvr", "first"), ("cvr", "feed")]
DEATHS = [
    Death(stage="bytes"),
    Death(place="landed"),
    Death(stage="rows"),
    Death(stage="merge"),
    Death(place="merged"),
    Death(place="loaded"),
    Death(stage="settle"),
    Death(place="unledgered"),
]
LATER = NOW + timedelta(days=1)


@pytest.fixture(scope="module")
def trials(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Callable[[str, str], RegisterTrials]]:
    """The trials of a register's first load, or of what its feed tells a day later."""
    homes = {
        "first": kept_home(tmp_path_factory.mktemp("first")),
        "feed": kept_home(tmp_path_factory.mktemp("feed"), "brreg", "cvr"),
    }
    found: dict[tuple[str, str], RegisterTrials] = {}
    registers = bundled(DAY)
    brreg, cvr = registers[0], registers[1]
    sample = bundled_registers(DAY)
    changed, deleted, removed = sample.of("brreg", "role", has_lei=True)[:3]
    at = NOW + timedelta(hours=1)
    brreg.change(changed.number, at, epostadresse="post@forandret.no")
    brreg.delete(deleted.number, at)
    brreg.remove(removed.number, at)
    open_firm = next(
        firm for firm in sample.of("cvr", "role", has_lei=True) if firm.is_protected is False
    )
    cvr.protect(open_firm.number, at)

    with RegisterStandIn(*registers) as standin:

        def of(source_id: str, what: str) -> RegisterTrials:
            if (source_id, what) not in found:
                job = dying.at(job_of(source_id, standin.base_url), now=LATER)
                folder = tmp_path_factory.mktemp("copies")
                found[source_id, what] = RegisterTrials(homes[what], folder, job)
            return found[source_id, what]

        yield of


@pytest.mark.parametrize("death", DEATHS, ids=str)
@pytest.mark.parametrize(("source_id", "what"), LOADS)
def test_killed_there_the_next_load_ends_as_if_clean(
    trials: Callable[[str, str], RegisterTrials], source_id: str, what: str, death: Death
) -> None:
    died, violations = trials(source_id, what).trial(lambda job: dying.killed(job, death))
    assert died or death.stage == "bytes"  # a feed's answers are no download
    assert violations == []


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("source_id", "what"), LOADS)
def test_killed_at_any_time_the_next_load_ends_as_if_clean(
    trials: Callable[[str, str], RegisterTrials], source_id: str, what: str, seed: int
) -> None:
    scene = trials(source_id, what)
    seconds = random.Random(f"{seed} {source_id} {what}").uniform(0, scene.seconds)
    _, violations = scene.trial(lambda job: dying.killed_after(job, seconds))
    assert violations == []
