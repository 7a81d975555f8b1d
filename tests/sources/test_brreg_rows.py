"""Landed answers of Enhetsregisteret's API as frames: their places, oddities, and damage."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from norway import keys

from sources import brreg
from sources.brreg_answers import Answers
from sources.brreg_place import Place, after_bulk, before_bulk, place_of
from sources.kit.errors import DeliveryRefused
from sources.kit.landing import Landing

NOW = datetime(2026, 11, 2, 12, tzinfo=UTC)


def entity(number: str, **more: Any) -> dict[str, Any]:
    return {"organisasjonsnummer": number, "navn": "PRØVE AS", **more}


def page(*entities: dict[str, Any]) -> bytes:
    return json.dumps({"_embedded": {"enheter": entities}, "page": {}}, ensure_ascii=False).encode()


def landed(folder: Path, *bodies: bytes, about: Any = "entities", status: int = 200) -> Path:
    with Landing(folder).partial() as partial:
        answers = Answers(partial, NOW)
        for body in bodies:
            answers.add(about, ("999888777",), status, body)
        return partial.keep()[0]


def opened(path: Path) -> tuple[list[Any], Any]:
    with brreg.rows_of(path, lambda frame: frame) as rows:
        return list(rows.frames), rows


def test_every_entity_knows_where_its_bytes_stand(tmp_path: Path) -> None:
    path = landed(
        tmp_path, page(entity("999888777"), entity("888777666")), page(entity("777666555"))
    )
    (frame,), _ = opened(path)
    content = path.read_bytes()
    assert frame.origin.row_count == 3
    for key, offset in zip(keys([frame]), frame.origin.row_offsets(), strict=True):
        assert content[offset:].startswith(f'"organisasjonsnummer": "{key}"'.encode())


def test_an_entity_of_another_shape_is_set_aside_alone(tmp_path: Path) -> None:
    odd = entity("888777666", forretningsadresse={"adresse": "Prøvegata 1"})
    (frame,), rows = opened(landed(tmp_path, page(entity("999888777"), odd, entity("777666555"))))
    assert keys([frame]) == ["999888777", "777666555"]
    assert frame.table["ordinal"].to_pylist() == [0, 1]
    assert (frame.origin.row_count, frame.origin.misshapen) == (3, ((1, 0),))
    assert frame.origin.unreadable == ("888777666",)
    content = (tmp_path / next(tmp_path.rglob("*.bin"))).read_bytes()
    (offset,) = frame.origin.misshapen_offsets()
    assert content[offset:].startswith(b'"organisasjonsnummer": "888777666"')
    assert len(frame.origin.row_offsets()) == 2
    assert (rows.erased, rows.absent) == ((), ())


def test_a_number_may_be_written_as_one_or_with_blanks(tmp_path: Path) -> None:
    body = page(entity("999 888 777"), {"organisasjonsnummer": 888777666, "navn": "X"})
    (frame,), _ = opened(landed(tmp_path, body))
    assert keys([frame]) == ["999888777", "888777666"]


def test_unknown_fields_are_named_once_all_frames_have_come(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sources.brreg_rows.FRAME_ENTITIES", 2)
    bodies = [
        page(entity("999888777", **{name: 1})) for name in ("nytt", "annet", "nytt", "telefon")
    ]
    frames, rows = opened(landed(tmp_path, *bodies))
    assert [frame.table.num_rows for frame in frames] == [2, 2]
    assert rows.unknown == ["annet", "nytt"]
    assert opened(landed(tmp_path / "other"))[0] == []


def test_addresses_for_authorities_are_never_read(tmp_path: Path) -> None:
    secret = {"varslingsadresser": [{"epost": "varsel@prove.example"}]}
    (frame,), rows = opened(landed(tmp_path, page(entity("999888777", **secret))))
    assert "varsel" not in str(frame.table.to_pylist()) + str(frame.contacts.to_pylist())
    assert rows.unknown == []


@pytest.mark.parametrize("cut", [1, 2, 30, 150])
def test_answers_that_are_cut_off_are_refused(tmp_path: Path, cut: int) -> None:
    path = landed(tmp_path, page(entity("999888777")))
    path.write_bytes(path.read_bytes()[:-cut])
    with pytest.raises(DeliveryRefused, match="cut off or damaged"):
        opened(path)


def test_answers_whose_lines_are_damaged_are_refused(tmp_path: Path) -> None:
    path = landed(tmp_path, page(entity("999888777")))
    whole = path.read_bytes()
    for wrong, right in (
        (b'"bytes": ', b'"bytes": -'),
        (b'"about"', b'"abort"'),
        (b'"status"', b""),
    ):
        path.write_bytes(whole.replace(wrong, right))
        with pytest.raises(DeliveryRefused, match="cut off or damaged"):
            opened(path)


BUILT = datetime(2026, 11, 2, 4, tzinfo=UTC)
START = BUILT - timedelta(days=1)


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        (None, Place(START)),
        (Place(BUILT, 7), Place(START)),
        (Place(START, 7), Place(START)),
        (Place(START - timedelta(hours=1), 7), Place(START - timedelta(hours=1), 7, START)),
        (Place(START - timedelta(days=9)), Place(START - timedelta(days=9), None, START)),
        (Place(START - timedelta(days=9), 7, BUILT), Place(START - timedelta(days=9), 7, START)),
    ],
)
def test_a_bulk_file_never_moves_the_place_past_what_was_read(
    place: Place | None, expected: Place
) -> None:
    assert after_bulk(place, BUILT) == expected


@pytest.mark.parametrize(
    "place",
    [Place(BUILT), Place(BUILT, 20_000_473), Place(BUILT, 1, START), Place(START, None, BUILT)],
)
def test_a_place_is_read_as_it_was_written(place: Place) -> None:
    assert place_of(place.text) == place


def test_what_is_applied_is_as_new_as_the_newest_event_or_file() -> None:
    assert before_bulk(BUILT).applied_to == BUILT
    assert Place(BUILT, 7).applied_to == BUILT
    assert Place(START - timedelta(days=9), 7, START).applied_to == BUILT


@pytest.mark.parametrize(
    "text", [None, "", "id:7", "id:x at:2026-11-01", "dato:gestern", "7", "dato:2026-11-01 bulk:x"]
)
def test_what_is_no_place_is_none(text: str | None) -> None:
    assert place_of(text) is None
