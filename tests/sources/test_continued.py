"""Downloads that a run began and another ends: continued where that is safe, else begun anew."""

from __future__ import annotations

import hashlib
import json
import os
import random
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from dying_downloads import CUT, DATA, PATH, beginning, hangs, killed, parts, rest
from scripted_server import ScriptedServer, head, scripted, sends, wants_from

from sources.gleif import CARD
from sources.kit.archive import open_member
from sources.kit.errors import DeliveryRefused, SourceUnavailable
from sources.kit.landing import Landing
from sources.kit.partial import CONTINUED_WITHIN, Told, Wanted
from sources.kit.patience import Manners
from sources.kit.session import PoliteSession
from sources.kit.standin import Pace, Publish, StandIn

ROOT = Path(__file__).resolve().parents[2]
NOW = datetime(2026, 11, 20, 8, tzinfo=UTC)
QUICK = Manners(rate=1000, attempts=2, connect_timeout=1, read_timeout=2, backoff=0.01, budget=20)
OTHER = random.Random(3).randbytes(len(DATA))
ETAG, NEWER_ETAG = 'ETag: "one"', 'ETag: "two"'
DATE = "Last-Modified: Fri, 20 Nov 2026 08:00:00 GMT"


@pytest.fixture
def landing(tmp_path: Path) -> Landing:
    return Landing(tmp_path / "landing")


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def fetch(url: str, landing: Landing, size: int | None = len(DATA), path: str = PATH) -> str:
    with PoliteSession(CARD, lambda: NOW, base_url=url, manners=QUICK) as session:
        return session.download(CARD.base_url + path, landing, expected_size=size)[1]


def ranges(server: ScriptedServer) -> list[int | None]:
    return [wants_from(request) for request in server.requests]


@pytest.fixture(scope="module")
def zipped() -> bytes:
    """A real zip of real length, whose checksum can be broken."""
    import io
    import zipfile

    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("20261120-0800-gleif-goldencopy-lei2-golden-copy.csv", DATA.hex())
    return made.getvalue()


def test_what_a_killed_run_received_of_the_stand_in_is_continued(
    landing: Landing, tmp_path: Path, zipped: bytes
) -> None:
    """SIGKILL in the middle of a body; the stand-in sends no validator, its listing a length."""
    (tmp_path / "f.zip").write_bytes(zipped)
    publish = Publish(NOW, tmp_path / "f.zip", record_count=1)
    with StandIn([publish], pace=Pace(stall_seconds=60)) as standin:
        held = standin.find("lei2", None, None)
        assert held is not None
        standin.misbehave("stall", times=1)
        half = len(zipped) // 2
        killed(standin.base_url, landing, half, size=len(zipped), path=held.url_path)
        assert [part.stat().st_size for part in parts(landing)] == [half]
        assert landing.sweep_partials(datetime.now(UTC)) == 0
        found = fetch(standin.base_url, landing, len(zipped), held.url_path)
        asked = [request.headers.get("range") for request in standin.requests]
    assert asked == [None, f"bytes={half}-"]
    assert found == digest(zipped)
    assert [path.name for path in landing.root.rglob("*") if path.is_file()] == [f"{found}.bin"]


def test_where_the_stand_in_ignores_ranges_the_next_run_starts_over(
    landing: Landing, tmp_path: Path, zipped: bytes
) -> None:
    (tmp_path / "f.zip").write_bytes(zipped)
    publish = Publish(NOW, tmp_path / "f.zip", record_count=1)
    with StandIn([publish], pace=Pace(stall_seconds=60), honours_range=False) as standin:
        held = standin.find("lei2", None, None)
        assert held is not None
        standin.misbehave("stall", times=1)
        half = len(zipped) // 2
        killed(standin.base_url, landing, half, size=len(zipped), path=held.url_path)
        assert fetch(standin.base_url, landing, len(zipped), held.url_path) == digest(zipped)


@pytest.mark.parametrize("lines", [(ETAG,), (DATE,), (ETAG, DATE)])
def test_the_validator_of_the_dead_run_is_asked_with(
    landing: Landing, lines: tuple[str, ...]
) -> None:
    with scripted(hangs(*lines), rest(*lines)) as server:
        killed(server.url, landing, CUT, size=0)
        assert fetch(server.url, landing, None) == digest(DATA)
        assert ranges(server) == [None, CUT]
        assert f"If-Range: {lines[0].partition(': ')[2]}" in server.requests[1]


