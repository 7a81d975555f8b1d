"""A local stand-in for GLEIF's publish API, for the demo and the tests; it can misbehave.

It listens on 127.0.0.1 only. `python -m sources.kit.standin --port 8765` serves the bundled
sample; `sourcenote ingest gleif --base-url http://127.0.0.1:8765` then takes it.
"""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
import threading
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from sources.kit import standin_faults, standin_publish, standin_server
from sources.kit.sample import SAMPLE_DAY, bundled_sample, write_full
from sources.kit.sample_group import bundled_group
from sources.kit.standin_api import Api
from sources.kit.standin_faults import FAULTS, Fault
from sources.kit.standin_publish import Files, Held, Publish, Said
from sources.kit.standin_sequence import generated
from sources.kit.standin_server import Request

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sources.kit.standin_faults import Target

__all__ = ["FAULTS", "Fault", "Pace", "Publish", "Request", "StandIn"]


@dataclass(frozen=True)
class Pace:
    """How slow slow is: seconds of silence, the trickle's bytes and pause, Retry-After."""

    stall_seconds: float = 30.0
    trickle_bytes: int = 1024
    trickle_pause: float = 0.05
    retry_after: str = "1"


@dataclass
class _Slot:
    """A fault and how many requests it still has (None: no end)."""

    fault: Fault
    left: int | None


class StandIn:
    """A publisher on a local port, for use in a `with` block; every answer crosses a real socket.

    `faults` are names or `Fault`s; `honours_range` False answers ranges with the whole file.
    Publishes are listed newest first; `api` answers beside them. A port of 0 takes a free one.
    Raises ValueError for an unknown fault.
    """

    def __init__(
        self,
        publishes: Iterable[Publish] = (),
        *,
        faults: Iterable[str | Fault] = (),
        port: int = 0,
        honours_range: bool = True,
        pace: Pace | None = None,
        api: Api | None = None,
    ) -> None:
        self.api = api
        self.honours_range = honours_range
        self.pace = pace or Pace()
        self.port = port
        self.requests: list[Request] = []
        self.closing = threading.Event()
        self._first = tuple(publishes)
        self._lock = threading.Lock()
        self._faults: list[_Slot] = []
        self._publishes: list[tuple[Publish, Files]] = []
        self._open = ExitStack()
        for fault in faults:
            self.misbehave(fault)

    def __enter__(self) -> Self:
        """Publish and listen."""
        with ExitStack() as opened:
            self._folder = opened.enter_context(tempfile.TemporaryDirectory(prefix="standin-"))
            for publish in self._first:
                self.publish(publish)
            address = ("127.0.0.1", self.port)
            server = opened.enter_context(
                ThreadingHTTPServer(address, standin_server.handler(self))
            )
            self.port = int(server.server_address[1])
            thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
            thread.start()
            for step in (thread.join, server.shutdown, self.closing.set):  # undone last to first
                opened.callback(step)
            self._open = opened.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop listening, let go of who was kept waiting, and remove the files."""
        self._open.close()

    @property
    def base_url(self) -> str:
        """`http://127.0.0.1:PORT`, what `--base-url` takes."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def foreign_requests(self) -> list[Request]:
        """Requests that came under another host name: somebody followed a foreign redirect."""
        own = f"127.0.0.1:{self.port}"
        return [request for request in self.requests if request.headers.get("host") != own]

    def publish(self, publish: Publish) -> None:
        """Publish one more; it is listed from the next request on."""
        folder = Path(tempfile.mkdtemp(dir=self._folder))
        windows: list[str | None] = [None, *publish.deltas]
        files = {window: standin_publish.hold(publish, window, folder) for window in windows}
        with self._lock:
            self._publishes.append((publish, files))
            self._publishes.sort(key=lambda pair: pair[0].published_at, reverse=True)

    def misbehave(
        self, fault: str | Fault, *, times: int | None = None, on: Target | None = None
    ) -> None:
        """From now on, or for `times` requests, misbehave as `FAULTS` describes.

        Faults that strike at the same place take turns: the first is used up before the next
        begins. Raises ValueError for an unknown name.
        """
        wanted = fault if isinstance(fault, Fault) else Fault(fault, times, on)
        with self._lock:
            self._faults.append(_Slot(wanted, wanted.times))

    def behave(self) -> None:
        """Forget every fault."""
        with self._lock:
            self._faults.clear()

    def received(self, request: Request) -> None:
        """Remember a request."""
        with self._lock:
            self.requests.append(request)

    def take(self, target: Target) -> str | None:
        """The fault that a request at `target` meets, if any; uses up one of its times."""
        with self._lock:
            for slot in self._faults:
                if slot.left != 0 and slot.fault.strikes(target):
                    slot.left = None if slot.left is None else slot.left - 1
                    return slot.fault.name
        return None

    def spoiled(self, held: Held) -> bytes | None:
        """What the next download of `held` brings instead of it, when its content is at fault."""
        with self._lock:
            active = [slot.fault.name for slot in self._faults if slot.left != 0]
        names = [name for name in active if name in standin_faults.CONTENT]
        if not names:
            return None
        return standin_faults.spoiled(names[0], held.path.read_bytes(), held.member)

    def listing(self, fault: str | None, per_page: int) -> list[dict[str, Any]]:
        """The newest `per_page` publishes, as the API lists them."""
        if fault == "listing_empty":
            return []
        with self._lock:
            published = list(self._publishes)
        moments = sorted({publish.published_at for publish, _ in published}, reverse=True)
        return [
            standin_publish.entry(
                moment,
                {
                    publish.level: standin_publish.bundle(publish, files, self._said(files, fault))
                    for publish, files in published
                    if publish.published_at == moment
                },
            )
            for moment in moments[:per_page]
        ]

    def _said(self, files: Files, fault: str | None) -> dict[str | None, Said]:
        """What the listing says of a publish's files: their own figures, or others."""
        said: dict[str | None, Said] = {}
        for window, held in files.items():
            if window and fault == "no_deltas":
                continue
            body = self.spoiled(held)
            is_agreed = body not in (None, b"", standin_faults.HTML)
            size = len(body) if body and is_agreed else held.size
            of_which = "wrong_delta" if window else "wrong"
            said[window] = Said(
                size + (fault == f"{of_which}_size"),
                held.record_count + (fault == f"{of_which}_record_count"),
            )
        return said

    def find(self, level: str, stamp: str | None, window: str | None) -> Held | None:
        """The level's file of the newest publish, or of the one stamped `YYYYMMDD-HHMM`."""
        with self._lock:
            for publish, files in self._publishes:
                if publish.level == level and stamp in (None, publish.stamp):
                    return files.get(window)
        return None

    def at(self, url_path: str) -> Held | None:
        """The file whose URL has this path."""
        with self._lock:
            files = [held for _, held_files in self._publishes for held in held_files.values()]
        return next((held for held in files if held.url_path == url_path), None)


