"""The stand-in answers as the publisher does, and misbehaves as told."""

from __future__ import annotations

import csv
import io
import itertools
import subprocess
import sys
import time
import zipfile
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from requests.exceptions import ChunkedEncodingError

from sources.kit import standin, standin_faults, standin_zips
from sources.kit.sample import bundled_sample, columns
from sources.kit.standin import FAULTS, Fault, Pace, Publish, StandIn
from sources.kit.standin_sequence import sequence

API = "/api/v2/golden-copies/publishes"
PUBLISHED = datetime(2026, 11, 2, 8, tzinfo=UTC)
CSV = b'"LEI","Entity.LegalName"\r\n' + b"".join(
    b'"LEI%017d","Company %d"\r\n' % (number, number * 7919 % 10007) for number in range(3000)
)
ONE = Publish(PUBLISHED, CSV)
QUICK = Pace(stall_seconds=0.4, trickle_bytes=4096, trickle_pause=0.01, retry_after="2")


@pytest.fixture
def gleif() -> Iterator[StandIn]:
    with StandIn([ONE], pace=QUICK) as standing:
        yield standing


def get(standing: StandIn, path: str, **options: Any) -> requests.Response:
    options = {"allow_redirects": False} | options
    timeout = options.pop("timeout", 5)
    return requests.get(standing.base_url + path, timeout=timeout, **options)


def entry(standing: StandIn) -> dict[str, Any]:
    listed = get(standing, f"{API}?per_page=1").json()["data"]
    found: dict[str, Any] = listed[0]["lei2"]["full_file"]["csv"]
    return found


def path_of(standing: StandIn) -> str:
    return str(entry(standing)["url"]).removeprefix("https://goldencopy.gleif.org")


def download(standing: StandIn, **options: Any) -> requests.Response:
    return get(standing, path_of(standing), **options)


def opened(content: bytes) -> zipfile.ZipFile:
    return zipfile.ZipFile(io.BytesIO(content))


def test_listing_has_the_published_shape(gleif: StandIn) -> None:
    listed = get(gleif, f"{API}?per_page=1").json()["data"]
    assert len(listed) == 1
    assert set(listed[0]) == {"publish_date", "lei2", "rr", "repex"}
    assert listed[0]["publish_date"] == "2026-11-02 08:00:00"
    bundle = listed[0]["lei2"]
    assert set(bundle) == {"type", "publish_date", "full_file", "delta_files"}
    assert set(bundle["full_file"]) == {"csv", "json", "xml"}
    assert set(bundle["full_file"]["csv"]) == {
        "type", "format", "record_count", "size", "size_human_readable",
        "delta_type", "cdf_version", "url",
    }  # fmt: skip
    assert bundle["delta_files"] == {}
    assert listed[0]["rr"]["full_file"] == {}


def test_listing_numbers_equal_the_file(gleif: StandIn) -> None:
    said = entry(gleif)
    answer = download(gleif)
    assert said["size"] == len(answer.content) == int(answer.headers["Content-Length"])
    with opened(answer.content) as archive:
        assert archive.namelist() == ["20261102-0800-gleif-goldencopy-lei2-golden-copy.csv"]
        rows = list(csv.reader(io.StringIO(archive.read(archive.namelist()[0]).decode())))
    assert said["record_count"] == len(rows) - 1 == 3000
    assert said["url"].endswith("/20261102-0800-gleif-goldencopy-lei2-golden-copy.csv.zip")
    assert "/storage/golden-copy-files/2026/11/02/" in said["url"]
    assert answer.headers["x-gleif-publish-date"] == "2026-11-02T08:00:00+00:00"


def test_bundled_sample_is_served_whole() -> None:
    sample = bundled_sample()
    with StandIn([Publish(sample.published_at, sample.csv)]) as standing:
        assert entry(standing)["record_count"] == sample.rows
        with opened(download(standing).content) as archive:
            content = archive.read(sample.member)
    assert content == sample.csv
    assert content.decode().split("\r\n", 1)[0].count(",") == len(columns()) - 1


