"""Entities asked for by number: what each answer means and what lands of it, by real sockets."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from norway import DAY, NOON, Norway, keys, loaded, norway

from sources import brreg
from sources.kit.card import Held, Landed
from sources.kit.errors import DeliveryRefused, SourcenoteError, SourceUnavailable
from sources.kit.sample_registers import bundled_registers
from sources.kit.standin_api import Reply
from sources.kit.standin_brreg import REMOVED, Brreg
from sources.kit.standin_register import Asked

UNKNOWN = "999999999"
Spoil = Callable[[Asked, Reply], Reply]


class Spoiled(Brreg):
    """A register whose look-ups are answered as `spoil` has it."""

    spoil: Spoil | None = None

    def answer(self, asked: Asked) -> Reply:
        reply = super().answer(asked)
        is_about_entities = "/api/enheter" in asked.path and "lastned" not in asked.path
        return self.spoil(asked, reply) if self.spoil and is_about_entities else reply


@pytest.fixture
def register() -> Spoiled:
    return Spoiled(bundled_registers(DAY).firms["brreg"], DAY)


@pytest.fixture
def no(tmp_path: Path, register: Spoiled) -> Iterator[Norway]:
    with norway(tmp_path, register) as found:
        yield found


def looked_up(no: Norway, *numbers: str) -> Landed | None:
    return brreg.fetch_keys(no.session, numbers, no.landing)


def deleted(no: Norway) -> str:
    return next(n for n, found in no.register.entities.items() if "slettedato" in found)


def test_found_deleted_removed_and_unknown_are_told_apart(no: Norway) -> None:
    living, ended = no.mailed(), deleted(no)
    landed = looked_up(no, living, ended, REMOVED, UNKNOWN)
    assert landed is not None
    assert (landed.kind, landed.record_count) == ("api", 2)
    assert landed.asked == (living, ended, REMOVED, UNKNOWN)
    assert (landed.published_at, landed.retrieved_at, landed.position) == (NOON, NOON, None)
    assert landed.url == f"{no.served.base_url}/enhetsregisteret/api/enheter"
    frames, said = loaded(landed)
    assert keys(frames) == [living, ended]
    assert said == {"erased": (REMOVED,), "absent": (UNKNOWN,), "unknown": []}
    assert len(no.asked(f"organisasjonsnummer={living},{ended},{REMOVED},{UNKNOWN}&size=4")) == 1


def test_a_company_says_the_same_by_file_and_by_look_up(no: Norway) -> None:
    by_file, _ = loaded(no.fetch(no.plan()))
    numbers = keys(by_file)
    (whole,) = by_file
    landed = looked_up(no, *numbers[:100])
    assert landed is not None
    (frame,), _ = loaded(landed)
    assert keys([frame]) == sorted(numbers[:100], key=keys([frame]).index)
    rows = {row["source_key"]: row for row in whole.table.drop(["ordinal"]).to_pylist()}
    for row in frame.table.drop(["ordinal"]).to_pylist():
        assert row == rows[row["source_key"]]
    assert brreg.as_held(frame, {}) is frame


def test_what_is_known_of_none_is_nothing_but_a_removal_is_something(no: Norway) -> None:
    assert looked_up(no, UNKNOWN) is None
    assert not [path for path in no.landing.root.rglob("*") if path.is_file()]
    landed = looked_up(no, UNKNOWN, REMOVED)
    assert landed is not None
    assert landed.record_count == 0
    assert loaded(landed) == ([], {"erased": (REMOVED,), "absent": (UNKNOWN,), "unknown": []})


def test_equal_answers_of_two_moments_are_two_deliveries(no: Norway) -> None:
    first = looked_up(no, no.mailed())
    no.session.now = lambda: NOON + timedelta(hours=1)
    second = looked_up(no, no.mailed())
    assert first is not None
    assert second is not None
    assert first.sha256 != second.sha256


def test_batches_are_of_a_bounded_size(no: Norway) -> None:
    for numbers in ((), ("999999999",) * 101):
        with pytest.raises(ValueError, match="1 to 100 numbers"):
            brreg.fetch_keys(no.session, numbers, no.landing)
    held = no.after(no.fetch(no.plan()))
    many = tuple(f"{number:09d}" for number in range(250))
    landed = no.fetch(no.plan(Held(held.published_at, position=held.position, missing=many)))
    sizes = [path.partition("&size=")[2] for path in no.asked("organisasjonsnummer=")]
    assert sizes == ["22", "100", "100", "50"]
    assert len(loaded(landed)[1]["absent"]) == 250


def test_one_number_that_cannot_be_stops_no_other(no: Norway, register: Spoiled) -> None:
    def picky(asked: Asked, reply: Reply) -> Reply:
        wrong = UNKNOWN in asked.query.get("organisasjonsnummer", asked.path)
        return Reply(400, b'{"status": 400}') if wrong else reply

    register.spoil = picky
    landed = looked_up(no, no.mailed(), UNKNOWN)
    assert landed is not None
    frames, said = loaded(landed)
    assert (keys(frames), said["absent"]) == ([no.mailed()], (UNKNOWN,))


def test_a_number_of_the_feeds_own_is_never_wrong(no: Norway, register: Spoiled) -> None:
    held = no.first()
    register.change(no.mailed(), NOON, telefon="22 00 00 01")
    register.spoil = lambda _asked, _reply: Reply(400, b'{"status": 400}')
    with pytest.raises(SourceUnavailable, match="HTTP 400"):
        no.fetch(no.plan(held))


def of_another(asked: Asked, reply: Reply) -> Reply:
    if reply.status != 200:
        return reply
    number = asked.path[-9:]
    return Reply(200, reply.body.replace(number.encode(), b"999999998"), reply.headers)


def one_too_many(asked: Asked, reply: Reply) -> Reply:
    if "organisasjonsnummer" not in asked.query:
        return reply
    document = json.loads(reply.body)
    found: list[Any] = document.setdefault("_embedded", {"enheter": []})["enheter"]
    found.append({"organisasjonsnummer": "999999998"})
    return Reply(200, json.dumps(document).encode())


def twice(_asked: Asked, reply: Reply) -> Reply:
    document = json.loads(reply.body)
    document.get("_embedded", {"enheter": []})["enheter"] *= 2
    return Reply(reply.status, json.dumps(document).encode())


def numberless(asked: Asked, reply: Reply) -> Reply:
    if "organisasjonsnummer" not in asked.query:
        return reply
    return Reply(200, json.dumps({"_embedded": {"enheter": [{"navn": "X"}]}}).encode())


def an_outage(asked: Asked, reply: Reply) -> Reply:
    page = b"<html><body>Not found</body></html>"
    return reply if "organisasjonsnummer" in asked.query else Reply(404, page)


def another_removed(asked: Asked, reply: Reply) -> Reply:
    trace = b'{"organisasjonsnummer": "999999998", "slettedato": "2026-11-01"}'
    return reply if "organisasjonsnummer" in asked.query else Reply(410, trace)


@pytest.mark.parametrize(
    ("spoil", "cause"),
    [
        (of_another, "something else than the entity asked for"),
        (one_too_many, "1 of 2 entities it answers were not asked for"),
        (twice, "a number twice"),
        (numberless, "without an organisation number"),
        (an_outage, "web page"),
        (another_removed, "something else than the entity asked for"),
    ],
)
def test_an_answer_about_something_else_is_refused_whole(
    no: Norway, register: Spoiled, spoil: Spoil, cause: str
) -> None:
    register.spoil = spoil
    with pytest.raises(DeliveryRefused, match=cause):
        looked_up(no, no.mailed(), deleted(no))
    assert not [path for path in no.landing.root.rglob("*") if path.is_file()]


@pytest.mark.parametrize("fault", ["html_200", "empty_200", "error_200", "unavailable", "cut"])
@pytest.mark.parametrize("on", ["organisasjonsnummer=", "enheter/"])
def test_no_fault_passes_for_an_answer(no: Norway, fault: str, on: str) -> None:
    no.served.misbehave(fault, on=on)
    with pytest.raises(SourcenoteError):
        looked_up(no, deleted(no))
    no.served.behave()
    assert looked_up(no, deleted(no)) is not None


def test_a_removal_without_a_trace_erases_too(no: Norway, register: Spoiled) -> None:
    number = no.mailed()
    register.spoil = lambda asked, reply: (
        Reply(410, b"") if asked.path.endswith(number) else Reply(200, b'{"page": {}}')
    )
    landed = looked_up(no, number)
    assert landed is not None
    assert loaded(landed)[1]["erased"] == (number,)
