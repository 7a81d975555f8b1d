"""A server of raw sockets that misbehaves by script: what no well-made HTTP server would do."""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Answer = Callable[[socket.socket, str], None]


class ScriptedServer:
    """Answers request n with the n-th answer, the last one for all that follow."""

    def __init__(self, *answers: Answer) -> None:
        self._answers = answers
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._lock = threading.Lock()
        self.requests: list[str] = []
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._threads = [threading.Thread(target=self._serve, daemon=True)]
        self._threads[0].start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._answer, args=(connection,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _answer(self, connection: socket.socket) -> None:
        with connection:
            try:
                request = _request(connection)
                if request:
                    self._next(request)(connection, request)
            except OSError:
                return

    def _next(self, request: str) -> Answer:
        with self._lock:
            self.requests.append(request)
            return self._answers[min(len(self.requests), len(self._answers)) - 1]

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(timeout=5)


def _request(connection: socket.socket) -> str:
    """Read one request's head; empty when the client went away."""
    data = b""
    while b"\r\n\r\n" not in data:
        piece = connection.recv(65536)
        if not piece:
            return ""
        data += piece
    return data.decode()


@contextmanager
def scripted(*answers: Answer) -> Iterator[ScriptedServer]:
    server = ScriptedServer(*answers)
    try:
        yield server
    finally:
        server.close()


def head(length: int | None, *lines: str, status: str = "200 OK") -> bytes:
    stated = [] if length is None else [f"Content-Length: {length}"]
    text = "\r\n".join([f"HTTP/1.1 {status}", "Connection: close", *stated, *lines])
    return f"{text}\r\n\r\n".encode()


def sends(data: bytes) -> Answer:
    """Send these bytes and close."""
    return lambda connection, _: connection.sendall(data)


def resets_after(data: bytes) -> Answer:
    """Send these bytes, then break the connection the hard way."""

    def answer(connection: socket.socket, _: str) -> None:
        connection.sendall(data)
        time.sleep(0.05)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    return answer


def stalls_after(data: bytes, seconds: float) -> Answer:
    """Send these bytes, then nothing for a while."""

    def answer(connection: socket.socket, _: str) -> None:
        connection.sendall(data)
        time.sleep(seconds)

    return answer


def trickles(data: bytes, tail: bytes, pause: float) -> Answer:
    """Send `data`, then `tail` byte by byte."""

    def answer(connection: socket.socket, _: str) -> None:
        connection.sendall(data)
        for number in tail:
            connection.sendall(bytes([number]))
            time.sleep(pause)

    return answer


def wants_from(request: str) -> int | None:
    """Where a Range request wants to go on, or None."""
    for line in request.splitlines():
        name, _, value = line.partition(": ")
        if name.lower() == "range":
            return int(value.removeprefix("bytes=").removesuffix("-"))
    return None
