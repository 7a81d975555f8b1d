"""One open house a module and kind of database, empty again before each test that asks for it."""

from __future__ import annotations

from collections.abc import Iterator

import ingesting
import pytest
from counted import counted, told
from ingesting import Ingesting
from private_postgres import PrivatePostgres


@pytest.fixture(
    scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)]
)
def shared_url(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path_factory.mktemp('house') / 'warehouse.db'}"
        return
    server: PrivatePostgres = request.getfixturevalue("postgres_process")
    name = server.create_database()
    yield server.url(name)
    server.drop_database(name)


@pytest.fixture(scope="module")
def shared_place(shared_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ingesting]:
    with ingesting.opened(shared_url, tmp_path_factory.mktemp("home")) as place:
        yield place


@pytest.fixture
def place(shared_place: Ingesting) -> Iterator[Ingesting]:
    """A house with nothing in it; only what is append-only remembers other tests.

    Whatever a test loads, deletes or breaks, what is said to be held is what is.
    """
    settings = shared_place.house.settings
    shared_place.at(ingesting.MOMENT).empty()
    shared_place.written = 0
    yield shared_place
    shared_place.house.settings = settings
    assert told(shared_place) == counted(shared_place)


@pytest.fixture
def wide(place: Ingesting) -> Ingesting:
    """The same, for full files of any length."""
    return place.change(sources=ingesting.ANY_LENGTH)
