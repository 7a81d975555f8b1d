"""Who said stop is left alone: at load, whatever the key, before and after the company is held."""

from __future__ import annotations

import hashlib
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from ingesting import MOMENT, Ingesting, company, lei, moment, opened, outcomes

from sources.kit.errors import Refused
from sources.kit.keys import Keys
from warehouse.engine import reading, writing
from warehouse.privacy import suppression
from warehouse.privacy.stops import Stops
from warehouse.privacy.suppression import canonical, subject_hash
from warehouse.schema import METADATA, letter

GONE_ON = date(2028, 9, 1)
OLD = Keys(1, {1: b"1" * 32})
ROTATED = Keys(2, {1: b"1" * 32, 2: b"2" * 32})


def add(place: Ingesting, kind: Any, value: str, keys: Keys | None = None) -> bool:
    with writing(place.house.engine) as connection:
        return suppression.add(
            connection,
            keys or place.house.keys,
            kind,
            value,
            reason="asked on the phone",
            origin="command",
            actor="tester",
            now=place.house.now(),
        )


def stops(place: Ingesting, keys: Keys | None = None) -> Stops:
    with reading(place.house.engine) as connection:
        return Stops.read(connection, keys or place.house.keys)


def send_letter(place: Ingesting, number: int, secret: bytes = b"secret") -> str:
    """As an export does: a letter with the keyed hash of whom it went to."""
    version, digest = subject_hash(place.house.keys, "lei", lei(number))
    shown = place.prospect(number)
    assert shown is not None
    token = hashlib.sha256(secret).hexdigest()
    with writing(place.house.engine) as connection:
        run = {"run_id": 900, "flow": "export", "state": "done", "actor": "x", "started_at": MOMENT}
        texts = ("directory", "segment", "channel", "purpose", "recipient", "actor", "manifest")
        connection.execute(METADATA.tables["run"].insert().values(**run))
        connection.execute(
            METADATA.tables["export"]
            .insert()
            .values(
                export_id="E1",
                state="published",
                run_id=900,
                created_at=MOMENT,
                **dict.fromkeys(texts, "x"),
            )
        )
        connection.execute(
            letter.insert().values(
                token_digest=token,
                export_id="E1",
                row_id="1",
                company_id=shown["company_id"],
                key_version=version,
                subject_hash=digest,
                notice_id="N1",
                language="da",
                created_at=MOMENT,
            )
        )
    return token


def click(place: Ingesting, token: str) -> bool:
    with writing(place.house.engine) as connection:
        return suppression.stop_by_link(connection, token, now=place.house.now())


def traces(place: Ingesting, *texts: str) -> set[str]:
    """Tables in which any of the texts can be found."""
    found = place.tables()
    return {name for name, rows in found.items() if any(text in repr(rows) for text in texts)}


# At load


def test_a_stopped_company_is_dropped_and_counted(place) -> None:
    add(place, "lei", lei(1))
    report = place.full([company(1, legal_address_line="c/o Anna Prøve"), company(2)], "2026-11-01")
    assert outcomes(report) == {"new": 1, "suppressed": 1}
    assert place.prospect(1) is None
    assert traces(place, lei(1), "Prøvefirma 1", "Anna") == set()
    (counted,) = place.tables("suppressed_record")["suppressed_record"]
    assert counted["subject_hash"] == subject_hash(place.house.keys, "lei", lei(1))[1]
    assert (counted["country"], counted["lei_status"]) == ("DK", "ISSUED")
    assert counted["next_renewal_date"] == date(2027, 3, 5)


def test_it_is_counted_once_however_often_it_comes(place) -> None:
    add(place, "lei", lei(1))
    place.full([company(1), company(1), company(2)], "2026-11-01")
    report = place.later(days=1).delta([company(1, lei_status="LAPSED")], "2026-11-02")
    assert outcomes(report) == {"suppressed": 1}
    (counted,) = place.tables("suppressed_record")["suppressed_record"]
    assert (counted["lei_status"], counted["last_seen_at"]) == ("LAPSED", place.house.now())


def test_also_as_a_bad_row_nothing_of_it_is_kept(place) -> None:
    """Quarantine would keep what the company asked us to leave alone."""
    add(place, "lei", lei(1))
    rows = [company(1, legal_name=""), company(1, legal_name="Prøvefirma"), company(2)]
    assert outcomes(place.full(rows, "2026-11-01")) == {"new": 1, "suppressed": 2}
    assert place.ask("SELECT * FROM quarantined") == []