def test_newest_publish_comes_first_and_each_is_found_by_date() -> None:
    older = Publish(datetime(2026, 11, 1, 16, tzinfo=UTC), CSV[:2000], has_delta_list=True)
    with StandIn([older, ONE]) as standing:
        listed = get(standing, API).json()["data"]
        dates = [publish["publish_date"] for publish in listed]
        assert dates == ["2026-11-02 08:00:00", "2026-11-01 16:00:00"]
        assert listed[1]["lei2"]["delta_files"] == []
        assert len(get(standing, f"{API}?per_page=1").json()["data"]) == 1
        link = get(standing, f"{API}/lei2/20261101-1600.csv")
        assert link.status_code == 302
        assert "20261101-1600-gleif" in link.headers["Location"]
        standing.publish(Publish(datetime(2026, 11, 3, tzinfo=UTC), CSV))
        assert get(standing, f"{API}/latest").json()["data"]["publish_date"][:10] == "2026-11-03"


def test_latest_endpoints(gleif: StandIn) -> None:
    assert get(gleif, f"{API}/latest").json()["data"]["lei2"]["type"] == "lei2"
    assert get(gleif, f"{API}/lei2/latest").json()["data"]["full_file"]["csv"] == entry(gleif)
    link = get(gleif, f"{API}/lei2/latest.csv")
    assert link.status_code == 302
    assert link.headers["Location"] == path_of(gleif)
    followed = get(gleif, f"{API}/lei2/latest.csv", allow_redirects=True)
    assert followed.content == download(gleif).content


def test_head_is_a_cheap_freshness_check(gleif: StandIn) -> None:
    for path in (f"{API}/lei2/latest.csv", path_of(gleif)):
        answer = requests.head(gleif.base_url + path, timeout=5)
        assert answer.headers["x-gleif-publish-date"] == "2026-11-02T08:00:00+00:00"
        assert answer.content == b""
    assert int(answer.headers["Content-Length"]) == entry(gleif)["size"]


def test_what_is_not_there_is_missing(gleif: StandIn) -> None:
    for path in ("/", f"{API}/lei2/20010101-0000.csv", f"{API}/lei2/latest.csv?delta=LastDay"):
        assert get(gleif, path).status_code == 404
    assert get(gleif, path_of(gleif).replace(".csv", ".json")).status_code == 404


def test_deltas_are_listed_and_served() -> None:
    with StandIn([Publish(PUBLISHED, CSV, deltas={"LastDay": CSV[:1000]})]) as standing:
        listed = get(standing, f"{API}/lei2/latest").json()["data"]["delta_files"]
        assert set(listed) == {"LastDay"}
        link = get(standing, f"{API}/lei2/latest.csv?delta=LastDay", allow_redirects=True)
        assert len(link.content) == listed["LastDay"]["csv"]["size"]
        with opened(link.content) as archive:
            assert archive.read(archive.namelist()[0]) == CSV[:1000]
    with pytest.raises(ValueError, match="LastYear"):
        Publish(PUBLISHED, CSV, deltas={"LastYear": CSV})


def test_files_on_disk_are_served(tmp_path: Path) -> None:
    plain, ready = tmp_path / "plain.csv", tmp_path / "ready.zip"
    plain.write_bytes(CSV)
    ready.write_bytes(standin_zips.packed({"any.csv": CSV}))
    with StandIn([Publish(PUBLISHED, plain)]) as standing:
        assert entry(standing)["record_count"] == 3000
    with StandIn([Publish(PUBLISHED, ready)]) as standing:
        assert entry(standing)["record_count"] == 3000
        assert download(standing).content == ready.read_bytes()
    with StandIn([Publish(PUBLISHED, ready, record_count=7)]) as standing:
        assert entry(standing)["record_count"] == 7


def test_ranges_are_honoured_or_not(gleif: StandIn) -> None:
    whole = download(gleif).content
    part = download(gleif, headers={"Range": "bytes=100-"})
    assert part.status_code == 206
    assert part.content == whole[100:]
    assert part.headers["Content-Range"] == f"bytes 100-{len(whole) - 1}/{len(whole)}"
    assert download(gleif, headers={"Range": "bytes=5-9"}).content == whole[5:10]
    assert download(gleif, headers={"Range": f"bytes={len(whole)}-"}).status_code == 416
    with StandIn([ONE], honours_range=False) as deaf:
        answer = download(deaf, headers={"Range": "bytes=100-"})
        assert answer.status_code == 200
        assert answer.content == whole


