"""The ground that other tests stand on: databases of their own, no network, nothing left open."""

from __future__ import annotations

import socket

import loopback_only
import open_connections
import pytest
import sqlalchemy as sa
from private_postgres import PrivatePostgres


def test_each_test_has_an_empty_warehouse(warehouse_url: str) -> None:
    engine = sa.create_engine(warehouse_url)
    with engine.begin() as connection:
        assert sa.inspect(connection).get_table_names() == []
        connection.execute(sa.text("CREATE TABLE kept (number INTEGER)"))
    engine.dispose()


def test_and_the_next_one_too(warehouse_url: str) -> None:
    test_each_test_has_an_empty_warehouse(warehouse_url)


def test_a_restarted_server_breaks_connections(
    postgres_process: PrivatePostgres, postgres_url: str
) -> None:
    engine = sa.create_engine(postgres_url)
    with engine.connect() as connection:
        connection.execute(sa.select(1))
        postgres_process.restart()
        with pytest.raises(sa.exc.OperationalError):
            connection.execute(sa.select(1))
    with engine.connect() as connection:
        assert connection.execute(sa.select(1)).scalar() == 1
    engine.dispose()


def test_a_connection_left_open_is_told() -> None:
    def forget() -> None:
        sa.create_engine("sqlite://").connect().execute(sa.select(1))

    with pytest.raises(pytest.fail.Exception, match="left open"), open_connections.none_left():
        forget()


@pytest.mark.parametrize("host", ["example.com", "10.0.0.1", "192.0.2.1", "2001:db8::1"])
def test_other_machines_are_out_of_reach(host: str) -> None:
    with pytest.raises(loopback_only.NetworkForbiddenError):
        socket.create_connection((host, 80), timeout=1)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as direct, pytest.raises(loopback_only.NetworkForbiddenError):
        direct.connect((host, 80))


def test_this_machine_is_within_reach() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(("localhost", server.getsockname()[1]), timeout=5).close()
