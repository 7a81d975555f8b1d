"""`explain` and `join` over two registers: differences, protection, contacts, a join ended."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from ingesting import lei
from listing import export
from registering import Registers, abroad, danish, registers, scope

from flows import join_steps
from flows.cli.explain_page import show
from flows.cli.paper import Paper
from flows.explain_question import read_question
from flows.explain_steps import explain
from sources.kit.errors import Refused
from sources.kit.policy import NoLei
from sources.kit.sample_registers import bundled_registers

FIRMS = danish("role", 2)
MAIL = FIRMS[0].value_of("email")


@pytest.fixture
def place(warehouse_url: str, tmp_path: Path) -> Iterator[Registers]:
    with registers(warehouse_url, tmp_path, FIRMS) as found:
        scope(found.held, NoLei(country="DK"))
        found.leis(FIRMS[:1])
        found.ingest("cvr")
        yield found


def told(place: Registers, text: str, **options: Any) -> dict[str, Any]:
    found = explain(place.held.house, text, **options)
    (one,) = found["companies"]
    assert isinstance(one, dict)
    return one


def test_two_publishers_differ_and_one_is_shown(place: Registers) -> None:
    one = told(place, lei(1))
    named = {difference["field"]: difference for difference in one["disagreements"]}
    name = named["legal_name"]
    assert name["shown"] == {
        "value": "Prøvefirma 1 A/S",
        "source_id": "gleif",
        "source_key": lei(1),
    }
    (other,) = name["others"]
    assert (other["value"], other["source_id"]) == ("Firma 1 ApS", "cvr")
    assert 0 < other["name_likeness"] < 100
    assert "LEI" in name["why"]
    assert one["name"] == "Prøvefirma 1 A/S"
    origins = {
        value["origins"][0]["source_id"]
        for value in one["values"]
        if value["field"] == "legal_name"
    }
    assert origins == {"gleif", "cvr"}


@pytest.mark.parametrize(
    "text",
    [
        lei(1),
        f"DK:{FIRMS[0].number}",
        f"RA000170:{FIRMS[0].number}",
        f"DK{FIRMS[0].number}",
        f"dk {FIRMS[0].number[:2]} {FIRMS[0].number[2:]}",
        FIRMS[0].number,
        MAIL,
        str(MAIL).upper(),
    ],
)
def test_the_company_is_found_by_anything_it_is_known_by(place: Registers, text: str) -> None:
    one = told(place, text)
    assert (one["lei"], [record["source_id"] for record in one["records"]]) == (
        lei(1),
        ["gleif", "cvr"],
    )
    (contact,) = one["contact_points"]
    assert contact["value"] == MAIL
    assert (contact["state"], contact["ad_protected"]) == ("active", False)
    assert contact["origins"][0]["source_id"] == "cvr"
    assert contact["delete_after"] > contact["inactive_after"]
    (said,) = one["protection"]
    assert (said["state"], said["said_at"]) == ("not protected", place.held.house.now())
    flag = next(value for value in one["values"] if value["field"] == "ad_protected")
    assert (flag["value"], flag["origins"][0]["source_id"]) == ("false", "cvr")


def test_a_sole_trader_by_the_register_alone_is_a_person(
    sqlite_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """GLEIF says GENERAL: the more careful word decides, for lists and on the page."""
    sole = next(firm for firm in bundled_registers().firms["cvr"] if "sole" in firm.cases)
    sole = abroad(sole, is_protected=False, unit_is_protected=False)
    with registers(sqlite_url, tmp_path, [sole, FIRMS[0]]) as found:
        found.leis([sole, FIRMS[0]])
        found.ingest("cvr")
        one = told(found, lei(1))
        assert (one["person_kind"], one["person_source"]) == ("natural", "cvr")
        assert not one["is_person_by_lead"]
        show(Paper(), explain(found.held.house, lei(1)))
        said = " ".join(capsys.readouterr().out.split())
        assert "A natural person by cvr, because its legal form" in said
        listed = export(found.held, None, dry_run=True)
        # Denmark's rule for persons asks for a consent; the company beside it needs none.
        assert (listed["selected"], listed["excluded"]) == (1, {"no_consent": 1})


def test_every_reading_is_an_event_without_the_value(place: Registers) -> None:
    told(place, str(MAIL))
    events = place.held.ask("SELECT subject, detail FROM audit_events WHERE action = 'explain'")
    assert [json.loads(event["detail"]) for event in events] == [
        {"asked": "email", "contact_points": 1, "held": True}
    ]
    assert str(MAIL) not in repr(events)


def test_the_page_says_it_all(place: Registers, capsys: pytest.CaptureFixture[str]) -> None:
    found = explain(place.held.house, lei(1))
    show(Paper(), found)
    said = " ".join(capsys.readouterr().out.split())
    for words in (
        "Where its publishers differ",
        "Firma 1 ApS",
        "for review only",
        "not protected, said last on",
        "both state the same number",
        str(MAIL),
        "inactive from",
    ):
        assert words in said


def test_a_value_that_is_not_held_is_said_not_to_be(place: Registers) -> None:
    found = explain(place.held.house, "nobody@firma-1.example")
    assert (found["is_held"], found["companies"], found["stop"]) == (False, [], None)
    assert found["asked"] == {"kind": "email"}
    with pytest.raises(Refused, match="cannot be a number of XX"):
        read_question("XX:12345678")
    assert read_question("www.Firma-1.example").kind == "website"


def parted_is_told_of(place: Registers, capsys: pytest.CaptureFixture[str]) -> None:
    """What is held is said to be held, also where no company has it any more."""
    found = explain(place.held.house, str(MAIL))
    assert (found["is_held"], found["companies"]) == (True, [])
    (point,) = found["without_company"]
    assert (point["source_id"], point["source_key"]) == ("cvr", FIRMS[0].number)
    capsys.readouterr()
    show(Paper(), found)
    said = " ".join(capsys.readouterr().out.split())
    assert "joined to no company" in said
    assert f"deleted from {point['delete_after']}" in said
    assert str(MAIL) not in said
    assert explain(place.held.house, f"DK:{FIRMS[0].number}")["without_company"] == [point]


def test_a_wrong_join_is_ended_for_good(
    place: Registers, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    house = place.held.house
    before = place.held.ask("SELECT * FROM record ORDER BY record_id")
    (joined,) = join_steps.listed(house, unlike=None, limit=10)["joins"]
    assert (joined["lead_source_key"], joined["other_source_key"]) == (lei(1), FIRMS[0].number)
    assert join_steps.listed(house, unlike=joined["name_likeness"], limit=9)["matching"] == 0
    assert join_steps.listed(house, unlike=joined["name_likeness"] + 1, limit=9)["matching"] == 1
    dry = join_steps.end(house, lei(1), "cvr", "another company", dry_run=True)
    assert not dry["is_ended"]
    assert told(place, lei(1))["contact_points"]
    assert join_steps.end(house, lei(1), "cvr", "another company")["is_ended"]
    place.held.later(days=1)
    place.cvr.publish(house.now() - timedelta(hours=2))
    place.ingest("cvr", is_full_wanted=True)
    one = told(place, lei(1))
    assert (one["contact_points"], one["protection"], one["disagreements"]) == ([], [], [])
    ended = one["records"][1]
    assert (ended["until_reason"], ended["until_at"] is None) == ("person", False)
    assert place.held.ask("SELECT company_id FROM contact_points WHERE company_id = 1") == []
    assert export(place.held, tmp_path / "out")["excluded"] == {"protection_unknown": 1}
    after = place.held.ask("SELECT * FROM record ORDER BY record_id")
    assert [row["source_key"] for row in after] == [row["source_key"] for row in before]
    (event,) = place.held.ask("SELECT subject, detail FROM audit_events WHERE action = 'end join'")
    assert json.loads(event["detail"]) == {"source": "cvr", "reason": "another company"}
    parted_is_told_of(place, capsys)
    then = told(place, lei(1), as_of=house.now() - timedelta(hours=23, minutes=59, seconds=59))
    assert then["contact_points"] == []


@pytest.mark.parametrize(
    ("subject", "source_id", "reason", "said"),
    [
        (lei(1), "cvr", None, "--reason: it is missing"),
        (lei(1), "gleif", "wrong", "shown by"),
        (lei(1), "brreg", "wrong", "there is none that holds"),
        (lei(1), "nowhere", "wrong", "none of that name"),
        (lei(7), "cvr", "wrong", "it is not held"),
        ("a@b.example", "cvr", "wrong", "named by a contact value"),
    ],
)
def test_what_cannot_be_ended_is_refused(
    place: Registers, subject: str, source_id: str, reason: str | None, said: str
) -> None:
    with pytest.raises(Refused, match=said):
        join_steps.end(place.held.house, subject, source_id, reason)
