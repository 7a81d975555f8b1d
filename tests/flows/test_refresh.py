"""`refresh` against a stand-in of GLEIF's API: what it writes, what it shows, what it refuses."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from ingesting import MOMENT, Ingesting, Row, company, lei, opened, quiet
from our_command import runner

from flows import refresh_steps
from flows.refresh_report import Answer, Report
from sources.kit.errors import DeliveryRefused, Refused, SourcenoteError, SourceUnavailable
from sources.kit.sample import bundled_sample
from sources.kit.standin_api import Api, ApiStandIn
from warehouse import merge

pytestmark = pytest.mark.usefixtures("in_a_hurry")

PUBLISHED = datetime(2026, 11, 2, 8, tzinfo=UTC)
FILE_DAY = "2026-11-01"


class Asking:
    """A house that holds a first file, an API that serves what it is told, and `refresh`."""

    def __init__(self, place: Ingesting, standin: ApiStandIn) -> None:
        self.place, self.api, self.base_url = place, standin.api, standin.base_url

    def serve(self, *rows: Row) -> None:
        self.api.rows = {row["LEI"]: row for row in rows}

    def refresh(self, *leis: str, dry_run: bool = False) -> Report:
        request = refresh_steps.request_for(leis, base_url=self.base_url)
        return refresh_steps.run(self.place.house, request, quiet, dry_run=dry_run)

    def one(self, number: int = 1, *, dry_run: bool = False) -> Answer:
        (answer,) = self.refresh(lei(number), dry_run=dry_run).answers
        return answer

    def deliveries(self) -> list[Mapping[str, Any]]:
        found: list[Mapping[str, Any]] = self.place.ask(
            "SELECT * FROM deliveries WHERE kind = 'api' ORDER BY delivery_id"
        )
        return found

    def everything(self) -> Any:
        return self.place.tables(without=("ended_at",))


@pytest.fixture
def empty(warehouse_url: str, tmp_path: Path) -> Iterator[Asking]:
    with ExitStack() as stack:
        place = stack.enter_context(opened(warehouse_url, tmp_path))
        standin = stack.enter_context(ApiStandIn(Api(PUBLISHED, retry_after="0")))
        yield Asking(place, standin)


@pytest.fixture
def asking(empty: Asking) -> Asking:
    empty.place.full([company(n) for n in (1, 2, 3)], FILE_DAY)
    empty.serve(*(company(n) for n in (1, 2, 3)))
    return empty


def test_the_sample_is_the_same_by_file_and_by_api(empty: Asking) -> None:
    sample = bundled_sample()
    empty.place.ingest(sample.csv, "full", "2026-11-02")
    empty.api.rows = Api.of_csv(sample.csv, PUBLISHED).rows
    held = [row["lei"] for row in empty.place.ask("SELECT lei FROM prospects ORDER BY lei")]
    before, cursor = empty.place.state(), empty.place.tables("source_cursor")
    report = empty.refresh(*held)
    assert report.counts == {"leis": len(held), "unchanged": len(held)}
    assert len(held) > 400
    assert [row["records_in"] for row in empty.deliveries()] == [200, 200, len(held) - 400]
    assert {row["status"] for row in empty.deliveries()} == {"unchanged"}
    assert empty.place.state() == before
    assert empty.place.tables("source_cursor") == cursor


def test_a_change_is_shown_and_written_with_its_origin(asking: Asking) -> None:
    changed = {"legal_name": "Ny Prøve A/S", "last_update_published": "2026-11-02T07:00:00+01:00"}
    asking.serve(company(1, **changed), company(2), company(3))
    cursor = asking.place.tables("source_cursor")
    answer = asking.one()
    assert answer.outcome == "changed"
    assert answer.changes == [
        {"field": "legal_name", "before": "Prøvefirma 1 A/S", "after": "Ny Prøve A/S"},
        {
            "field": "last_update_date",
            "before": "2026-09-01T08:00:00Z",
            "after": "2026-11-02T06:00:00Z",
        },
    ]
    (delivery,) = asking.deliveries()
    assert delivery["delivery_id"] == answer.delivery_id
    assert str(delivery["published_at"]).startswith("2026-11-02 08:00")
    assert delivery["url"] == f"{asking.base_url}/api/v1/lei-records"
    assert (delivery["records_in"], delivery["records_changed"]) == (1, 1)
    landed = asking.place.house.landing_root / delivery["sha256"][:2] / f"{delivery['sha256']}.bin"
    assert landed.stat().st_size == delivery["byte_count"]
    written = asking.place.ask(
        "SELECT field, old_value, new_value FROM changes ORDER BY field DESC"
    )
    assert [tuple(row.values()) for row in written] == [
        tuple(change.values()) for change in answer.changes
    ]
    origin = asking.place.ask(
        "SELECT delivery_id FROM origins o WHERE field = 'legal_name' AND delivery_id ="
        " (SELECT max(delivery_id) FROM deliveries)"
    )
    assert len(origin) == 1
    assert asking.place.name(1) == "Ny Prøve A/S"
    assert asking.place.tables("source_cursor") == cursor
    assert asking.one().outcome == "unchanged"


def test_a_dry_run_tells_the_same_and_writes_nothing(asking: Asking) -> None:
    asking.serve(company(1, legal_name="Ny Prøve A/S"), company(2), company(4))
    asking.place.suppress(2)
    before = asking.everything()
    files = sorted(asking.place.house.landing_root.rglob("*"))
    told = asking.refresh(*map(lei, range(1, 6)), dry_run=True)
    assert asking.everything() == before
    assert sorted(asking.place.house.landing_root.rglob("*")) == files
    done = asking.refresh(*map(lei, range(1, 6)))
    outcomes = ["changed", "suppressed", "not_found", "new", "not_found"]
    assert [answer.outcome for answer in told.answers] == outcomes
    for one, other in zip(told.answers, done.answers, strict=True):
        assert one == Answer(**{**vars(other), "delivery_id": None})
    assert told.counts == done.counts


def test_each_outcome_has_its_word(asking: Asking) -> None:
    asking.place.suppress(2)
    asking.serve(
        company(1, last_update_published="2026-08-01T08:00:00Z", legal_name="Gammelt navn"),
        company(2, legal_name="Ny"),
        company(3, legal_country="ZZ"),
        company(4),
        company(5, lei_status="RETIRED", entity_status="INACTIVE",
                last_update_published="2015-01-01T08:00:00Z",
                initial_registration_published="2014-01-01T08:00:00Z"),
    )  # fmt: skip
    asking.api.published_at = datetime(2026, 10, 30, tzinfo=UTC)
    report = asking.refresh(*map(lei, range(1, 7)))
    assert {answer.lei: answer.outcome for answer in report.answers} == {
        lei(1): "stale",
        lei(2): "suppressed",
        lei(3): "quarantined",
        lei(4): "new",
        lei(5): "out_of_scope",
        lei(6): "not_found",
    }
    assert report.answers[2].rules == ["countries_are_known"]
    assert all(not answer.changes for answer in report.answers)
    (delivery,) = asking.deliveries()
    assert delivery["records_in"] == 5
    assert asking.place.name(4) == "Prøvefirma 4 A/S"
    assert asking.place.name(1) == "Prøvefirma 1 A/S"


def test_nothing_that_names_a_person_is_shown(asking: Asking) -> None:
    asking.serve(
        company(1, legal_name="Jens Eksempelsen", entity_category="SOLE_PROPRIETOR"),
        company(2, legal_address_line="c/o Jens Eksempelsen", legal_address_line_1="Prøvegade 1"),
        company(3, legal_address_line="Prøvegade 1 c/o Jens Eksempelsen"),
    )
    report = asking.refresh(lei(1), lei(2), lei(3))
    assert [answer.outcome for answer in report.answers] == ["changed"] * 3
    assert [change["field"] for change in report.answers[0].changes] == ["entity_category"]
    assert report.answers[2].has_kept_apart
    assert "Jens" not in json.dumps(report.as_json(), default=str)
    assert "Prøvefirma 1" not in json.dumps(report.as_json(), default=str)
    assert asking.place.name(1) is None
    assert asking.refresh(lei(1), lei(2), lei(3)).counts == {"leis": 3, "unchanged": 3}


def test_absence_means_nothing(asking: Asking) -> None:
    asking.serve()
    for _ in range(3):
        assert asking.one().outcome == "not_found"
    assert asking.deliveries() == []
    assert asking.place.one("SELECT max(absent_count) AS n FROM record") == 0
    assert asking.place.one("SELECT count(*) AS n FROM runs WHERE flow = 'refresh'") == 3


def test_the_same_moment_in_the_next_files_writing_is_no_change(asking: Asking) -> None:
    """By API the renewal is in UTC, in the file as the issuer writes it."""
    moments = {
        "next_renewal_published": "2028-03-05T12:00:00+02:00",
        "last_update_published": "2026-11-02T09:00:00+02:00",
    }
    asking.serve(company(1, **moments))
    assert len(asking.one().changes) == 2
    rows = asking.place.tables("change")
    report = asking.place.delta([company(1, **moments)], "2026-11-02")
    assert report.counts["records_changed"] == 1
    assert asking.place.tables("change") == rows
    held = asking.place.one(
        "SELECT next_renewal_published AS t FROM record WHERE source_key = :key", key=lei(1)
    )
    assert held == "2028-03-05T12:00:00+02:00"


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        *((name, SourceUnavailable) for name in ("bad_request", "missing", "rate_limited")),
        *((name, SourceUnavailable) for name in ("rate_limited_bare", "server_error")),
        *((name, DeliveryRefused) for name in ("not_json", "not_a_list", "errors_200", "endless")),
        *((name, DeliveryRefused) for name in ("loop", "foreign", "unfiltered", "undated")),
        ("renamed", DeliveryRefused),
    ],
)
def test_a_fault_of_the_api_leaves_all_as_it_was(
    asking: Asking, fault: str, error: type[SourcenoteError]
) -> None:
    asking.serve(company(1, legal_name="Ny"), company(2), company(3))
    before = asking.place.state()
    asking.api.misbehave(fault)
    with pytest.raises(error):
        asking.one()
    assert asking.place.state() == before
    run = asking.place.ask("SELECT state, message FROM runs WHERE flow = 'refresh'")
    assert [row["state"] for row in run] == ["refused"]
    assert all(row["status"] == "refused" for row in asking.deliveries())
    asking.api._faults.clear()
    assert asking.one().outcome == "changed"


def test_an_answer_from_the_future_is_refused(asking: Asking) -> None:
    asking.api.published_at = datetime(2027, 1, 1, tzinfo=UTC)
    with pytest.raises(DeliveryRefused, match="dated in the future"):
        asking.one()


def test_a_later_batch_that_fails_leaves_the_earlier_ones(
    asking: Asking, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sources.gleif.KEYS_AT_ONCE", 2)
    asking.serve(*(company(n, legal_name="Ny") for n in (1, 2, 3)))
    begun: Callable[[str], Any] = asking.api.answer

    def answer(path: str) -> Any:
        if lei(3) in path:
            asking.api.misbehave("server_error")
        return begun(path)

    monkeypatch.setattr(asking.api, "answer", answer)
    with ApiStandIn(asking.api) as standin:
        asking.base_url = standin.base_url
        report = asking.refresh(lei(1), lei(2), lei(3))
    assert [found.outcome for found in report.answers] == ["changed", "changed", "not_asked"]
    assert report.error is not None
    assert "HTTP 500" in report.error["cause"]
    assert [asking.place.name(n) for n in (1, 2, 3)] == ["Ny", "Ny", "Prøvefirma 3 A/S"]
    run = asking.place.ask("SELECT state, counts FROM runs WHERE flow = 'refresh'")
    assert run[0]["state"] == "refused"
    assert json.loads(run[0]["counts"])["changed"] == 2


def test_an_unreadable_record_is_quarantined_and_told(
    asking: Asking, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = asking.api._page

    def spoiled(*given: Any) -> dict[str, Any]:
        found = begun(*given)
        found["data"][0]["attributes"]["entity"]["legalName"] = "no object"
        return found

    monkeypatch.setattr(asking.api, "_page", spoiled)
    report = asking.refresh(lei(1), lei(2))
    assert [answer.outcome for answer in report.answers] == ["quarantined", "unchanged"]
    assert report.answers[0].rules == ["row_has_every_field"]
    assert asking.deliveries()[0]["records_quarantined"] == 1


def test_wrong_check_digits_are_told_before_anything_is_asked(asking: Asking) -> None:
    with pytest.raises(Refused, match=r"1 of 2 LEIs.*check digits"):
        asking.refresh(lei(1), lei(2)[:-1] + "0")
    with pytest.raises(Refused) as caught:
        asking.refresh(lei(1), "jens@eksempel.example")
    assert "number 2: it has 21 characters" in str(caught.value)
    assert "jens" not in str(caught.value).lower()
    assert asking.api.requests == []


def test_thousands_are_asked_for_in_batches_each_once(asking: Asking) -> None:
    leis = [lei(n) for n in range(1, 451)]
    report = asking.refresh(*leis, *leis)
    assert report.counts == {"leis": 450, "unchanged": 3, "not_found": 447}
    asked = set(asking.api.requests)  # on a busy machine one may be asked for again
    assert len(asked) == 3
    assert all("page%5Bsize%5D=200" in path for path in asked)


def test_a_failure_in_the_merge_leaves_nothing(
    asking: Asking, monkeypatch: pytest.MonkeyPatch
) -> None:
    asking.serve(company(1, legal_name="Ny"))
    before = asking.place.state()

    def fail(*_: Any) -> None:
        message = "lost"
        raise RuntimeError(message)

    monkeypatch.setattr(merge, "move_cursor", fail)
    with pytest.raises(RuntimeError):
        asking.one()
    assert asking.place.state() == before


def test_the_command_answers_in_words_and_in_json(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    url = f"sqlite:///{tmp_path / 'warehouse.db'}"
    with opened(url, tmp_path) as place, ApiStandIn(Api(PUBLISHED)) as standin:
        place.full([company(1), company(2)], FILE_DAY)
        rows = [company(1, legal_name="Ny Prøve A/S"), company(2, legal_country="ZZ")]
        standin.api.rows = {row["LEI"]: row for row in rows}
        run = runner(tmp_path, monkeypatch, capsys, url)
        ask = ("refresh", lei(1), lei(2), lei(3), "--base-url", standin.base_url)
        now = MOMENT.isoformat()
        told = run(*ask, "--dry-run", now=now)
        assert told.code == 3
        for words in (
            "3 LEIs asked for at GLEIF (dry run: nothing was written)",
            "Prøvefirma 1 A/S Ny Prøve A/S",
            f"{lei(2)}: quarantined",
            "countries_are_known: address countries are ISO 3166-1 codes",
            f"{lei(3)}: not found at GLEIF",
        ):
            assert words in told.text, words
        done = run(*ask, "--json", now=now)
        assert done.code == 3
        assert done.document["counts"] == {
            "leis": 3,
            "changed": 1,
            "quarantined": 1,
            "not_found": 1,
        }
        assert done.document["answers"][0]["changes"][0]["after"] == "Ny Prøve A/S"
        assert run("refresh", lei(1), "--base-url", standin.base_url, now=now).code == 0
        assert run("refresh", lei(1)[:-1], now=now).code == 1
        assert run("refresh", now=now).code == 2
        standin.api.misbehave("missing")
        refused = run(*ask, "--json", now=now)
        assert refused.code == 1
        assert "Not found" in refused.document["error"]["cause"]
        foreign = run("refresh", lei(1), "--base-url", "https://elsewhere.example", now=now)
        assert foreign.code == 1  # the example configuration keeps to this machine
