"""The bundled sample by file and by API says the same, field by field; what differs is seen."""

from __future__ import annotations

import csv
import io
import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from ingesting import company, lei, tidied

from sources import gleif
from sources.gleif_api_records import MAPPED, frame_of, unknown_names
from sources.gleif_columns import MAPPED as MAPPED_BY_FILE
from sources.kit import columns
from sources.kit.digest import canonical_texts
from sources.kit.errors import DeliveryRefused
from sources.kit.frames import Frame
from sources.kit.json_api import Page
from sources.kit.sample import bundled_sample
from sources.kit.standin_api_records import record


def page(*records: Any) -> Page:
    document = {"data": list(records)}
    return Page(json.dumps(document).encode(), document)


def sent(number: int = 1, **changes: str) -> dict[str, Any]:
    return record(company(number, **changes))


def framed(number: int = 1, **changes: str) -> Frame:
    return frame_of(page(sent(number, **changes)))


def held(frame: Frame) -> dict[str, dict[str, Any]]:
    return {row["source_key"]: row for row in frame.table.to_pylist()}


@cache
def sample_by_file(folder: Path) -> Frame:
    path = folder / "sample.csv"
    path.write_bytes(bundled_sample().csv)
    with gleif.rows_of(path, lambda frame: frame) as rows:
        (frame,) = rows.frames
    return frame


def test_every_field_of_the_file_has_a_place_in_the_answer() -> None:
    named = {*MAPPED.values(), *(f"successor_lei_{n}" for n in range(1, 6))}
    lines = {name for name in columns.ADDRESS_LINES if "mail_routing" not in name}
    assert named | lines == set(MAPPED_BY_FILE.values())


def test_the_sample_says_the_same_by_file_and_by_api(tmp_path: Path) -> None:
    """Under the canonical texts that digests are taken of; moments differ until compared."""
    by_file = sample_by_file(tmp_path)
    text = io.StringIO(bundled_sample().csv.decode("utf-8", "replace"), newline="")
    by_api = frame_of(page(*map(record, csv.DictReader(text))))
    assert by_api.table.num_rows == by_file.table.num_rows == bundled_sample().rows
    texts = canonical_texts(by_file.table, columns.PUBLISHED)
    assert canonical_texts(by_api.table, columns.PUBLISHED) != texts
    doubled = {bad.lei for bad in bundled_sample().bad if bad.rule == "key_is_unique"}
    taken = gleif.as_held(by_api, held(by_file))
    for name in by_file.table.column_names:
        for key, ours, theirs in zip(
            *(by_file.table[n].to_pylist() for n in ("source_key", name)),
            taken.table[name].to_pylist(),
            strict=True,
        ):
            assert ours == theirs or key in doubled, (name, key)


def test_a_moment_is_taken_as_it_is_held_and_another_as_it_was_sent() -> None:
    before = tidied(
        company(1, next_renewal_published="2027-05-04T00:00:00+02:00", last_update_published="x")
    )
    known = {lei(1): before.to_pylist()[0]}
    taken = gleif.as_held(framed(next_renewal_published="2027-05-04T00:00:00+02:00"), known)
    (row,) = taken.table.to_pylist()
    assert row["next_renewal_published"] == "2027-05-04T00:00:00+02:00"
    assert str(row["next_renewal_date"]) == "2027-05-04"
    assert row["last_update_published"] == "2026-09-01T08:00:00Z"
    renewed = gleif.as_held(framed(next_renewal_published="2028-05-04T00:00:00+02:00"), known)
    (row,) = renewed.table.to_pylist()
    assert row["next_renewal_published"] == "2028-05-03T22:00:00Z"


def test_what_an_answer_lacks_stays_as_held() -> None:
    without = sent(1)
    del without["attributes"]["conformityFlag"]
    frame = frame_of(page(without, sent(2, conformity="")))
    known = {lei(n): {"conformity": "NON_CONFORMING"} for n in (1, 2)}
    assert gleif.as_held(frame, known).table["conformity"].to_pylist() == ["NON_CONFORMING", None]
    assert gleif.as_held(frame, {}).table["conformity"].to_pylist() == [None, None]


def test_a_name_that_every_record_had_must_be_there() -> None:
    for path in ("entity.legalForm.id", "entity.legalAddress.addressLines", "registration.status"):
        changed = sent()
        place = changed["attributes"]
        *parents, last = path.split(".")
        for name in parents:
            place = place[name]
        del place[last]
        with pytest.raises(DeliveryRefused, match=path):
            frame_of(page(changed))


def test_address_lines_and_successors_keep_their_order() -> None:
    (row,) = framed(
        legal_address_line="first", legal_address_line_1="second", legal_address_line_2="third",
        successor_lei_1=lei(7), successor_lei_2=lei(8),
    ).table.to_pylist()  # fmt: skip
    lines = ("address_line", "address_line_1", "address_line_2", "address_line_3")
    assert [row[f"legal_{name}"] for name in lines] == ["first", "second", "third", None]
    assert [row[f"successor_lei_{n}"] for n in (1, 2, 3)] == [lei(7), lei(8), None]


def spoiled(**changes: Any) -> dict[str, Any]:
    one = sent(3)
    one["attributes"]["entity"] |= changes
    return one


@pytest.mark.parametrize(
    "bad",
    [
        None,
        "text",
        {},
        {"id": lei(3), "attributes": None},
        {**sent(3), "id": lei(4)},
        spoiled(category=7),
        spoiled(legalName="text"),
        spoiled(successorEntities=[1]),
        spoiled(successorEntities={}),
        spoiled(legalAddress={**sent(3)["attributes"]["entity"]["legalAddress"],
                              "addressLines": list("abcde")}),
    ],
)  # fmt: skip
def test_a_record_of_another_shape_is_misshapen(bad: Any) -> None:
    whole = page(sent(1), bad, sent(2))
    frame = frame_of(whole)
    assert frame.table["source_key"].to_pylist() == [lei(1), lei(2)]
    assert frame.table["ordinal"].to_pylist() == [0, 1]
    assert frame.origin.row_count == 3
    assert frame.origin.misshapen == ((1, 0),)
    for key, offset in zip((lei(1), lei(2)), frame.origin.row_offsets(), strict=True):
        assert whole.body[offset:].startswith(f'"id": "{key}"'.encode())
    assert len(frame.origin.misshapen_offsets()) == 1


def test_a_name_never_heard_of_is_named() -> None:
    strange = sent()
    strange["attributes"]["entity"]["mascot"] = {"kind": "dog"}
    strange["attributes"]["entity"]["empty"] = None
    assert unknown_names([page(strange)]) == ["entity.mascot.kind"]
    assert unknown_names([page(sent())]) == []
