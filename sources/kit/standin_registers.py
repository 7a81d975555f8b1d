"""Local stand-ins for the national registers' servers, for the demo and the tests; they misbehave.

One server on 127.0.0.1 answers for one register or for all: their published paths differ.
`python -m sources.kit.standin_registers --port 8766` serves the bundled entries of all four;
`sourcenote ingest brreg --base-url http://127.0.0.1:8766` then takes them. What a register holds is
changed on the register itself, between requests.
"""

from __future__ import annotations

import argparse
import io
import signal
import sys
import threading
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from datetime import date
from http.server import ThreadingHTTPServer
from typing import Self

from sources.kit import standin_faults, standin_server
from sources.kit.sample_bundle import SAMPLE_DAY
from sources.kit.sample_registers import bundled_registers
from sources.kit.standin import Pace
from sources.kit.standin_api import Reply
from sources.kit.standin_ariregister import Ariregister
from sources.kit.standin_brreg import Brreg
from sources.kit.standin_cvr import Cvr
from sources.kit.standin_prh import Prh
from sources.kit.standin_register import Asked, Register
from sources.kit.standin_server import Request

API_KEY = "standin-key"
"""The key that the stand-in of Datafordeler takes when it is started by hand."""

FAULTS: dict[str, str] = standin_faults.TRANSPORT | {
    "late": "the answer comes after the pace's latency (Datafordeler: 45 s)",
    "truncated": "the first 60 % of the answer, with a length that fits them",
    "html_200": "an HTML page with status 200",
    "empty_200": "status 200 and no bytes",
    "error_200": "status 200 with an error inside, in the register's own form",
}


class RegisterStandIn:
    """Registers on a local port, for use in a `with` block; every answer crosses a real socket.

    A port of 0 takes a free one. `latency` is how late `late` is, in seconds.
    """

    def __init__(
        self,
        *registers: Register,
        port: int = 0,
        pace: Pace | None = None,
        latency: float = 45.0,
    ) -> None:
        self.registers = registers
        self.port, self.latency = port, latency
        self.pace = pace or Pace()
        self.honours_range = True
        self.requests: list[Request] = []
        self.closing = threading.Event()
        self._lock = threading.Lock()
        self._faults: list[tuple[str, str, list[int]]] = []
        self._open = ExitStack()

    def __enter__(self) -> Self:
        """Listen."""
        with ExitStack() as opened:
            bound = type("BoundHandler", (_Handler,), {"standin": self, "served": self})
            server = opened.enter_context(ThreadingHTTPServer(("127.0.0.1", self.port), bound))
            self.port = int(server.server_address[1])
            thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
            thread.start()
            for step in (thread.join, server.shutdown, self.closing.set):  # undone last to first
                opened.callback(step)
            self._open = opened.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop listening, and let go of who was kept waiting."""
        self._open.close()

    @property
    def base_url(self) -> str:
        """`http://127.0.0.1:PORT`, what `--base-url` takes."""
        return f"http://127.0.0.1:{self.port}"

    def misbehave(self, fault: str, *, times: int = 1_000_000, on: str = "") -> None:
        """For `times` requests whose path with query has `on` in it, misbehave as `FAULTS` says.

        Raises ValueError for an unknown name.
        """
        if fault not in FAULTS:
            message = f"unknown fault {fault!r}; known: {', '.join(FAULTS)}"
            raise ValueError(message)
        with self._lock:
            self._faults.append((fault, on, [times]))

    def behave(self) -> None:
        """Forget every fault."""
        with self._lock:
            self._faults.clear()

    def received(self, request: Request) -> None:
        """Remember a request."""
        with self._lock:
            self.requests.append(request)

    def take(self, path: str) -> str | None:
        """The fault that a request for `path` meets, if any; uses up one of its times."""
        with self._lock:
            for fault, on, left in self._faults:
                if left[0] > 0 and on in path:
                    left[0] -= 1
                    return fault
        return None

    def reply(self, asked: Asked, fault: str | None) -> Reply:
        """What the register in charge answers, or what a fault makes of it; 404 where none is."""
        for register in self.registers:
            if asked.path.startswith(register.paths):
                if fault == "error_200":
                    return register.error_200()
                return _spoiled(register.answer(asked), fault)
        return Reply(404, b"")


def _spoiled(reply: Reply, fault: str | None) -> Reply:
    bodies = {
        "truncated": reply.body[: len(reply.body) * 6 // 10],
        "html_200": standin_faults.HTML,
        "empty_200": b"",
    }
    return Reply(200, bodies[fault], reply.headers) if fault in bodies else reply


class _Handler(standin_server.Handler):
    """One connection; `served` is set by the stand-in."""

    served: RegisterStandIn

    def do_POST(self) -> None:  # noqa: N802, the base class's way
        """Answer a query, or misbehave."""
        self._answer()

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.served.received(Request(self.command, self.path, headers))
        fault = self.served.take(self.path)
        try:
            if fault in standin_faults.TRANSPORT and self._refuse(fault):
                return
            if fault == "late":
                self.served.closing.wait(self.served.latency)
            self._pass_on(self.served.reply(Asked.of(self.path, headers, body), fault), fault)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def _pass_on(self, reply: Reply, fault: str | None) -> None:
        if reply.status == 200:  # noqa: PLR2004, only a whole answer has parts
            self._send_part(io.BytesIO(reply.body), len(reply.body), dict(reply.headers), fault)
        else:
            self._send(reply.status, reply.body, dict(reply.headers), fault)


def bundled(
    as_of: date = SAMPLE_DAY, api_key: str = API_KEY
) -> tuple[Brreg, Cvr, Ariregister, Prh]:
    """The four registers with the bundled entries, as published on the morning of a day."""
    sample = bundled_registers(as_of)
    return (
        Brreg(sample.firms["brreg"], as_of),
        Cvr(sample.firms["cvr"], as_of, api_key),
        Ariregister(sample.firms["ariregister"], as_of),
        Prh(sample.firms["prh"], as_of),
    )


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    faults = "; ".join(f"{name} ({text})" for name, text in FAULTS.items()).replace("%", "%%")
    parser = argparse.ArgumentParser(prog="python -m sources.kit.standin_registers")
    add = parser.add_argument
    add("--port", type=int, default=0, help="0 takes a free port")
    add("--as-of", type=date.fromisoformat, default=SAMPLE_DAY, help="day of the publications")
    add("--api-key", default=API_KEY, help="what Datafordeler's stand-in takes as a key")
    add("--fault", action="append", default=[], choices=FAULTS, metavar="NAME", help=faults)
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until interrupted or terminated; prints the base URL as its first line."""
    options = _options(arguments)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    faults: Iterable[str] = options.fault
    registers = bundled(options.as_of, options.api_key)
    with RegisterStandIn(*registers, port=options.port) as standin:
        for fault in faults:
            standin.misbehave(fault)
        sys.stdout.write(f"{standin.base_url}\n")
        sys.stdout.flush()
        try:
            standin.closing.wait()
        except KeyboardInterrupt:
            sys.stdout.write("stopped\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