@pytest.mark.parametrize(
    ("before", "after", "asked"),
    [
        ((ETAG,), (NEWER_ETAG,), [None, CUT]),
        ((DATE,), (DATE.replace("Fri, 20", "Sat, 21"),), [None, CUT]),
        (('ETag: W/"one"',), ('ETag: W/"two"',), [None, CUT, None]),
        ((), (), [None, CUT]),
    ],
    ids=["etag", "date", "weak etag", "nothing but a length"],
)
def test_a_file_that_changed_between_the_runs_is_fetched_from_the_start(
    landing: Landing, before: tuple[str, ...], after: tuple[str, ...], asked: list[int | None]
) -> None:
    """The same address and length; without a validator only another length can tell."""
    other = OTHER if after else OTHER + b"more"
    with scripted(hangs(*before), rest(*after, data=other)) as server:
        killed(server.url, landing, CUT)
        if not after:  # listed anew, so asked for anew
            assert fetch(server.url, landing, len(other)) == digest(other)
            assert ranges(server) == [None, None]
            return
        assert fetch(server.url, landing) == digest(other)
        assert ranges(server) == asked
    assert parts(landing) == []


def test_a_server_that_continues_another_file_is_not_believed(landing: Landing) -> None:
    """It ignores If-Range, and its 206 names another ETag: nothing of it is taken."""

    def careless(connection, request: str) -> None:
        start = wants_from(request) or 0
        stated = f"Content-Range: bytes {start}-{len(OTHER) - 1}/{len(OTHER)}"
        status = "206 Partial Content" if start else "200 OK"
        announced = head(len(OTHER) - start, stated, NEWER_ETAG, status=status)
        connection.sendall(announced + OTHER[start:])

    with scripted(hangs(ETAG), careless) as server:
        killed(server.url, landing, CUT)
        assert fetch(server.url, landing) == digest(OTHER)
        assert ranges(server) == [None, CUT, None]


def test_without_validator_and_listed_length_nothing_is_continued(landing: Landing) -> None:
    with scripted(hangs(), rest()) as server:
        killed(server.url, landing, CUT, size=0)
        assert landing.sweep_partials(datetime.now(UTC)) == 1
        assert fetch(server.url, landing, None) == digest(DATA)
        assert set(ranges(server)) == {None}


def test_a_part_that_is_whole_is_not_believed_before_the_server_says_so(landing: Landing) -> None:
    """Killed between the last byte and its place: one byte is asked for again."""
    with scripted(hangs(ETAG, cut=len(DATA) - 1), rest(ETAG)) as server:
        killed(server.url, landing, len(DATA) - 1)
        with parts(landing)[0].open("ab") as part:
            part.write(DATA[-1:])
        assert fetch(server.url, landing) == digest(DATA)
        assert ranges(server) == [None, len(DATA) - 1]


def test_wrong_bytes_are_refused_once_and_never_continued(landing: Landing, zipped: bytes) -> None:
    """A power cut may leave what was never sent: the archive's checksum tells."""
    with scripted(hangs(ETAG, data=zipped), rest(ETAG, data=zipped)) as server:
        killed(server.url, landing, CUT, size=len(zipped))
        part = parts(landing)[0]
        part.write_bytes(part.read_bytes()[:-4096] + bytes(4096))
        wrong = fetch(server.url, landing, len(zipped))
        assert wrong != digest(zipped)
        path = landing.root / wrong[:2] / f"{wrong}.bin"
        with pytest.raises(DeliveryRefused), open_member(path) as (_, stream):
            list(stream.chunks())
        assert fetch(server.url, landing, len(zipped)) == digest(zipped)
        assert ranges(server) == [None, CUT, None]


def test_what_a_download_refuses_is_never_continued(landing: Landing) -> None:
    def too_long(connection, request: str) -> None:
        start = wants_from(request)
        stated = f"Content-Range: bytes {start}-{len(DATA) - 1}/{len(DATA)}"
        announced = head(len(DATA), stated, ETAG, status="206 Partial Content")
        connection.sendall(announced + DATA[CUT:] + b"more" * 100_000)

    with scripted(hangs(ETAG), too_long, rest(ETAG)) as server:
        killed(server.url, landing, CUT)
        with pytest.raises(DeliveryRefused, match="longer than"):
            fetch(server.url, landing)
        assert list(landing.root.iterdir()) == []
        assert fetch(server.url, landing) == digest(DATA)
        assert ranges(server) == [None, CUT, None]