def _publishes(options: argparse.Namespace, folder: Path) -> list[Publish]:
    """What to publish, oldest first."""
    if options.publishes > 1:
        rows = options.rows or bundled_sample(options.as_of).rows
        return generated(rows, options.publishes, seed=options.seed, as_of=options.as_of)
    return [_publish(options, folder)]


def _publish(options: argparse.Namespace, folder: Path) -> Publish:
    as_of: date = options.as_of
    published_at = datetime.combine(as_of, time(8), UTC)
    if options.file:
        return Publish(published_at, options.file)
    if options.rows:
        made = folder / "sample.zip"
        member = f"{published_at:%Y%m%d-%H%M}-gleif-goldencopy-lei2-golden-copy.csv"
        write_full(made, options.rows, seed=options.seed, as_of=as_of, zip_name=member)
        return Publish(published_at, made, record_count=options.rows)
    sample = bundled_sample(as_of)
    return Publish(sample.published_at, sample.csv, record_count=sample.rows)


def _group(first: Publish, options: argparse.Namespace) -> list[Publish]:
    """Level 2 of the bundled sample, published with it; other companies have none here."""
    if options.file or options.rows:
        return []
    group = bundled_group(bundled_sample(options.as_of))
    return [
        Publish(first.published_at, group.relationships, level="rr"),
        Publish(first.published_at, group.exceptions, level="repex"),
    ]


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    faults = "; ".join(f"{name} ({text})" for name, text in FAULTS.items()).replace("%", "%%")
    parser = argparse.ArgumentParser(prog="python -m sources.kit.standin", description=__doc__)
    add = parser.add_argument
    add("--port", type=int, default=0, help="0 takes a free port")
    add("--file", type=Path, help="a CSV or zip to publish instead of the bundled sample")
    add("--rows", type=int, help="publish that many generated companies instead")
    add("--seed", type=int, default=1, help="of the generated companies")
    add("--as-of", type=date.fromisoformat, default=SAMPLE_DAY, help="day of the publish")
    add("--publishes", type=int, default=1, help="generated publications, eight hours apart")
    add("--pause", type=float, default=0, help="seconds before each further one is listed")
    add("--fault", action="append", default=[], choices=FAULTS, metavar="NAME", help=faults)
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until interrupted or terminated; prints the base URL as its first line."""
    options = _options(arguments)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # its files go either way
    with tempfile.TemporaryDirectory(prefix="standin-") as folder:
        first, *further = _publishes(options, Path(folder))
        api = Api.beside(first.published_at, first.content)
        first_ones = [first, *_group(first, options)]
        with StandIn(first_ones, faults=options.fault, port=options.port, api=api) as standin:
            sys.stdout.write(f"{standin.base_url}\n")
            sys.stdout.flush()
            try:
                for publish in further:
                    standin.closing.wait(options.pause)
                    standin.publish(publish)
                standin.closing.wait()
            except KeyboardInterrupt:
                sys.stdout.write("stopped\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
