"""The database server ends in the middle of anything: nothing half, and the next run ends clean."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import dying
import pytest
from dying import Death
from following import Following, at, published
from private_postgres import PrivatePostgres
from service import until
from trials import Databases, Scene

from flows.cli.endings import of_the_unexpected
from sources.kit.errors import SourcenoteError
from sources.kit.standin import Pace

pytestmark = [pytest.mark.postgres, pytest.mark.long]

LOADS = ("first load", "load", "delta")
STAGES = (
    *(Death(place="landed"), Death(stage="rows"), Death(stage="merge"), Death(place="merged")),
    *(Death(place="loaded"), Death(place="unledgered")),
)
PLACES = [
    *((name, stage) for name in LOADS for stage in STAGES),
    ("deactivate", Death(place="planned")),
    ("deactivate", Death(place="moved")),
    ("deactivate", Death(place="unledgered")),
    ("delete", Death(stage="deleted")),
    ("delete", Death(place="cleaning")),
    ("delete", Death(place="cleaned")),
    ("export", Death(stage="files")),
    ("export", Death(stage="committed")),
    ("export", Death(stage="published")),
]


@pytest.fixture(scope="module")
def scenes(postgresql_databases: Databases) -> Iterator[Callable[[str], Scene]]:
    made: dict[str, Scene] = {}

    def scene(name: str) -> Scene:
        if name not in made:
            made[name] = Scene(postgresql_databases, name)
        return made[name]

    yield scene
    for each in made.values():
        each.close()


@pytest.mark.parametrize(("name", "place"), PLACES, ids=str)
def test_restarted_there_the_next_run_ends_as_if_clean(
    scenes: Callable[[str], Scene],
    postgres_process: PrivatePostgres,
    no_connection_left: None,
    name: str,
    place: Death,
) -> None:
    was_there, violations = scenes(name).disturbed(
        lambda job: dying.held(job, place, postgres_process.restart)
    )
    assert was_there
    assert violations == []


@pytest.mark.parametrize("warehouse_url", ["postgresql"], indirect=True)
@pytest.mark.parametrize("step", [0, 1], ids=["full", "delta"])
def test_restarted_while_it_downloads_the_next_run_ends_as_if_clean(
    following: Following, postgres_process: PrivatePostgres, step: int
) -> None:
    """It is told of it, or goes on with a new connection: another's write would have been seen."""
    publishes, standin = published(0, 1), following.standin
    kind = "delta" if step else "full"
    standin.publish(publishes[0])
    if step:
        following.ingest(0)
        standin.publish(publishes[1])
    before = following.held.state()
    standin.pace = Pace(trickle_bytes=64 if step else 256, trickle_pause=0.1)
    standin.misbehave("trickle", times=1)

    def is_sending() -> bool:
        last = standin.requests[-1] if standin.requests else None
        return last is not None and last.method == "GET" and last.path.startswith("/storage")

    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(following.ingest, step)
        until(is_sending, what="the file being sent")
        postgres_process.restart()
        error = running.exception(60)
    if error is None:
        assert following.is_at(step)
    else:
        told = error if isinstance(error, SourcenoteError) else of_the_unexpected(error)
        assert (told.thing, "unexpected" in told.cause) == ("warehouse", False)
        assert following.held.state() == before
    assert following.ingest(step).kind == ("up_to_date" if error is None else kind)
    assert following.is_at(step)
    assert following.applied() == at(step)
    assert following.held.one("SELECT count(*) FROM deliveries") == step + 1
    states = [row["state"] for row in following.held.ask("SELECT state FROM runs")]
    assert "running" not in states
