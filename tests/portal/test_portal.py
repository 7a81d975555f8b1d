"""The portal's texts are complete, it starts light, and it listens to this machine only."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from string import Formatter
from typing import Any

import pytest
import requests
from babel.messages.extract import extract_from_dir

import portal as room
from portal import pages, serve
from portal.app import make_app
from portal.texts import LANGUAGES, load_texts, speakers
from sources.kit.errors import Refused

ROOM = Path(room.__file__).parent
HEAVY = ("pandas", "pyarrow", "great_expectations", "prefect", "fastapi", "alembic", "requests")


def asked_for() -> set[str]:
    found = extract_from_dir(ROOM, [("**.py", "python")], keywords={"say": None, "plain": None})
    return {message for _, _, message, _, _ in found if isinstance(message, str)}


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_catalogue_holds_what_the_pages_say_and_nothing_else(language: str) -> None:
    held = load_texts(language)
    assert set(held.texts) == asked_for()
    assert set(held.unchecked) == set(held.texts)  # until a native speaker has read them
    for text in held.texts.values():
        assert [name for _, name, _, _ in Formatter().parse(text) if name] == []


@pytest.mark.parametrize(
    ("languages", "spoken"),
    [
        ("da", "da"), ("en", "en"), ("da+en", "da en"), ("en+da", "da en"),
        ("", "da en"), ("de", "da en"), ("de+en", "en"), ("../da", "da en"), ("DA", "da en"),
    ],
)  # fmt: skip
def test_who_speaks(languages: str, spoken: str) -> None:
    assert " ".join(voice.language for voice in speakers(languages)) == spoken


def test_the_policy_allows_the_style_sheet_of_the_page() -> None:
    page = pages.Pages(None).done("da")
    assert f"<style>{pages.style()}</style>" in page
    assert "style=" not in page
    assert "<script" not in page


def test_it_starts_without_anything_heavy() -> None:
    asks = "import json, sys, portal.app, portal.serve; print(json.dumps(sorted(sys.modules)))"
    found = subprocess.run([sys.executable, "-c", asks], capture_output=True, check=True, text=True)
    assert not set(HEAVY) & set(json.loads(found.stdout))


def test_a_taken_port_is_named() -> None:
    with serve.listen(0) as listener:
        taken = listener.getsockname()
        assert taken[0] == "127.0.0.1"
        with pytest.raises(Refused, match=f"port {taken[1]}: .*--port"):
            serve.listen(taken[1])
    with pytest.raises(Refused, match="port 70000"):
        serve.listen(70_000)


def test_serve_tells_where_it_is_and_answers(
    sqlite_office: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    servers, told = [], []
    made = serve.server
    monkeypatch.setattr(serve, "server", lambda app: servers.append(made(app)) or servers[0])
    app = make_app(sqlite_office.engine, [b"k" * 32], lambda: None)
    thread = threading.Thread(target=serve.serve, args=(app, 0, told.append))
    thread.start()
    try:
        until = time.monotonic() + 10
        while not told and time.monotonic() < until:
            time.sleep(0.01)
        assert requests.get(f"{told[0]}/healthz", timeout=10).text == "ok"
        assert told[0].startswith("http://127.0.0.1:")
    finally:
        servers[0].should_exit = True
        thread.join(30)


def test_a_slow_visitor_keeps_nobody_waiting(
    sqlite_office: Any, portal: Callable[..., str]
) -> None:
    """A body that never comes is given up; others are answered meanwhile."""
    import socket

    url = portal(sqlite_office, patience=0.5)
    token = sqlite_office.send()
    with socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2])), timeout=10) as slow:
        slow.sendall(f"POST /u/{token} HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\na".encode())
        assert requests.get(f"{url}/healthz", timeout=5).text == "ok"
        assert slow.recv(100).startswith(b"HTTP/1.1 408")
    assert sqlite_office.stops() == []