def test_a_publisher_that_goes_down_is_continued_when_it_is_back(landing: Landing) -> None:
    cut = sends(head(len(DATA), ETAG) + DATA[:CUT])
    down = sends(head(0, status="503 Service Unavailable"))
    with scripted(cut, down, rest(ETAG)) as server:
        with pytest.raises(SourceUnavailable):
            fetch(server.url, landing)
        assert fetch(server.url, landing) == digest(DATA)
        assert ranges(server) == [None, CUT, CUT]


def test_two_processes_fetch_the_same_file_at_once(landing: Landing) -> None:
    """The second leaves the first's part alone and fetches for itself."""
    with scripted(hangs(ETAG), rest(ETAG)) as server, beginning(server.url, landing, CUT) as first:
        theirs = parts(landing)
        assert fetch(server.url, landing) == digest(DATA)
        assert ranges(server) == [None, None]
        assert landing.sweep_partials(datetime.now(UTC) + 2 * CONTINUED_WITHIN) == 0
        assert parts(landing) == theirs
        assert first.poll() is None


def test_no_part_is_named_by_an_address_that_may_hold_a_key(landing: Landing) -> None:
    with scripted(hangs(ETAG)) as server, beginning(server.url, landing, CUT):
        found = [path for path in landing.root.iterdir() if path.is_file()]
        assert [path.stat().st_mode & 0o777 for path in found] == [0o600] * 2
        for path in found:
            assert "Planted" not in path.name
            assert b"Planted" not in path.read_bytes()


@pytest.mark.parametrize("what", ["old", "unknown", "cut note", "empty"])
def test_what_nobody_can_continue_is_swept(landing: Landing, what: str) -> None:
    with scripted(hangs(ETAG), rest(ETAG)) as server:
        killed(server.url, landing, CUT)
        now = datetime.now(UTC)
        assert landing.sweep_partials(now + CONTINUED_WITHIN - timedelta(hours=1)) == 0
        part, note = sorted(path for path in landing.root.iterdir() if path.is_file())
        assert json.loads(note.read_text()) == {
            "total": len(DATA), "etag": '"one"', "last_modified": None,
        }  # fmt: skip
        if what == "old":
            os.utime(part, (0, (now - CONTINUED_WITHIN).timestamp()))
        elif what == "unknown":
            note.unlink()
        elif what == "cut note":
            note.write_text(note.read_text()[:-5])
        else:
            part.write_bytes(b"")
        if what == "cut note":
            assert fetch(server.url, landing) == digest(DATA)
            assert ranges(server) == [None, None]
            return
        assert landing.sweep_partials(now) == 1
        assert list(landing.root.iterdir()) == []


def test_a_source_leaves_one_part_at_most(landing: Landing) -> None:
    """Its next file is another one: the one before is listed no more."""
    with scripted(hangs(ETAG), rest(ETAG)) as server:
        killed(server.url, landing, CUT)
        assert fetch(server.url, landing, path="/storage/g.zip") == digest(DATA)
        assert parts(landing) == []


def test_many_at_once_never_write_into_each_others_file(landing: Landing) -> None:
    """Kept, left, refused and swept at random under one name: what is kept is what was written."""

    def work(seed: int) -> None:
        draw = random.Random(seed)
        for _ in range(150):
            with suppress(SourceUnavailable, DeliveryRefused), landing.partial(wanted) as part:
                if draw.random() < 0.5:
                    part.restart()
                part.note(Told(total=1_000_000, etag='"one"'))
                for _ in range(draw.randint(1, 4)):
                    part.write(draw.randbytes(1000))
                end = draw.choice((SourceUnavailable, DeliveryRefused, None))
                if end is not None:
                    raise end("thing", "cause", "cure")
                path, sha256, size = part.keep()
                assert (digest(path.read_bytes()), path.stat().st_size) == (sha256, size)
            landing.sweep_partials(datetime.now(UTC) + 2 * CONTINUED_WITHIN * draw.randint(0, 1))

    wanted = Wanted("gleif", "https://goldencopy.gleif.org/f.zip", 1_000_000)
    with ThreadPoolExecutor(6) as pool:
        for done in [pool.submit(work, seed) for seed in range(6)]:
            done.result(60)
    for path in landing.root.rglob("*.bin"):
        assert digest(path.read_bytes()) == path.stem