def test_a_stopped_companys_news_are_not_taken(place) -> None:
    place.full([company(1), company(2)], "2026-11-01")
    add(place, "lei", lei(1))
    before = place.prospect(1)
    news = company(1, legal_name="Nyt Navn", last_update_published=moment("2026-11-02"))
    report = place.later(days=1).delta([news], "2026-11-02")
    assert outcomes(report) == {"suppressed": 1}
    assert place.prospect(1) == before
    assert place.ask("SELECT * FROM changes") == []
    assert place.tables("suppressed_record")["suppressed_record"] == []


def test_that_it_ended_is_taken_so_that_it_can_go(place) -> None:
    place.full([company(1), company(2)], "2026-11-01")
    add(place, "lei", lei(1))
    ended = company(1, lei_status="RETIRED", last_update_published=moment("2026-11-02"))
    assert outcomes(place.delta([ended], "2026-11-02")) == {"changed": 1}
    assert place.deactivate()["counts"]["deactivated"] == 1


def test_a_stopped_company_that_stays_in_the_file_is_not_absent(wide) -> None:
    wide.full([company(n) for n in range(4)], "2026-11-01")
    add(wide, "lei", lei(1))
    for day in ("2026-11-02", "2026-11-03", "2026-11-04"):
        wide.full([*(company(n) for n in range(4)), company(int(day[-2:]) + 10)], day)
    query = "SELECT absent_count FROM record WHERE source_key = :key"
    assert wide.one(query, key=lei(1)) == 0


def test_a_stop_survives_deletion_and_a_new_ingest(place) -> None:
    rows = [company(1, lei_status="RETIRED"), company(2), company(3)]
    place.full(rows, "2026-11-01")
    add(place, "lei", lei(1))
    place.deactivate()
    place.at(GONE_ON).delete()
    assert place.prospect(1) is None
    reissued = company(1, last_update_published=moment("2028-08-31"))
    assert outcomes(place.full([reissued, *rows[1:]], "2028-09-01")) == {
        "unchanged": 2,
        "suppressed": 1,
    }
    assert place.prospect(1) is None


# Keys


@pytest.mark.parametrize("number", [1, 2])
def test_a_stop_under_any_key_version_holds(place, monkeypatch, number) -> None:
    """Hashes cannot be re-keyed: old versions stay readable, new stops use the newest."""
    add(place, "lei", lei(1), OLD)
    add(place, "lei", lei(2), ROTATED)
    assert stops(place, ROTATED).covers([lei(number), lei(9)]).tolist() == [True, False]
    assert {row["key_version"] for row in place.tables("suppression")["suppression"]} == {1, 2}
    monkeypatch.setitem(place.house.__dict__, "keys", ROTATED)
    report = place.full([company(number), company(9)], "2026-11-01")
    assert outcomes(report) == {"new": 1, "suppressed": 1}


def test_without_the_old_key_a_stop_would_be_forgotten(place) -> None:
    """The reason that a key file is never replaced: this is what would happen."""
    add(place, "lei", lei(1), OLD)
    other = Keys(1, {1: b"x" * 32})
    assert stops(place, other).covers([lei(1)]).tolist() == [False]


def test_asked_twice_is_one_stop_also_across_keys(place) -> None:
    assert add(place, "lei", lei(1), OLD) is True
    assert add(place, "lei", lei(1).lower(), OLD) is False
    assert add(place, "lei", f" {lei(1)} ", ROTATED) is False
    assert place.one("SELECT count(*) FROM suppression") == 1


def test_the_list_says_nothing_of_whom(place) -> None:
    add(place, "email", "Anna.Proeve@example.test")
    add(place, "phone", "+45 99 99 99 99")
    add(place, "lei", lei(1))
    assert traces(place, "nna.", "example.test", "9999", lei(1)) == set()
    found = place.tables("suppression")["suppression"]
    assert {(row["scope"], row["kind"]) for row in found} == {
        ("value", "email"),
        ("value", "phone"),
        ("company", "lei"),
    }
    assert all(row["reason"] == "asked on the phone" for row in found)


@pytest.mark.parametrize(
    ("kind", "value", "same"),
    [
        ("lei", lei(1), lei(1).lower()),
        ("email", "Anna@Example.test", "anna@EXAMPLE.TEST"),
        ("phone", "+45 99 99 99 99", "+4599999999"),
        ("domain", "Example.TEST", "@example.test."),
        ("domain", "prøve.test", "xn--prve-hra.test"),
    ],
)
def test_one_value_in_any_form_is_one_stop(place, kind, value, same) -> None:
    assert canonical(kind, value) == canonical(kind, same)
    add(place, kind, value)
    assert stops(place).covers_value(kind, same)
    assert not stops(place, OLD).covers_value(kind, same)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("lei", "too short"),
        ("lei", lei(1)[:19] + "!"),
        ("email", "no address"),
        ("phone", "99 99 99 99"),
        ("domain", "localhost"),
        ("domain", "a b.test"),
    ],
)
def test_what_is_not_of_its_kind_is_refused_without_repeating_it(place, kind, value) -> None:
    with pytest.raises(Refused, match=f"value of kind {kind}") as caught:
        add(place, kind, value)
    assert value not in str(caught.value)
    assert place.tables("suppression")["suppression"] == []


