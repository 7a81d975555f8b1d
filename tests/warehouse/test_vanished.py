"""How many records may vanish at once: a bound, the stop beyond it, and the one way past it."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from ingesting import (
    Ingesting,
    Report,
    Row,
    company,
    csv_bytes,
    lei,
    moment,
    plain_judge,
    quiet,
)
from our_command import Answer, runner

from flows import ingest_run, ingest_steps
from flows.ingest_report import Request
from sources.kit.errors import DeliveryRefused
from sources.kit.policy import SourceSettings

FIRST = date(2026, 11, 1)
MANY = [company(n) for n in range(9)]


@pytest.fixture
def strict(place: Ingesting) -> Ingesting:
    """Two may vanish at once, or a quarter of what is held."""
    bounds = {"max_vanished": 2, "max_vanished_share": 0.25}
    return place.change(sources={"gleif": SourceSettings(min_ratio=0, max_ratio=99, **bounds)})


def send(
    place: Ingesting, day: int, rows: list[Row], confirm: int | None = None, kind: Any = "full"
) -> Report:
    """Deliver on that day of November what was published two hours before."""
    published = FIRST + timedelta(days=day - 1)
    path = place.at(published).folder / f"november {day}.csv"
    path.write_bytes(csv_bytes(rows))
    when = place.house.now().fromisoformat(moment(published))
    request = Request("gleif", file=path, kind=kind, published_at=when, confirm_vanished=confirm)
    return ingest_run.run(place.house, request, quiet)


def gone(place: Ingesting) -> list[str]:
    rows = place.ask("SELECT source_key FROM record WHERE vanished_at IS NOT NULL")
    return sorted(row["source_key"] for row in rows)


def two_files_without(place: Ingesting, missing: int) -> None:
    """A first file with all of them, and one without; the next full file is the one that counts."""
    send(place, 1, MANY)
    send(place, 2, MANY[missing:])


def test_up_to_the_bound_they_vanish(strict) -> None:
    two_files_without(strict, 2)
    report = send(strict, 3, [*MANY[2:], company(20)])
    assert report.counts["records_vanished"] == 2
    assert gone(strict) == [lei(0), lei(1)]


def test_beyond_the_bound_the_delivery_stops_and_nothing_of_it_is_loaded(strict) -> None:
    two_files_without(strict, 3)
    before = strict.state()
    with pytest.raises(DeliveryRefused) as stopped:
        send(strict, 3, [*MANY[3:], company(20)])
    assert "3 of 9 held records would vanish" in stopped.value.cause
    assert "more than 2 and than 25.00% of them" in stopped.value.cause
    assert stopped.value.cure.endswith("--confirm-vanished 3")
    assert strict.state() == before
    assert strict.one("SELECT count(*) FROM deliveries WHERE status = 'refused'") == 1
    assert strict.one("SELECT count(*) FROM source_cursor WHERE full_record_count = 6") == 1


def test_only_the_very_number_lets_it_in(strict) -> None:
    two_files_without(strict, 3)
    for wrong in (2, 4):
        with pytest.raises(DeliveryRefused, match=f"{wrong} were confirmed, which is another"):
            send(strict, 3, MANY[3:4], wrong)
    report = send(strict, 3, [*MANY[3:], company(20)], 3)
    assert report.counts["records_vanished"] == 3
    assert gone(strict) == [lei(0), lei(1), lei(2)]
    assert send(strict, 4, [*MANY[3:], company(20), company(21)]).counts["records_vanished"] == 0


def test_a_share_of_what_is_held_is_enough(strict) -> None:
    many = [company(n) for n in range(40)]
    send(strict, 1, many)
    send(strict, 2, many[10:])
    report = send(strict, 3, [*many[10:], company(50)])
    assert report.counts["records_vanished"] == 10  # a quarter of the 40


def test_gleifs_own_card_stops_more_than_ten(place) -> None:
    """An LEI is never deleted: what is missing is the file's fault, also where little is held."""
    many = [company(n) for n in range(300)]
    send(place, 1, many)
    send(place, 2, many[11:])
    with pytest.raises(DeliveryRefused, match="11 of 300 held records would vanish"):
        send(place, 3, [*many[11:], company(3000)])
    report = send(place, 3, [*many[10:], company(3000)])
    assert report.counts["records_vanished"] == 10


def test_absent_in_one_and_back_in_the_next_never_vanishes(strict) -> None:
    two_files_without(strict, 9 - 1)
    send(strict, 3, MANY)
    send(strict, 4, [*MANY[8:], company(20)])
    assert gone(strict) == []
    assert strict.one("SELECT count(*) FROM record WHERE absent_count = 1") == 8


def test_a_delta_counts_no_absence(strict) -> None:
    send(strict, 1, MANY)
    send(strict, 2, MANY[:1], kind="delta")
    send(strict, 3, MANY[1:2], kind="delta")
    assert strict.one("SELECT max(absent_count) FROM record") == 0


def test_vanishing_and_returning_are_changes_with_their_deliveries(strict) -> None:
    two_files_without(strict, 1)
    third = send(strict, 3, [*MANY[1:], company(20)])
    back = send(strict, 4, [*MANY, company(20)])
    again = [*MANY[1:], company(20)]
    send(strict, 5, [*again, company(21)])
    last = send(strict, 6, [*again, company(22), company(21)])
    found = strict.ask(
        "SELECT delivery_id, old_value, new_value FROM changes"
        " WHERE field = 'vanished_at' ORDER BY delivery_id"
    )
    third_at, last_at = "2026-11-03 10:00:00Z", "2026-11-06 10:00:00Z"
    assert [tuple(row.values()) for row in found] == [
        (third.delivery_id, None, third_at),
        (back.delivery_id, third_at, None),
        (last.delivery_id, None, last_at),
    ]
    current = strict.ask("SELECT delivery_id FROM change WHERE is_current")
    assert [row["delivery_id"] for row in current] == [last.delivery_id]
    assert gone(strict) == [lei(0)]


def test_the_command_names_the_number_and_takes_it(
    strict: Ingesting, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    two_files_without(strict, 3)
    url = strict.house.engine.url.render_as_string(hide_password=False)
    run = runner(strict.folder, monkeypatch, capsys, url)
    monkeypatch.setattr(ingest_steps, "judge", plain_judge)
    path = strict.folder / "20261103-0800-gleif-goldencopy-lei2-golden-copy.csv"
    path.write_bytes(csv_bytes([*MANY[3:], company(20)]))
    config = strict.folder / "strict.toml"
    written = (strict.folder / "sourcenote.toml").read_text("utf-8")
    bounds = "min_ratio = 0\nmax_vanished = 2\nmax_vanished_share = 0.25\n"
    config.write_text(f"{written}\n[sources.gleif]\n{bounds}", "utf-8")
    line = ("--config", config, "ingest", "gleif", "--file", path)

    def on_the_third(*more: object) -> Answer:
        return run(*line, *more, now="2026-11-03T10:00:00Z")

    refused = on_the_third()
    assert refused.code == 1
    assert "--confirm-vanished 3" in refused.err
    assert on_the_third("--confirm-vanished", 3).code == 0
    told = run("--config", config, "status", "--json", now="2026-11-03T10:00:00Z").document
    assert told["vanished"] == {"gleif": 3}
    page = run("--config", config, "explain", lei(0), now="2026-11-03T10:00:00Z")
    assert "no longer lists it, since 2026-11-03 10:00 UTC" in page.text
    assert run("ingest", "all", "--confirm-vanished", 3).code == 2
