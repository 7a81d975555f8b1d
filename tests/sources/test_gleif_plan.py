"""What is planned, and why: headers, the gap, the windows, the counts, and what was refused before.

The publisher is the stand-in with a sequence of publications, over real sockets.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pytest_httpserver import HTTPServer

from sources import gleif_plan
from sources.gleif import CARD, plan
from sources.gleif_files import REACHES
from sources.kit.card import Held, Plan
from sources.kit.errors import DeliveryRefused
from sources.kit.patience import Manners
from sources.kit.session import PoliteSession
from sources.kit.standin import Publish, StandIn
from sources.kit.standin_sequence import sequence

NOW = datetime(2026, 11, 2, 10, tzinfo=UTC)
PUBLISHED = datetime(2026, 11, 2, 8, tzinfo=UTC)
QUICK = Manners(rate=1000, backoff=0.01, read_timeout=1)
HEAD, LISTING = "HEAD", "GET"


def csv_of(*rows: str) -> bytes:
    return "".join(f'"{row}","{row[:1]}"\r\n' for row in ("LEI", *rows)).encode()


FULL = csv_of(*(f"{number}" for number in range(100)))
DELTAS = {window: csv_of("1", "2", "3") for window in REACHES}
ALL_DELTAS = Publish(PUBLISHED, FULL, deltas=DELTAS)


@contextmanager
def asking(standin: StandIn, now: datetime = NOW) -> Iterator[PoliteSession]:
    url = standin.base_url
    with PoliteSession(CARD, lambda: now, base_url=url, manners=QUICK) as session:
        yield session


def planned(
    held: Held | None, publish: Publish = ALL_DELTAS, *, faults: Any = (), **options: Any
) -> tuple[Plan, list[str]]:
    """The plan, and the methods of the requests it took."""
    with StandIn([publish], faults=faults) as standin, asking(standin) as session:
        made = plan(session, held, **options)
        return made, [request.method for request in standin.requests]


def behind(**gap: float) -> Held:
    """What is held when the last publication applied is that far behind; its counts fit."""
    return Held(PUBLISHED - timedelta(**gap), 98, 98, 98)


@pytest.mark.parametrize(
    ("gap", "window"),
    [
        ({"hours": 1}, "IntraDay"),
        ({"hours": 7}, "IntraDay"),
        ({"hours": 7, "minutes": 1}, "LastDay"),
        ({"hours": 8}, "LastDay"),
        ({"hours": 23}, "LastDay"),
        ({"hours": 24}, "LastWeek"),
        ({"days": 6, "hours": 23}, "LastWeek"),
        ({"days": 7}, "LastMonth"),
        ({"days": 30, "hours": 23}, "LastMonth"),
        ({"days": 31}, "GoldenCopy"),
        ({"days": 400}, "GoldenCopy"),
    ],
)
def test_the_smallest_window_that_covers_the_gap_and_an_hour(gap, window) -> None:
    held = behind(**gap)
    made, _ = planned(held)
    assert made.window == window
    assert made.kind == ("full" if window == "GoldenCopy" else "delta")
    assert made.reach == REACHES.get(window)
    assert (made.published_at, made.held_at) == (PUBLISHED, held.published_at)
    smaller = list(REACHES)[: list(REACHES).index(window)] if window in REACHES else list(REACHES)
    assert [name for name, _ in made.passed_over] == smaller
    assert all("it reaches back" in why for _, why in made.passed_over)
    assert gleif_plan.span(timedelta(**gap)) in made.reason


def test_the_plan_is_the_listed_file() -> None:
    made, methods = planned(behind(hours=16))
    assert made.url.endswith("/20261102-0800-gleif-goldencopy-lei2-last-day.csv.zip")
    assert made.record_count == 3
    assert made.size
    assert methods == [HEAD, HEAD, LISTING]  # the first is redirected


@pytest.mark.parametrize("held", [PUBLISHED, PUBLISHED + timedelta(hours=8)])
def test_headers_suffice_to_say_up_to_date(held: datetime) -> None:
    made, methods = planned(Held(held))
    assert (made.kind, made.published_at, made.held_at) == ("up_to_date", PUBLISHED, held)
    assert ("already held" if held == PUBLISHED else "newer than") in made.reason
    assert methods == [HEAD, HEAD]


def test_headers_are_not_asked_where_the_listing_is_needed_anyway() -> None:
    assert planned(None)[1] == [LISTING]
    made, methods = planned(behind(hours=1), is_full_wanted=True)
    assert (made.kind, made.reason, methods) == ("full", "a full file was asked for", [LISTING])
    assert made.passed_over == ()
    assert planned(Held(PUBLISHED), is_full_wanted=True)[0].kind == "full"
    assert planned(Held(None), is_full_wanted=True)[0].reason == "a full file was asked for"
    assert planned(Held(None))[0].reason == "nothing is held yet"


@pytest.mark.parametrize(
    ("status", "headers", "is_read"),
    [
        (200, {"x-gleif-publish-date": "2026-11-02 08:00:00"}, True),
        (200, {"X-GLEIF-Publish-Date": "2026-11-02T08:00:00Z"}, True),
        (200, {"x-gleif-publish-date": "2026-11-02T09:00:00+01:00"}, True),
        (200, {"x-gleif-publish-date": "Mon, 02 Nov 2026 08:00:00 GMT"}, True),
        (200, {"x-gleif-publish-date": "soon"}, False),
        (200, {"x-gleif-publish-date": ""}, False),
        (200, {}, False),
        (302, {"Location": "https://foreign.example/f.zip"}, False),
        *((status, {}, False) for status in (403, 404, 405, 429, 500, 503)),
    ],
)
def test_headers_that_say_nothing_only_lead_to_the_listing(
    httpserver: HTTPServer, status: int, headers: dict[str, str], is_read: bool
) -> None:
    latest = "/api/v2/golden-copies/publishes/lei2/latest.csv"
    httpserver.expect_request(latest, method="HEAD").respond_with_data(
        status=status, headers=headers
    )
    publishes = "/api/v2/golden-copies/publishes"
    file = {"size": 9, "record_count": 9, "url": "https://goldencopy.gleif.org/f.zip"}
    entry = {"publish_date": "2026-11-02 08:00:00", "lei2": {"full_file": {"csv": file}}}
    httpserver.expect_request(publishes, query_string="per_page=1").respond_with_json(
        {"data": [entry]}
    )
    url = httpserver.url_for("").rstrip("/")
    with PoliteSession(CARD, lambda: NOW, base_url=url, manners=QUICK) as session:
        assert plan(session, Held(PUBLISHED)).kind == "up_to_date"
    methods = [request.method for request, _ in httpserver.log]
    assert methods == ([HEAD] if is_read else [HEAD, LISTING])


@pytest.mark.parametrize("fault", ["unavailable", "missing", "rate_limited"])
def test_a_refused_head_costs_one_attempt(fault: str) -> None:
    with StandIn([ALL_DELTAS]) as standin, asking(standin) as session:
        standin.misbehave(fault, on="head")
        assert plan(session, behind(hours=3)).window == "IntraDay"
        assert [request.method for request in standin.requests] == [HEAD, LISTING]


@pytest.mark.parametrize(
    ("publish", "faults"),
    [
        (Publish(PUBLISHED, FULL), ()),
        (Publish(PUBLISHED, FULL, has_delta_list=True), ()),
        (ALL_DELTAS, ["no_deltas"]),
    ],
    ids=["an object", "a list", "a fault"],
)
def test_without_deltas_the_full_file_is_planned(publish: Publish, faults: Any) -> None:
    made, _ = planned(behind(hours=3), publish, faults=faults)
    assert made.kind == "full"
    assert [why for _, why in made.passed_over] == ["it is not listed"] * 4


def spoiled(entry: dict[str, Any], change: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in {**entry, **change}.items() if value is not None}


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"url": None}, "'url' is missing"),
        ({"size": None}, "'size' is missing"),
        ({"size": "12"}, "'size' is missing or not"),
        ({"record_count": None}, "'record_count' is missing"),
        ({"record_count": -1}, "'record_count' is missing or not"),
        ({"publish_date": "2026-11-01 08:00:00"}, "published at 2026-11-01 08:00"),
        ({"publish_date": "soon"}, "not its own"),
        ({"url": "https://g/20261102-0800-gleif-goldencopy-rr-intra-day.csv.zip"}, "not its own"),
        ({"url": "https://g/20261101-0800-gleif-goldencopy-lei2-intra-day.csv"}, "is IntraDay of"),
        ({"url": "https://g/20261102-0800-gleif-goldencopy-lei2-last-day.csv"}, "is LastDay of"),
    ],
)
def test_a_delta_that_is_not_fully_listed_gives_way_to_a_larger_one(
    monkeypatch: pytest.MonkeyPatch, change: dict[str, Any], why: str
) -> None:
    real = PoliteSession.get_json

    def changed(session: PoliteSession, url: str) -> Any:
        listing = real(session, url)
        deltas = listing["data"][0]["lei2"]["delta_files"]
        deltas["IntraDay"]["csv"] = spoiled(deltas["IntraDay"]["csv"], change)
        return listing

    monkeypatch.setattr(PoliteSession, "get_json", changed)
    made, _ = planned(behind(hours=3))
    assert made.window == "LastDay"
    ((window, said),) = made.passed_over
    assert window == "IntraDay"
    assert why in said


@pytest.mark.parametrize("left", [("LastWeek", "LastMonth"), ("LastMonth",), ()])
def test_a_window_that_is_missing_gives_way_to_the_next(left: tuple[str, ...]) -> None:
    publish = replace(ALL_DELTAS, deltas={name: DELTAS[name] for name in left})
    made, _ = planned(behind(hours=3), publish)
    assert made.window == (left[0] if left else "GoldenCopy")


@pytest.mark.parametrize(
    ("expected", "is_delta"),
    [((98, 98), True), ((100, 100), True), ((97, 97), True), ((90, 97), True),
     ((96, 96), False), ((101, 101), False), ((90, 96), False), ((None, None), False)],
)  # fmt: skip
def test_counts_that_do_not_fit_ask_for_the_full_file(
    expected: tuple[int | None, int | None], is_delta: bool
) -> None:
    """100 are listed, the delta brings 3: from 97 on they can be had with it, over 100 never."""
    made, _ = planned(Held(PUBLISHED - timedelta(hours=3), 98, *expected))
    assert made.kind == ("delta" if is_delta else "full")
    if is_delta:
        return
    assert made.reason.startswith("counts do not fit")
    assert len(made.passed_over) == len(REACHES)
    if expected[0] is not None:
        for figure in (100, expected[0], (expected[1] or 0) + 3):
            assert str(figure) in made.reason


def test_a_level_whose_records_go_has_no_rule_of_counts() -> None:
    with StandIn([ALL_DELTAS]) as standin, asking(standin) as session:
        held = Held(PUBLISHED - timedelta(hours=3), 500, 500, 500)
        made = gleif_plan.plan(session, held, card=CARD, level="lei2", only_grows=False)
    assert made.window == "IntraDay"


@pytest.mark.parametrize("level", ["rr", "repex"])
def test_the_other_levels_are_planned_from_their_own_files(level: Any) -> None:
    other = replace(ALL_DELTAS, level=level, content=csv_of("9"))
    with StandIn([ALL_DELTAS, other]) as standin, asking(standin) as session:
        made = gleif_plan.plan(session, None, card=CARD, level=level, only_grows=False)
        held = behind(hours=3)
        delta = gleif_plan.plan(session, held, card=CARD, level=level, only_grows=False)
        assert standin.requests[1].path.endswith(f"/{level}/latest.csv")
    assert (made.record_count, made.window) == (1, "GoldenCopy")
    assert f"-gleif-goldencopy-{level}-intra-day.csv.zip" in delta.url


def test_what_was_refused_before_gives_way_to_a_larger_file() -> None:
    held = behind(hours=3)
    refused: tuple[tuple[datetime, str], ...] = ()
    with StandIn([ALL_DELTAS]) as standin, asking(standin) as session:
        taken = []
        for _ in range(6):
            made = plan(session, replace(held, refused=refused))
            taken.append(made.window)
            refused += ((PUBLISHED, session.address(made.url)),)
        of_another = ((PUBLISHED - timedelta(hours=8), made.url),)
        assert plan(session, replace(held, refused=of_another)).window == "IntraDay"
    assert taken == [*REACHES, "GoldenCopy", "GoldenCopy"]
    assert ("IntraDay", "it was fetched before and refused") in made.passed_over


@pytest.mark.parametrize(("hours", "is_believed"), [(23, True), (25, False)])
def test_a_publication_from_the_future_is_refused(hours: int, is_believed: bool) -> None:
    with StandIn([ALL_DELTAS]) as standin:
        for held in (None, behind(hours=3)):
            with asking(standin, PUBLISHED - timedelta(hours=hours)) as session:
                if is_believed:
                    assert plan(session, held).published_at == PUBLISHED
                    continue
                with pytest.raises(DeliveryRefused, match="in the future") as raised:
                    plan(session, held)
                assert "2026-11-02 08:00 UTC" in raised.value.thing


def test_a_listing_older_than_what_is_held_is_up_to_date() -> None:
    with StandIn([ALL_DELTAS]) as standin, asking(standin) as session:
        standin.misbehave("missing", on="head")
        made = plan(session, Held(PUBLISHED + timedelta(hours=8)))
    assert (made.kind, "what is held is newer" in made.reason) == ("up_to_date", True)


def test_a_sequence_is_planned_step_by_step() -> None:
    states = {
        PUBLISHED + timedelta(hours=8 * step): csv_of(*(str(n) for n in range(100 + step)))
        for step in range(4)
    }
    publishes = sequence(states)
    with StandIn(publishes[:1]) as standin:
        held: Held | None = None
        windows = []
        for step, publish in enumerate(publishes):
            if step:
                standin.publish(publish)
            with asking(standin, publish.published_at) as session:
                made = plan(session, held)
            windows.append((made.window, made.record_count))
            held = Held(publish.published_at, 100, 100 + step, 100 + step)
    # Nothing was published a day before the third: its delta holds everything.
    assert windows == [("GoldenCopy", 100), ("LastDay", 101), ("LastDay", 102), ("LastDay", 3)]
