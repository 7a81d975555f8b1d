"""CVR asked about single companies: the same as its files say, or refused; never a mere no."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from cvr_served import FIRMS, NOON, Served, number_of, served, told

from sources import cvr as source
from sources.cvr_graphql import UnknownField, data_of
from sources.kit.errors import DeliveryRefused, SourceUnavailable
from sources.kit.sample_cvr import production_unit_id, unit_id
from sources.kit.standin_api import Reply

NUMBERS = [firm.number for firm in FIRMS if not firm.ceased][:100]
FLAGS = "CVR_Reklamebeskyttelse"


@pytest.fixture
def cvr(tmp_path) -> Iterator[Served]:
    with served(tmp_path) as found:
        yield found


def asked(cvr: Served, *numbers: str):
    landed = cvr.ask(*numbers)
    assert landed is not None
    return landed


def answering(cvr: Served, root: str, change: Any) -> None:
    """Let the register answer questions about a root field otherwise."""
    answer = cvr.register.answer

    def changed(request) -> Reply:
        reply = answer(request)
        return change(reply) if root.encode() in request.body else reply

    cvr.register.answer = changed  # type: ignore[method-assign]


def test_an_answer_says_what_the_files_say(cvr: Served) -> None:
    files, answers = told(cvr.fetch().path), told(asked(cvr, *NUMBERS).path)
    assert set(answers.companies) == set(NUMBERS)
    assert answers.companies == {number: files.companies[number] for number in NUMBERS}
    assert answers.flags == {number: files.flags[number] for number in NUMBERS}
    assert answers.contacts == {point for point in files.contacts if point[0] in NUMBERS}
    assert answers.absent == ()


def test_how_it_is_landed(cvr: Served) -> None:
    landed = asked(cvr, *NUMBERS[:2])
    assert (landed.kind, landed.asked) == ("api", tuple(NUMBERS[:2]))
    assert (landed.published_at, landed.retrieved_at) == (NOON, NOON)
    assert (landed.record_count, landed.position) == (2, None)
    assert landed.url.endswith("/CVR/v2")
    assert landed.path.stat().st_size == landed.byte_count


def test_each_row_knows_where_its_bytes_stand(cvr: Served) -> None:
    landed = asked(cvr, *NUMBERS[:3])
    body = landed.path.read_bytes()
    with source.rows_of(landed.path, lambda frame: frame) as rows:
        (frame,) = rows.frames
    for number, at in zip(
        frame.table["source_key"].to_pylist(), frame.origin.row_offsets().tolist(), strict=True
    ):
        assert body[at:].startswith(f'"{unit_id(number)}"'.encode())


def test_the_questions_keep_the_publishers_rules(cvr: Served) -> None:
    """No aliases, one root field, a filter, at most a hundred values: else the stand-in refuses."""
    asked(cvr, *NUMBERS)
    posts = [one for one in cvr.standin.requests if one.method == "POST"]
    assert 8 <= len(posts) <= 16
    with pytest.raises(ValueError, match="1 to 100 numbers, not 101"):
        cvr.ask(*NUMBERS, "12345678")


def test_what_is_not_there_is_told(cvr: Served) -> None:
    found = told(asked(cvr, NUMBERS[0], "10000001", "1234", "x" * 8).path)
    assert found.absent == ("10000001", "1234", "x" * 8)
    assert cvr.ask("10000001") is None
    assert cvr.ask("not-a-number") is None


def test_a_flag_turned_since_the_files_is_told(cvr: Served) -> None:
    firm = next(firm for firm in FIRMS if firm.is_protected is False and firm.cases[0] == "role")
    assert told(cvr.fetch().path).flags[firm.number] is False
    cvr.register.protect(firm.number, NOON)
    found = told(asked(cvr, firm.number).path)
    assert found.flags == {firm.number: True}
    assert {flag for *_, flag in found.contacts} == {True}


def test_no_row_of_protection_is_unknown(cvr: Served) -> None:
    number = number_of("flagless")
    assert told(asked(cvr, number).path).flags == {number: None}


@pytest.mark.parametrize("root", ["CVR_Virksomhed(", "CVR_e_mailadresse", FLAGS])
def test_an_error_inside_a_200_is_refused_as_a_whole(cvr: Served, root: str) -> None:
    answering(cvr, root, lambda _: cvr.register.error_200())
    with pytest.raises(DeliveryRefused, match="it holds an error"):
        cvr.ask(NUMBERS[0])
    assert list(cvr.landing.root.glob("??/*.bin")) == []


def test_an_error_beside_data_is_refused_too(cvr: Served) -> None:
    def with_error(reply: Reply) -> Reply:
        document = json.loads(reply.body)
        document["errors"] = [{"message": "late", "extensions": {"code": "DAF-GQL-0042"}}]
        return Reply(200, json.dumps(document).encode(), reply.headers)

    answering(cvr, FLAGS, with_error)
    with pytest.raises(DeliveryRefused, match=r"an error \(DAF-GQL-0042\)"):
        cvr.ask(NUMBERS[0])


@pytest.mark.parametrize(
    "body",
    [
        b"[]", b"{}", b'{"data": null}', b'{"data": {}}',
        b'{"data": {"CVR_Reklamebeskyttelse": 1}}',
        b'{"data": {"CVR_Reklamebeskyttelse": {"nodes": [1]}}}',
        b'{"data": {"CVR_Reklamebeskyttelse": {"nodes": [{"CVREnhedsId": "40999"}]}}}',
    ],
)  # fmt: skip
def test_an_answer_that_is_none_is_refused(cvr: Served, body: bytes) -> None:
    answering(cvr, FLAGS, lambda _: Reply(200, body))
    with pytest.raises(DeliveryRefused):
        cvr.ask(NUMBERS[0])


@pytest.mark.parametrize("fault", ["html_200", "empty_200", "truncated", "unavailable"])
def test_a_server_in_trouble_says_nothing(cvr: Served, fault: str) -> None:
    cvr.standin.misbehave(fault, on="/CVR/v2")
    with pytest.raises((DeliveryRefused, SourceUnavailable)):
        cvr.ask(NUMBERS[0])


def test_a_question_is_asked_again_after_a_broken_connection(cvr: Served) -> None:
    for fault in ("reset", "server_error"):
        cvr.standin.misbehave(fault, times=1, on="/CVR/v2")
    assert told(asked(cvr, NUMBERS[0]).path).companies


def test_a_late_answer_is_waited_for(cvr: Served) -> None:
    cvr.standin.latency = 1.0
    cvr.standin.misbehave("late", times=2, on="/CVR/v2")
    assert told(asked(cvr, NUMBERS[0]).path).companies


def test_what_the_publisher_has_no_field_for_is_asked_once(cvr: Served) -> None:
    """`hemmelig` is asked for where there is one, and its absence costs one question an entity."""
    number = number_of("secret")
    assert told(asked(cvr, number).path).dropped["secret"] > 0
    for entity in ("e-mailadresse", "Telefonnummer"):
        columns = cvr.register.columns[entity]
        cvr.register.columns[entity] = tuple(name for name in columns if name != "hemmelig")
    before = len(cvr.standin.requests)
    found = told(asked(cvr, number).path)
    assert found.dropped["secret"] == 0
    assert len(cvr.standin.requests) - before == 10
    assert found.companies
    asked(cvr, number)
    assert len(cvr.standin.requests) - before == 18


@pytest.mark.parametrize(
    "words", ["The field `{}` does not exist", "Cannot query field '{}' on type"]
)
def test_that_there_is_no_such_field_is_understood_in_either_wording(words: str) -> None:
    told_so = {"errors": [{"message": words.format("hemmelig")}]}

    class Refusing:
        def post_json(self, *_: Any, **__: Any) -> tuple[bytes, Any]:
            return b"", told_so

    with pytest.raises(UnknownField, match="it has no field hemmelig") as refusal:
        data_of(Refusing(), "CVR_Navn", "{ CVR_Navn }")  # type: ignore[arg-type]
    assert refusal.value.names == {"hemmelig"}


def test_what_cannot_be_done_without_is_refused(cvr: Served) -> None:
    cvr.register.columns["Navn"] = ("CVREnhedsId", "sekvens")
    with pytest.raises(DeliveryRefused, match="it has no field vaerdi"):
        cvr.ask(NUMBERS[0])


def test_without_a_field_for_protection_nothing_is_answered(cvr: Served) -> None:
    cvr.register.without_roots = {FLAGS}
    with pytest.raises(DeliveryRefused, match=f"it has no field {FLAGS}"):
        cvr.ask(NUMBERS[0])


def test_forms_and_production_units_may_be_unknown(cvr: Served) -> None:
    number = NUMBERS[0]
    before = told(asked(cvr, number).path)
    cvr.register.without_roots = {"CVR_Virksomhedsform", "CVR_Produktionsenhed"}
    landed = asked(cvr, number)
    after = told(landed.path)
    assert after.flags == before.flags
    assert after.companies[number]["legal_form"] is None
    assert after.companies[number]["person_kind"] == "possible"
    held = {number: before.companies[number]}
    with source.rows_of(landed.path, lambda frame: source.as_held(frame, held)) as rows:
        (frame,) = rows.frames
    row = frame.table.drop_columns(["ordinal"]).to_pylist()[0]
    assert row == before.companies[number]


def test_pages_are_read_to_the_last(cvr: Served, monkeypatch) -> None:
    monkeypatch.setattr("sources.cvr_graphql.PAGE", 7)
    assert set(told(asked(cvr, *NUMBERS[:30]).path).companies) == set(NUMBERS[:30])


def test_pages_that_never_end_are_refused(cvr: Served, monkeypatch) -> None:
    monkeypatch.setattr("sources.cvr_graphql.PAGE", 1)

    def again(reply: Reply) -> Reply:
        document = json.loads(reply.body)
        page = document["data"]["CVR_Navn"]["pageInfo"]
        page |= {"hasNextPage": True, "endCursor": "MQ==;1"}
        return Reply(200, json.dumps(document).encode(), reply.headers)

    answering(cvr, "CVR_Navn", again)
    with pytest.raises(DeliveryRefused, match="next page of CVR_Navn is one that came before"):
        cvr.ask(NUMBERS[0])


def test_the_stricter_flag_holds_for_what_a_unit_publishes_as_well(cvr: Served) -> None:
    number = number_of("unit_protected")
    shared, phone = production_unit_id(number), f"3399{number[-4:]}"
    cvr.register.set_value("Telefonnummer", unit_id(number), phone, NOON)
    assert cvr.register.tables["Telefonnummer"][-1]["vaerdi"] == phone
    cvr.publish(NOON)
    for path in (asked(cvr, number).path, cvr.fetch().path):
        found = told(path)
        assert found.flags[number] is False
        flags = {value: flag for key, _, value, flag in found.contacts if key == number}
        assert flags.pop(phone) is True
        assert set(flags.values()) <= {False}
    cvr.register.set_value("Reklamebeskyttelse", shared, None, NOON)
    found = told(asked(cvr, number).path)
    assert {value: flag for _, _, value, flag in found.contacts}[phone] is None


def test_a_protected_company_is_protected_whatever_its_units_say(cvr: Served) -> None:
    number = number_of("unit_open")
    phone = f"3399{number[-4:]}"
    cvr.register.set_value("Telefonnummer", unit_id(number), phone, NOON)
    found = told(asked(cvr, number).path)
    assert found.flags[number] is True
    assert {flag for *_, flag in found.contacts} == {True}
