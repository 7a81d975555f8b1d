"""`make demo`: the whole product on invented companies, on this machine, in a couple of minutes.

A stand-in plays GLEIF, a real Prefect server runs the flows, a real portal takes the objection; the
clock is set, so that the sample's dates fit and two years can pass in a moment.
"""

from __future__ import annotations

import csv
import http.client
import shutil
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from flows import demo_registers
from flows import demo_words as say
from flows import settings as configuration
from flows.house import Clock, House
from flows.init_files import write_init_files
from sources.kit.sample import bundled_sample
from sources.kit.standin import Publish, StandIn
from sources.kit.standin_registers import API_KEY, RegisterStandIn, bundled

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flows.settings import Settings
    from sources.kit.sample import BundledSample

HOME = Path("var/demo")
_SERVER_SECONDS = 180
_DAYS = 60
_YEARS = timedelta(days=901)
"""Until what ended is deleted, and the registers are asked."""


@dataclass
class Stage:
    """The demo's house and what the walk has found so far."""

    house: House
    standin: StandIn
    sample: BundledSample

    def at(self, moment: datetime) -> None:
        """Move the clock."""
        self.house.clock = replace(self.house.clock, fixed=moment)


def main() -> None:
    """Play it from an empty folder; every figure printed was just computed."""
    shutil.rmtree(HOME, ignore_errors=True)
    HOME.mkdir(parents=True)
    sample = bundled_sample()
    later = (sample.published_at + _YEARS).date()
    registers = RegisterStandIn(*bundled(as_of=later))
    with prefect_server() as api_url, StandIn([]) as standin, registers:
        standin.publish(Publish(sample.published_at, sample.csv))
        settings = _settings(api_url, standin.base_url, registers.base_url)
        stage = Stage(
            House(settings, Clock(sample.published_at + timedelta(hours=2))), standin, sample
        )
        try:
            _play(stage)
        finally:
            stage.house.close()


def _play(stage: Stage) -> None:
    from flows.door import deactivate, delete
    from warehouse import migrate

    migrate.upgrade(stage.house.engine)
    say.chapter("1. Ingest: GLEIF's golden copy, fetched, checked, stored with its origin")
    say.report(_ingest(stage))
    say.chapter("2. Export: a letter list in which every row tells where its data came from")
    first = _export(stage, "renewal-due")
    say.manifest(first)
    row = next(line for line in _rows(first) if line["legal_name"][0].isalpha())
    say.row(row)
    say.chapter("3. Stop: that company presses the button behind its link")
    say.stopped(_press(stage, row["unsubscribe_url"]))
    stage.at(stage.house.now() + timedelta(days=1))
    second = _export(stage, "all")
    say.excluded(second, row["lei"] not in {line["lei"] for line in _rows(second)})
    say.chapter("4. Retention: what the register has ended goes inactive, later it is deleted")
    say.moves(deactivate(stage.house))
    stage.at(stage.sample.published_at + _YEARS + timedelta(hours=8))
    deactivate(stage.house)
    say.deleted(delete(stage.house, confirm=True))
    demo_registers.play(
        stage.house,
        lambda source_id: _ingest(stage, source_id),
        lambda: _export(stage, "all", "DK"),
    )
    say.places(HOME, stage.house.settings.warehouse.url, Path(first["directory"]))


def _settings(api_url: str, base_url: str, registers_url: str) -> Settings:
    """The example configuration, with the stand-ins as GLEIF and as the registers."""
    environ = {
        "SOURCENOTE_HOME": str(HOME),
        "PREFECT_API_URL": api_url,
        "SOURCENOTE_CVR_API_KEY": API_KEY,
    }
    config = HOME / "sourcenote.toml"
    write_init_files(config, HOME / "sourcenote.key", _random, example=True, force=False)
    told = f'\n[sources.gleif]\nbase_url = "{base_url}"\n'
    told += demo_registers.sources_section(registers_url)
    config.write_text(config.read_text("utf-8") + told)
    return configuration.load(config, environ=environ)


def _random(length: int) -> bytes:
    import secrets

    return secrets.token_bytes(length)


def _ingest(stage: Stage, source_id: str = "gleif") -> Any:  # noqa: ANN401 (a Report, imported late)
    from flows.door import ingest
    from flows.ingest_report import Request

    return ingest(stage.house, Request(source_id), _tell)


def _export(stage: Stage, segment: str, *countries: str) -> dict[str, Any]:
    from flows.door import export
    from flows.export_request import ExportRequest

    request = ExportRequest(
        segment=segment,
        channel="post",
        purpose="direct_marketing",
        recipient="own",
        out=HOME / "exports",
        days=_DAYS,
        countries=countries,
    )
    return export(stage.house, request, _tell)


def _tell(_stage: str, _done: int, _total: int | None) -> None:
    """The demo is too quick for progress bars."""


def _rows(manifest: dict[str, Any]) -> list[dict[str, str]]:
    path = Path(manifest["directory"]) / "rows.csv"
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def _press(stage: Stage, url: str) -> int:
    """Press the button behind the link, at a portal on a free port; returns the status."""
    from flows.suppress_steps import link_keys
    from portal.app import make_app
    from portal.serve import address_of, listen, server

    house = stage.house
    app = make_app(house.engine, link_keys(house.keys), house.now, house.settings.controller)
    with listen(0) as listener:
        serving = server(app)
        thread = threading.Thread(target=serving.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        place = urlsplit(address_of(listener))
        connection = http.client.HTTPConnection(str(place.hostname), place.port, timeout=30)
        connection.request("POST", urlsplit(url).path, body="List-Unsubscribe=One-Click")
        status = connection.getresponse().status
        connection.close()
        serving.should_exit = True
        thread.join()
    return status


@contextmanager
def prefect_server() -> Iterator[str]:
    """A Prefect server of the demo's own on a free port; stopped at the end."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    api_url = f"http://127.0.0.1:{port}/api"
    configuration.enter_environment(HOME, api_url)
    with (HOME / "prefect.log").open("wb") as log:
        command = [sys.executable, "-m", "prefect", "server", "start", "--no-ui"]
        running = subprocess.Popen(  # noqa: S603 (our own interpreter, fixed words)
            [*command, "--host", "127.0.0.1", "--port", str(port)], stdout=log, stderr=log
        )
    try:
        _wait(port, running)
        yield api_url
    finally:
        running.terminate()
        running.wait(timeout=60)


def _wait(port: int, running: subprocess.Popen[bytes]) -> None:
    say.waiting()
    end = time.monotonic() + _SERVER_SECONDS
    while time.monotonic() < end and running.poll() is None:
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            connection.request("GET", "/api/health")
            if connection.getresponse().status == http.HTTPStatus.OK:
                return
        except OSError:
            time.sleep(0.3)
    sys.exit(f"The Prefect server did not start; see {HOME / 'prefect.log'}")


if __name__ == "__main__":
    main()
