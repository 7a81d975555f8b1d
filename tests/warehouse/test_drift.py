"""Drift: how full each field was is kept of every delivery, and what is unlike the others told."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from ingesting import Ingesting, Report, Row, company
from our_command import Run, runner

from flows import status_steps
from sources.kit.columns import change_name
from sources.kit.shapes import SHAPES

FIRST = date(2026, 11, 1)
ROWS = 60


def rows(postal: int = ROWS, count: int = ROWS, **changes: str) -> list[Row]:
    """So many companies; only the first `postal` of them have a postal code."""
    return [
        company(n, **({} if n < postal else {"legal_postal_code": ""}), **changes)
        for n in range(count)
    ]


def send(place: Ingesting, day: int, content: list[Row], kind: str = "full") -> Report:
    place.at(FIRST + timedelta(days=day))
    deliver = place.full if kind == "full" else place.delta
    return deliver([*content, company(1000 + day)], FIRST + timedelta(days=day))


def usual(place: Ingesting, days: int, kind: str = "full") -> list[Report]:
    return [send(place, day, rows(), kind) for day in range(days)]


def named(drift: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(one["what"], one["name"]) for one in drift]


def test_how_full_each_field_was_is_kept_for_every_delivery(wide: Ingesting) -> None:
    first = send(wide, 0, rows(postal=20))
    second = send(wide, 1, rows(postal=30)[:40], "delta")
    kept = wide.ask("SELECT * FROM delivery_profiles ORDER BY delivery_id, field")
    fields = sorted(change_name(name) for name in SHAPES["entity"].published)
    of_first = [row for row in kept if row["delivery_id"] == first.delivery_id]
    assert sorted(row["field"] for row in of_first) == fields
    figures = {(row["delivery_id"], row["field"]): (row["rows"], row["filled"]) for row in kept}
    assert figures[first.delivery_id, "postal_code"] == (61, 21)
    assert figures[second.delivery_id, "postal_code"] == (41, 31)
    assert figures[second.delivery_id, "expiration_reason"] == (41, 0)


def test_a_field_that_empties_is_told_and_loaded(wide: Ingesting) -> None:
    before = usual(wide, 3)
    assert [report.drift for report in before] == [[], [], []]
    report = send(wide, 3, rows(postal=30))
    assert (report.status, named(report.drift)) == ("loaded", [("filled", "postal_code")])
    (told,) = report.drift
    assert (told["usual"], told["found"], told["deliveries"]) == (1.0, 31 / 61, 3)
    with_status = status_steps.status(wide.house)
    assert with_status["drift"] == {"gleif": report.drift}


def test_a_natural_persons_field_is_counted_as_it_was_sent(wide: Ingesting) -> None:
    """Minimising is ours: it must not look like the publisher's doing."""
    report = send(wide, 0, rows(entity_category="SOLE_PROPRIETOR"))
    query = "SELECT filled FROM delivery_profiles WHERE field = 'legal_name'"
    assert wide.one(query) == report.counts["records_in"] == 61


def test_counts_are_held_against_the_source_s_own(wide: Ingesting) -> None:
    usual(wide, 4)
    fewer = send(wide, 4, rows(count=40))
    assert named(fewer.drift) == [("rows", "rows")]
    broken = [company(n, lei_status="" if n < 10 else "ISSUED") for n in range(ROWS)]
    bad = send(wide, 5, broken)
    assert ("share", "records_quarantined") in named(bad.drift)


def test_deltas_are_held_against_deltas(wide: Ingesting) -> None:
    usual(wide, 3)
    assert send(wide, 3, rows(postal=0), "delta").drift == []  # the first of its kind
    for day in (4, 5):
        send(wide, day, rows(postal=0, legal_name=f"Prøve {day}"), "delta")
    odd = send(wide, 6, rows(legal_name="Prøve 6"), "delta")
    assert named(odd.drift) == [("filled", "postal_code")]


def test_one_odd_delivery_does_not_move_what_is_usual(wide: Ingesting) -> None:
    usual(wide, 4)
    send(wide, 4, rows(postal=57))
    assert send(wide, 5, rows()).drift == []


def test_a_refused_delivery_leaves_no_profile(place: Ingesting) -> None:
    usual(place, 1)
    with pytest.raises(Exception, match="size_fits_last_full"):
        send(place, 1, rows(count=3))
    assert place.one("SELECT count(DISTINCT delivery_id) FROM delivery_profiles") == 1


def test_the_report_and_status_show_it(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from ingesting import ANY_LENGTH, csv_bytes, opened

    url = f"sqlite:///{tmp_path / 'warehouse.db'}"
    with opened(url, tmp_path, sources=ANY_LENGTH) as place:
        usual(place, 3)
    run: Run = runner(tmp_path, monkeypatch, capsys, url)
    path = tmp_path / "20261104-0800-gleif-goldencopy-lei2-golden-copy.csv"
    path.write_bytes(csv_bytes(rows(postal=30)))
    common = ("--config", tmp_path / "sourcenote.toml")
    now = "2026-11-04T10:00:00Z"
    page = run(*common, "ingest", "gleif", "--file", path, now=now)
    assert page.code == 0
    assert "Unlike this source's last 3 deliveries" in page.text
    assert "rows that have: legal address: postal code 50.00% 100.00%" in page.text
    status = run(*common, "status", now=now)
    assert "gleif: the last delivery is unlike the ones before it." in status.text
    assert "rows that have: legal address: postal code 50.00% 100.00%" in status.text