def test_a_stop_on_an_address_does_not_stop_a_company(place) -> None:
    """Nor the other way round: hashes carry their kind."""
    add(place, "domain", f"{lei(1)}.test")
    assert stops(place).covers([lei(1)]).tolist() == [False]


# The link in a letter


def test_the_link_stops_the_company_it_went_to(place) -> None:
    place.full([company(1), company(2)], "2026-11-01")
    token = send_letter(place, 1)
    assert click(place, token) is True
    assert click(place, token) is True
    assert place.one("SELECT count(*) FROM suppression") == 1
    assert stops(place).covers([lei(1), lei(2)]).tolist() == [True, False]
    news = company(1, legal_name="Nyt", last_update_published=moment("2026-11-02"))
    assert outcomes(place.delta([news, company(2)], "2026-11-02")) == {
        "suppressed": 1,
        "unchanged": 1,
    }


def test_a_link_we_never_made_stops_nobody(place) -> None:
    place.full([company(1)], "2026-11-01")
    send_letter(place, 1)
    events = len(place.tables("audit_event")["audit_event"])
    assert click(place, "0" * 64) is False
    assert place.tables("suppression")["suppression"] == []
    assert len(place.tables("audit_event")["audit_event"]) == events


def test_the_link_works_after_the_company_is_deleted(place) -> None:
    rows = [company(1, lei_status="RETIRED"), company(2), company(3)]
    place.full(rows, "2026-11-01")
    token = send_letter(place, 1)
    place.deactivate()
    place.at(GONE_ON).delete()
    assert traces(place, lei(1)) == set()
    assert click(place, token) is True
    back = company(1, last_update_published=moment("2028-08-31"))
    assert outcomes(place.delta([back], "2028-09-01")) == {"suppressed": 1}
    assert place.prospect(1) is None


def test_the_link_reaches_a_company_that_came_back_in_between(place) -> None:
    """Deleted, issued again, held under a new number; then the old letter's link is used."""
    rows = [company(1, lei_status="RETIRED"), company(2), company(3)]
    place.full(rows, "2026-11-01")
    token = send_letter(place, 1)
    place.deactivate()
    place.at(GONE_ON).delete()
    place.delta([company(1, last_update_published=moment("2028-08-31"))], "2028-09-01")
    assert place.prospect(1)
    click(place, token)
    news = company(1, legal_name="Nyt", last_update_published=moment("2028-09-02"))
    assert outcomes(place.later(days=1).delta([news], "2028-09-02")) == {"suppressed": 1}


# Account


def test_every_new_stop_is_an_audit_event_without_a_value(place) -> None:
    before = place.one("SELECT count(*) FROM audit_events")
    add(place, "lei", lei(1))
    add(place, "lei", lei(1))
    (event,) = place.ask("SELECT * FROM audit_events ORDER BY event_id")[before:]
    assert (event["action"], event["actor"]) == ("suppress", "tester")
    assert lei(1) not in repr(event)


def test_an_unreadable_list_is_an_error_and_nothing_is_loaded(sqlite_url, tmp_path: Path) -> None:
    with opened(sqlite_url, tmp_path) as place:
        place.full([company(1)], "2026-11-01")
        before = place.tables("record", "company")
        with writing(place.house.engine) as connection:
            connection.execute(sa.text("DROP TABLE company_stop"))
            connection.execute(sa.text("DROP TABLE suppression"))
        with pytest.raises(sa.exc.OperationalError):
            place.delta([company(2)], "2026-11-02")
        assert place.tables("record", "company") == before


def test_a_stop_cannot_be_held_twice_or_in_clear(place) -> None:
    add(place, "lei", lei(1))
    (held,) = place.tables("suppression")["suppression"]
    for change in ({"suppression_id": 9}, {"suppression_id": 9, "subject_hash": lei(2)}):
        refused = pytest.raises(sa.exc.IntegrityError)
        with refused, writing(place.house.engine) as connection:
            connection.execute(METADATA.tables["suppression"].insert().values(**{**held, **change}))