def test_requests_are_remembered(gleif: StandIn) -> None:
    requests.get(f"{gleif.base_url}{API}?per_page=1", headers={"User-Agent": "me/1"}, timeout=5)
    requests.head(f"{gleif.base_url}/x", timeout=5)
    seen = [(request.method, request.path) for request in gleif.requests]
    assert seen == [("GET", f"{API}?per_page=1"), ("HEAD", "/x")]
    assert gleif.requests[0].headers["user-agent"] == "me/1"
    assert gleif.foreign_requests == []


class TestMisbehaving:
    def test_unknown_names_are_refused(self, gleif: StandIn) -> None:
        with pytest.raises(ValueError, match="not_a_fault"):
            gleif.misbehave("not_a_fault")
        with pytest.raises(ValueError, match="known: not_a_zip"):
            StandIn(faults=["sulks"])
        with pytest.raises(ValueError, match="cannot strike"):
            Fault("wrong_size", on="file")

    def test_every_fault_is_described_and_tried_here(self) -> None:
        assert all(len(text) > 2 for text in FAULTS.values())
        text = Path(__file__).read_text(encoding="utf-8")
        assert [name for name in FAULTS if f'"{name}"' not in text] == []

    def test_faults_end_after_their_times(self, gleif: StandIn) -> None:
        path = path_of(gleif)
        gleif.misbehave("unavailable", times=2)
        gleif.misbehave("missing", times=1)
        codes = [get(gleif, path).status_code for _ in range(4)]
        assert codes == [503, 503, 404, 200]
        gleif.misbehave("unavailable")
        assert get(gleif, path).status_code == 503
        gleif.behave()
        assert get(gleif, path).status_code == 200

    def test_faults_strike_where_they_are_told_to(self, gleif: StandIn) -> None:
        path = path_of(gleif)
        gleif.misbehave("unavailable", on="listing")
        assert get(gleif, API).status_code == 503
        assert get(gleif, path).status_code == 200
        gleif.behave()
        gleif.misbehave("unavailable", on="head")
        assert requests.head(gleif.base_url + path, timeout=5).status_code == 503
        assert get(gleif, path).status_code == 200
        gleif.behave()
        gleif.misbehave("unavailable", on="any")
        paths = (API, path, f"{API}/lei2/latest.csv")
        assert [get(gleif, each).status_code for each in paths] == [503, 503, 503]

    @pytest.mark.parametrize(
        ("name", "status"),
        [
            ("rate_limited", 429),
            ("rate_limited_bare", 429),
            ("server_error", 500),
            ("unavailable", 503),
            ("missing", 404),
        ],
    )
    def test_statuses(self, gleif: StandIn, name: str, status: int) -> None:
        path = path_of(gleif)
        gleif.misbehave(name)
        answer = get(gleif, path)
        assert answer.status_code == status
        assert answer.headers.get("Retry-After") == ("2" if name == "rate_limited" else None)

    @pytest.mark.parametrize(
        "name",
        [
            "not_a_zip", "truncated_zip", "bad_crc", "second_member", "parent_member",
            "absolute_member", "symlink_member", "encrypted_member", "nested_zip",
        ],
    )  # fmt: skip
    def test_spoiled_files_have_the_listed_size(self, gleif: StandIn, name: str) -> None:
        good = download(gleif).content
        gleif.misbehave(name)
        size = entry(gleif)["size"]
        spoiled = download(gleif).content
        assert size == len(spoiled)
        assert spoiled != good

    def test_not_a_zip_and_truncated(self) -> None:
        for name in ("not_a_zip", "truncated_zip"):
            with StandIn([ONE], faults=[name]) as standing:
                content = download(standing).content
            with pytest.raises(zipfile.BadZipFile):
                opened(content)

    def test_bad_crc_and_encrypted_open_but_do_not_read(self) -> None:
        for name, error in (("bad_crc", zipfile.BadZipFile), ("encrypted_member", RuntimeError)):
            with StandIn([ONE], faults=[name]) as standing:
                archive = opened(download(standing).content)
            with archive, pytest.raises(error):
                archive.read(archive.namelist()[0])

    def test_members_that_must_not_be_read(self) -> None:
        names = {}
        for name in ("second_member", "parent_member", "absolute_member", "symlink_member"):
            with StandIn([ONE], faults=[name]) as standing:
                archive = opened(download(standing).content)
            names[name] = archive.namelist()
            mode = archive.infolist()[0].external_attr >> 16
            assert (mode & 0o170000 == 0o120000) == (name == "symlink_member")
        assert len(names["second_member"]) == 2
        assert names["parent_member"][0].startswith("../")
        assert names["absolute_member"][0].startswith("/")

    def test_nested_zip(self) -> None:
        with StandIn([ONE], faults=["nested_zip"]) as standing:
            archive = opened(download(standing).content)
        assert zipfile.is_zipfile(io.BytesIO(archive.read(archive.namelist()[0])))

    def test_bombs_are_small_and_hold_ten_gibibytes(self) -> None:
        for name, claimed in (("zero_bomb", standin_zips.BOMB_BYTES), ("lying_bomb", 1024**2)):
            with StandIn([ONE], faults=[name]) as standing:
                assert entry(standing)["size"] < 12_000_000
                content = download(standing).content
            with opened(content) as archive:
                info = archive.infolist()[0]
                assert info.file_size == claimed
                assert info.compress_size < 12_000_000
                start = archive.open(info).read(1024)
            assert start == bytes(1024)
        deflated, _ = standin_zips._zeros()
        inflater, block = zlib.decompressobj(-15), len(deflated) // (10 * 1024)
        assert len(inflater.decompress(deflated[: 3 * block])) == 3 * 1024**2
        assert zlib.decompress(deflated[-2:], -15) == b""

    def test_a_page_or_nothing_with_200(self, gleif: StandIn) -> None:
        good, size = download(gleif).content, entry(gleif)["size"]
        gleif.misbehave("html_200", times=1)
        gleif.misbehave("empty_200", times=1)
        assert entry(gleif)["size"] == size
        page = download(gleif)
        assert page.headers["Content-Type"] == "text/html"
        assert page.content == standin_faults.HTML
        assert download(gleif).content == b""
        assert download(gleif).content == good

    def test_listing_that_says_wrong(self, gleif: StandIn) -> None:
        right = entry(gleif)
        gleif.misbehave("wrong_size", times=1)
        assert entry(gleif)["size"] == right["size"] + 1
        gleif.misbehave("wrong_record_count", times=1)
        assert entry(gleif)["record_count"] == right["record_count"] + 1
        gleif.misbehave("listing_empty", times=1)
        assert get(gleif, API).json() == {"data": []}
        gleif.misbehave("listing_not_json", times=1)
        answer = get(gleif, API)
        assert answer.status_code == 200
        with pytest.raises(requests.JSONDecodeError):
            answer.json()
        assert entry(gleif) == right

    @pytest.mark.parametrize("name", ["reset", "cut"])
    def test_broken_once_and_then_whole(self, gleif: StandIn, name: str) -> None:
        path, size = path_of(gleif), entry(gleif)["size"]
        gleif.misbehave(name, times=1)
        pieces: list[bytes] = []
        with get(gleif, path, stream=True) as answer:
            assert int(answer.headers["Content-Length"]) == size
            with pytest.raises((requests.ConnectionError, ChunkedEncodingError)):
                pieces.extend(answer.iter_content(1024))
        received = b"".join(pieces)
        assert 0 < len(received) <= size // 2
        rest = get(gleif, path, headers={"Range": f"bytes={len(received)}-"})
        assert zipfile.is_zipfile(io.BytesIO(received + rest.content))

    def test_reset_is_a_reset(self, gleif: StandIn) -> None:
        path = path_of(gleif)
        gleif.misbehave("reset")
        with pytest.raises(requests.RequestException, match=r"[Rr]eset"):
            get(gleif, path)

    def test_stall_outlasts_an_impatient_client(self, gleif: StandIn) -> None:
        path = path_of(gleif)
        gleif.misbehave("stall")
        with pytest.raises(requests.ConnectionError, match="timed out"):
            get(gleif, path, timeout=0.1)

    def test_no_answer_outlasts_an_impatient_client(self, gleif: StandIn) -> None:
        gleif.misbehave("no_answer", on="listing")
        with pytest.raises(requests.ReadTimeout):
            get(gleif, API, timeout=0.1)

    def test_leaving_lets_go_of_who_is_kept_waiting(self) -> None:
        with StandIn([ONE], faults=[Fault("no_answer", on="any")]) as standing:
            with pytest.raises(requests.ReadTimeout):
                get(standing, API, timeout=0.1)
            assert standing.requests
        assert standing.closing.is_set()

    def test_trickle_brings_everything_slowly(self, gleif: StandIn) -> None:
        good = download(gleif)
        gleif.misbehave("trickle")
        path, start = path_of(gleif), time.monotonic()
        assert get(gleif, path).content == good.content
        pieces = len(good.content) // QUICK.trickle_bytes
        assert pieces > 2
        assert time.monotonic() - start > pieces * QUICK.trickle_pause

    def test_redirects_that_must_not_be_followed(self, gleif: StandIn) -> None:
        path = path_of(gleif)
        gleif.misbehave("redirect_foreign", times=2)
        to = get(gleif, path).headers["Location"]
        assert to.startswith(f"http://localhost:{gleif.port}/")
        assert gleif.foreign_requests == []
        assert get(gleif, path, allow_redirects=True).status_code == 200
        assert len(gleif.foreign_requests) == 1
        gleif.misbehave("redirect_scheme", times=1)
        assert get(gleif, path).headers["Location"].startswith("ftp://")
        gleif.misbehave("redirect_loop")
        with pytest.raises(requests.TooManyRedirects):
            get(gleif, path, allow_redirects=True)


