"""Finland's PRH from plan to frames: the whole file, dated or not, and business IDs one by one."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from register_files import zipped

from sources import prh
from sources.kit.card import Held
from sources.kit.catalogue import source
from sources.kit.errors import DeliveryRefused, SourceUnavailable
from sources.kit.landing import Landing
from sources.kit.patience import Manners
from sources.kit.sample_registers import bundled_registers
from sources.kit.session import PoliteSession
from sources.kit.standin_prh import ROOT, Prh
from sources.kit.standin_registers import RegisterStandIn
from sources.prh import CARD, KEYS_AT_ONCE, adopt, as_held, fetch, fetch_keys, plan, rows_of

DAY = date(2026, 11, 2)
BUILT = datetime(2026, 11, 2, 4, tzinfo=UTC)
NOW = datetime(2026, 11, 2, 9, 30, tzinfo=UTC)
FIRMS = bundled_registers(DAY).firms["prh"]
NUMBERS = [firm.number for firm in FIRMS]
QUICK = Manners(rate=1000, backoff=0.01, read_timeout=1)
UNKNOWN = "1234567-1"


@pytest.fixture
def register() -> Prh:
    return Prh(FIRMS, DAY)


@pytest.fixture
def standing(register: Prh) -> Iterator[RegisterStandIn]:
    with RegisterStandIn(register) as found:
        yield found


@pytest.fixture
def polite(standing: RegisterStandIn) -> Iterator[PoliteSession]:
    with PoliteSession(CARD, lambda: NOW, base_url=standing.base_url, manners=QUICK) as session:
        yield session


@pytest.fixture
def landing(tmp_path: Path) -> Landing:
    return Landing(tmp_path / "landing")


def opened(path: Path) -> tuple[list[Any], list[str], tuple[str, ...]]:
    """The rows of all frames, the unknown fields, the keys the publisher does not know."""
    with rows_of(path, lambda frame: frame) as rows:
        frames = list(rows.frames)
        return frames, rows.unknown, rows.absent


def keys(path: Path) -> list[str]:
    return [key for frame in opened(path)[0] for key in frame.table["source_key"].to_pylist()]


def test_it_is_a_source_with_its_card() -> None:
    assert source("prh") is prh
    assert CARD.record_url("0100130-4") == "https://tietopalvelu.ytj.fi/yritys/0100130-4"
    assert CARD.rate * 60 < 300 / 2


def test_the_whole_file_comes_in(polite: PoliteSession, landing: Landing) -> None:
    planned = plan(polite, None)
    assert (planned.kind, planned.published_at) == ("full", BUILT)
    landed = fetch(polite, planned, landing)
    assert (landed.kind, landed.published_at) == ("full", BUILT)
    assert landed.member == "data_20261102.json"
    frames, unknown, absent = opened(landed.path)
    assert (sorted(keys(landed.path)), unknown, absent) == (sorted(NUMBERS), [], ())
    assert {row["kind"] for frame in frames for row in frame.contacts.to_pylist()} == {"website"}
    assert plan(polite, Held(landed.published_at)).kind == "up_to_date"


def test_an_undated_file_was_published_when_it_is_retrieved(
    polite: PoliteSession, register: Prh, landing: Landing
) -> None:
    register.is_dated = False
    planned = plan(polite, None)
    assert planned.published_at is None
    assert fetch(polite, planned, landing).published_at == NOW
    fresh = plan(polite, Held(NOW - timedelta(hours=5)))
    assert (fresh.kind, fresh.reason) == (
        "up_to_date",
        "the file bears no date, and what is held was fetched 5 h ago: less than a day",
    )
    # A daily run is never exactly a day after the one before.
    nearly = plan(polite, Held(NOW - timedelta(hours=23, minutes=58)))
    assert (nearly.kind, nearly.reason) == (
        "full",
        "the file bears no date, and what is held was fetched 24 h ago",
    )
    assert plan(polite, Held(NOW), is_full_wanted=True).kind == "full"


@pytest.mark.parametrize("status", [405, 501])
def test_a_server_without_head_is_as_one_without_dates(
    httpserver: HTTPServer, landing: Landing, register: Prh, status: int
) -> None:
    path = f"{ROOT}/all_companies"
    httpserver.expect_request(path, method="HEAD").respond_with_data(status=status)
    httpserver.expect_request(path, method="GET").respond_with_data(
        register.archive, headers={"Last-Modified": "Mon, 02 Nov 2026 04:00:00 GMT"}
    )
    base_url = httpserver.url_for("").rstrip("/")
    with PoliteSession(CARD, lambda: NOW, base_url=base_url, manners=QUICK) as session:
        planned = plan(session, None)
        assert (planned.kind, planned.published_at) == ("full", None)
        assert fetch(session, planned, landing).published_at == BUILT


@pytest.mark.parametrize("answer", ["half past", "", "Mon, 02 Nov 2026 04:00:00 -0000"])
def test_an_odd_last_modified_is_no_fault(httpserver: HTTPServer, answer: str) -> None:
    httpserver.expect_request(f"{ROOT}/all_companies").respond_with_data(
        b"", headers={"Last-Modified": answer, "Content-Length": "0"}
    )
    base_url = httpserver.url_for("").rstrip("/")
    with PoliteSession(CARD, lambda: NOW, base_url=base_url, manners=QUICK) as session:
        planned = plan(session, None)
    assert planned.size is None
    assert planned.published_at == (BUILT if answer.startswith("Mon") else None)


def test_429_from_others_load_is_waited_for(
    polite: PoliteSession, standing: RegisterStandIn, register: Prh, landing: Landing
) -> None:
    standing.misbehave("rate_limited_bare", times=2)
    standing.misbehave("rate_limited_bare", times=2, on="all_companies")
    assert keys(fetch(polite, plan(polite, None), landing).path)
    register.others_took()
    register.retry_after = "600"
    with pytest.raises(SourceUnavailable, match="asks to wait 600 s"):
        plan(polite, None)


def test_a_crowded_minute_is_waited_for_longer_than_a_fault(standing: RegisterStandIn) -> None:
    for fault, least in (("rate_limited_bare", 0.2), ("server_error", 0.05)):
        standing.misbehave(fault, times=1)
        manners = Manners(rate=1000, backoff=0.05)
        with PoliteSession(
            CARD, lambda: NOW, base_url=standing.base_url, manners=manners
        ) as session:
            started = time.monotonic()
            plan(session, None)
        assert least <= time.monotonic() - started < 4 * least


@pytest.mark.parametrize("fault", ["error_200", "html_200", "truncated", "empty_200"])
def test_what_is_not_the_file_is_refused(
    polite: PoliteSession, standing: RegisterStandIn, landing: Landing, fault: str
) -> None:
    planned = plan(polite, None)
    standing.misbehave(fault)
    with pytest.raises(DeliveryRefused):
        fetch(polite, planned, landing)


def test_a_file_by_hand_is_dated_by_its_member(
    tmp_path: Path, register: Prh, landing: Landing
) -> None:
    path = tmp_path / "finland.zip"
    path.write_bytes(register.archive)
    landed = adopt(path, landing, NOW)
    assert (landed.kind, landed.member) == ("full", "data_20261102.json")
    assert landed.published_at == datetime(2026, 11, 2, tzinfo=UTC)
    odd = zipped(tmp_path / "odd.zip", "data_20261399.json", "[]")
    assert adopt(odd, landing, NOW).published_at is None
    other = zipped(tmp_path / "other.zip", "all.json", "[]")
    assert adopt(other, landing, NOW).kind == "file"


def test_business_ids_are_asked_for_one_by_one(
    polite: PoliteSession, standing: RegisterStandIn, landing: Landing
) -> None:
    asked = [*NUMBERS[:3], UNKNOWN, "no number"]
    landed = fetch_keys(polite, asked, landing)
    assert landed is not None
    assert [request.path for request in standing.requests] == [
        f"{ROOT}/companies?businessId={number}" for number in (*NUMBERS[:3], UNKNOWN)
    ]
    assert (landed.kind, landed.published_at, landed.asked) == ("api", NOW, tuple(asked))
    assert landed.record_count == 3
    (frame,), unknown, absent = opened(landed.path)
    assert frame.table["source_key"].to_pylist() == NUMBERS[:3]
    assert (unknown, absent) == ([], (UNKNOWN,))
    content = landed.path.read_bytes()
    assert frame.origin.row_count == 3
    for offset in frame.origin.row_offsets():
        assert content[offset:].startswith(b'{"totalResults": 1')


def test_an_answer_says_the_same_as_the_file(polite: PoliteSession, landing: Landing) -> None:
    landed = fetch_keys(polite, sorted(NUMBERS)[:KEYS_AT_ONCE], landing)
    assert landed is not None
    (answered,), _, _ = opened(landed.path)
    whole, _, _ = opened(fetch(polite, plan(polite, None), landing).path)
    by_key = {row["source_key"]: row for frame in whole for row in frame.table.to_pylist()}
    for row in answered.table.to_pylist():
        assert {**row, "ordinal": 0} == {**by_key[row["source_key"]], "ordinal": 0}
    assert as_held(answered, {}) is answered


def test_the_same_answer_on_two_days_is_two_deliveries(
    standing: RegisterStandIn, landing: Landing
) -> None:
    found = []
    for day in (0, 1):
        moment = NOW + timedelta(days=day)
        with PoliteSession(
            CARD, lambda moment=moment: moment, base_url=standing.base_url, manners=QUICK
        ) as session:
            found.append(fetch_keys(session, NUMBERS[:1], landing))
    assert found[0].sha256 != found[1].sha256
    assert keys(found[0].path) == keys(found[1].path) == NUMBERS[:1]


def test_nothing_lands_of_numbers_nobody_knows(polite: PoliteSession, landing: Landing) -> None:
    assert fetch_keys(polite, [UNKNOWN, "12"], landing) is None
    assert [path for path in landing.root.rglob("*") if path.is_file()] == []
    for many in ([], NUMBERS[:1] * (KEYS_AT_ONCE + 1)):
        with pytest.raises(ValueError, match="1 to 20 business IDs"):
            fetch_keys(polite, many, landing)


@pytest.mark.parametrize(
    ("answer", "cause"),
    [
        ({"timestamp": "now", "message": "secret", "errorcode": 500}, r"\(errorcode 500\)"),
        ({"totalResults": 1}, "it is not a page of companies"),
        ([], "it is not a page of companies"),
        ({"totalResults": 250, "companies": [{}] * 100}, "it lists 250 companies"),
        ({"totalResults": 1, "companies": [{"businessId": {"value": UNKNOWN}}]}, "it lists 1"),
        ({"totalResults": 1, "companies": ["x"]}, "it lists 1 companies"),
        ({"totalResults": 1, "companies": []}, "it lists 1 companies"),
    ],
)
def test_an_answer_of_another_form_refuses_the_batch(
    httpserver: HTTPServer, landing: Landing, answer: Any, cause: str
) -> None:
    httpserver.expect_request(f"{ROOT}/companies").respond_with_json(answer)
    base_url = httpserver.url_for("").rstrip("/")
    with (
        PoliteSession(CARD, lambda: NOW, base_url=base_url, manners=QUICK) as session,
        pytest.raises(DeliveryRefused, match=cause) as raised,
    ):
        fetch_keys(session, NUMBERS[:2], landing)
    assert "secret" not in str(raised.value)
    assert [path for path in landing.root.rglob("*") if path.is_file()] == []


def test_what_was_landed_and_is_damaged_is_refused(polite: PoliteSession, landing: Landing) -> None:
    landed = fetch_keys(polite, NUMBERS[:2], landing)
    assert landed is not None
    whole = landed.path.read_bytes()
    landed.path.write_bytes(whole[:-10])
    with pytest.raises(DeliveryRefused, match="cut off"):
        opened(landed.path)
    landed.path.write_bytes(whole.replace(b'"bytes"', b'"bites"', 1))
    with pytest.raises(DeliveryRefused, match="damaged"):
        opened(landed.path)


def test_a_company_of_another_shape_in_an_answer_is_refused(
    httpserver: HTTPServer, landing: Landing
) -> None:
    company = {"businessId": {"value": NUMBERS[0]}, "names": "none"}
    httpserver.expect_request(f"{ROOT}/companies").respond_with_json(
        {"totalResults": 1, "companies": [company]}
    )
    base_url = httpserver.url_for("").rstrip("/")
    with PoliteSession(CARD, lambda: NOW, base_url=base_url, manners=QUICK) as session:
        landed = fetch_keys(session, NUMBERS[:1], landing)
    assert landed is not None
    with pytest.raises(DeliveryRefused, match="not of the published shape"):
        opened(landed.path)