def test_command_serves_until_told_to_stop() -> None:
    command = [sys.executable, "-m", "sources.kit.standin", "--rows", "20", "--fault", "missing"]
    root = Path(standin.__file__).parents[2]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=root) as process:
        assert process.stdout is not None
        base_url = process.stdout.readline().strip()
        listed = requests.get(f"{base_url}{API}/lei2/latest", timeout=5).json()["data"]
        assert listed["full_file"]["csv"]["record_count"] == 20
        path = listed["full_file"]["csv"]["url"].removeprefix("https://goldencopy.gleif.org")
        assert requests.get(base_url + path, timeout=5).status_code == 404
        process.terminate()
        assert process.communicate(timeout=5)[0] == "stopped\n"
    assert process.returncode == 0


def _quoted(rows: dict[str, str]) -> list[tuple[str, ...]]:
    return [tuple(text.replace('"', '""') for text in row) for row in rows.items()]


class TestSequence:
    """Deltas by construction, and the other levels."""

    MOMENTS = tuple(PUBLISHED + timedelta(hours=8 * step) for step in range(5))

    def made(self, *states: dict[str, str]) -> list[Publish]:
        return sequence(
            {
                moment: b'"LEI","Mood"\r\n'
                + b"".join(f'"{name}","{mood}"\r\n'.encode() for name, mood in _quoted(rows))
                for moment, rows in zip(self.MOMENTS, states, strict=False)
            }
        )

    @staticmethod
    def rows(publish: Publish, window: str) -> list[list[str]]:
        content = publish.deltas[window]
        assert isinstance(content, bytes)
        return list(csv.reader(io.StringIO(content.decode(), newline="")))[1:]

    def test_each_window_holds_what_differed_within_its_reach(self) -> None:
        last = self.made(
            {"A": "1", "B": "1", "C": "1"},
            {"A": "2", "B": "1", "C": "1"},
            {"A": "2", "B": "2", "C": "1"},
            {"A": "2", "B": "1", "C": "1", 'D,","': 'a "word"'},
        )[-1]
        assert sorted(self.rows(last, "IntraDay")) == [["B", "1"], ['D,","', 'a "word"']]
        # B was changed and changed back within the day: it is told of as it is now.
        assert sorted(row[0] for row in self.rows(last, "LastDay")) == ["A", "B", 'D,","']
        assert len(self.rows(last, "LastWeek")) == len(self.rows(last, "LastMonth")) == 4

    def test_every_larger_window_holds_the_smaller_one(self) -> None:
        states = [{str(n): str((n * step) % 3) for n in range(9 + step)} for step in range(5)]
        for publish in self.made(*states):
            held = [
                {tuple(row) for row in self.rows(publish, window)}
                for window in ("IntraDay", "LastDay", "LastWeek", "LastMonth")
            ]
            assert held == sorted(held, key=len)
            assert all(less <= more for less, more in itertools.pairwise(held))

    def test_only_other_levels_tell_of_what_is_gone(self) -> None:
        states = [{"A": "1", "B": "1"}, {"A": "1"}]
        assert self.rows(self.made(*states)[-1], "IntraDay") == []
        gone = sequence(
            {
                moment: b'"LEI","Exception.Category"\r\n'
                + b"".join(f'"{name}","x"\r\n'.encode() for name in state)
                for moment, state in zip(self.MOMENTS, states, strict=False)
            },
            "repex",
        )[-1]
        content = gone.deltas["IntraDay"]
        assert isinstance(content, bytes)
        assert content.decode().splitlines() == [
            '"LEI","Exception.Category","DeletedAt"',
            '"B","x","2026-11-02T16:00:00Z"',
        ]

    def test_levels_of_one_moment_are_one_publish(self) -> None:
        levels = [Publish(PUBLISHED, CSV, level="rr"), Publish(PUBLISHED, CSV, level="repex")]
        with StandIn([ONE, *levels]) as standing:
            (listed,) = get(standing, API).json()["data"]
            for level in ("lei2", "rr", "repex"):
                entry = listed[level]["full_file"]["csv"]
                assert entry["url"].endswith(f"-gleif-goldencopy-{level}-golden-copy.csv.zip")
                assert get(standing, f"{API}/{level}/latest").json()["data"] == listed[level]
                link = get(standing, f"{API}/{level}/latest.csv", allow_redirects=True)
                assert len(link.content) == entry["size"]

    def test_the_listing_may_be_wrong_about_deltas_alone(self) -> None:
        with StandIn([Publish(PUBLISHED, CSV, deltas={"LastDay": CSV})]) as standing:
            path = f"{API}/lei2/latest"
            right = get(standing, path).json()["data"]
            for fault, key in (
                ("wrong_delta_size", "size"),
                ("wrong_delta_record_count", "record_count"),
            ):
                standing.misbehave(fault, times=1)
                said = get(standing, path).json()["data"]
                delta = right["delta_files"]["LastDay"]["csv"]
                assert said["delta_files"]["LastDay"]["csv"] == {**delta, key: delta[key] + 1}
                assert said["full_file"] == right["full_file"]
            standing.misbehave("no_deltas", times=1)
            assert get(standing, path).json()["data"]["delta_files"] == []
            assert get(standing, path).json()["data"] == right


def test_command_serves_a_sequence() -> None:
    command = [sys.executable, "-m", "sources.kit.standin", "--rows", "200", "--publishes", "3"]
    root = Path(standin.__file__).parents[2]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=root) as process:
        assert process.stdout is not None
        base_url = process.stdout.readline().strip()
        until, listed = time.monotonic() + 10, []
        while len(listed) < 3 and time.monotonic() < until:
            listed = requests.get(f"{base_url}{API}", timeout=5).json()["data"]
        process.terminate()
        process.communicate(timeout=5)
    counts = [publish["lei2"]["full_file"]["csv"]["record_count"] for publish in listed]
    assert counts == [204, 202, 200]
    assert listed[0]["publish_date"] == "2026-11-03 00:00:00"
    day = listed[0]["lei2"]["delta_files"]["IntraDay"]["csv"]
    assert 2 < day["record_count"] < 20
