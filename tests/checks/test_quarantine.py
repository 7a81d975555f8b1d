"""A rejected row keeps what is needed to mend it, and nothing that should not be kept."""

from __future__ import annotations

import json

import ingesting
import numpy as np
import pytest
from ingesting import SOUND, company, lei

from checks.quarantine import misshapen, rejected
from checks.rules import MISSHAPEN
from sources.kit import columns
from sources.kit.identity_numbers import NUMBER_REMOVED


def kept(*rows: ingesting.Row, rules: tuple[str, ...] = ("some_rule",)) -> list[dict]:
    table = ingesting.tidied(*rows)
    offsets = np.arange(len(rows)) * 1000 + 7
    found = rejected(table, range(len(rows)), [rules] * len(rows), offsets).to_pylist()
    return [line | {"content": json.loads(line["content"])} for line in found]


def test_it_says_rule_place_and_mapped_text() -> None:
    (line,) = kept(company(3, legal_name="", next_renewal_published="soon"))
    assert line["source_key"] == lei(3)
    assert line["rule"] == "some_rule"
    assert line["byte_offset"] == 7
    assert line["is_alarming"] is True
    assert line["content"] == SOUND | {
        "registration_number": "99000003",
        "next_renewal_published": "soon",
    }


def test_only_the_chosen_rows_are_kept() -> None:
    table = ingesting.tidied(*(company(n) for n in range(5)))
    found = rejected(table, [1, 4], [["a"], ["b"]], np.arange(5) * 100).to_pylist()
    lines = [(line["source_key"], line["rule"], line["byte_offset"]) for line in found]
    assert lines == [(lei(1), "a", 100), (lei(4), "b", 400)]


def test_each_broken_rule_is_an_entry() -> None:
    lines = kept(company(1), rules=("one", "two"))
    assert [line["rule"] for line in lines] == ["one", "two"]
    assert lines[0]["content_digest"] == lines[1]["content_digest"]


def test_the_same_content_has_the_same_digest_wherever_it_stands() -> None:
    first, again, other = kept(company(1), company(1), company(1, legal_name="Andet"))
    assert first["content_digest"] == again["content_digest"] != other["content_digest"]
    assert first["byte_offset"] != again["byte_offset"]


@pytest.mark.parametrize(
    ("status", "alarming"),
    [("ANNULLED", False), ("DUPLICATE", False), ("ISSUED", True), ("LAPSED", True), ("", True)],
)
def test_known_faults_raise_no_alarm(status, alarming) -> None:
    assert kept(company(1, lei_status=status))[0]["is_alarming"] is alarming


@pytest.mark.parametrize(
    "changes", [{"entity_category": "SOLE_PROPRIETOR"}, {"legal_form": "FUKI"}]
)
def test_a_natural_person_is_a_skeleton_here_too(changes) -> None:
    (line,) = kept(company(1, legal_name="Anna Prøve", lei_status="SUSPENDED", **changes))
    assert set(line["content"]) <= columns.SKELETON
    assert line["content"]["lei_status"] == "SUSPENDED"
    assert "Anna" not in json.dumps(line, default=str)


@pytest.mark.parametrize("field", ["registration_number", "legal_name", "legal_form_other"])
def test_personal_numbers_are_filtered(field) -> None:
    (line,) = kept(company(1, **{field: "nr. 010190-1234 her"}))
    assert line["content"][field] == f"nr. {NUMBER_REMOVED} her"


def test_personal_numbers_are_filtered_where_the_key_should_stand() -> None:
    (line,) = kept(company(1, source_key="010190-1234"))
    assert line["source_key"] == NUMBER_REMOVED


def test_an_lei_is_never_taken_for_a_personal_number() -> None:
    key = "5299000101901234AB" + "42"
    (line,) = kept(company(1, source_key=key))
    assert line["source_key"] == key


def test_what_a_database_cannot_hold_is_replaced() -> None:
    (line,) = kept(company(1, source_key="A\x00B", legal_name="C\x00D"))
    assert (line["source_key"], line["content"]["legal_name"]) == ("A�B", "C�D")


@pytest.mark.parametrize(("key", "shown"), [("", ""), ("x" * 500, "x" * 64)])
def test_a_key_of_any_length_is_no_trouble(key, shown) -> None:
    (line,) = kept(company(1, source_key=key))
    assert line["source_key"] == shown


def test_of_a_misshapen_row_nothing_but_its_place_is_kept() -> None:
    first, second = misshapen([3, 3], [100, 250]).to_pylist()
    assert (first["source_key"], first["rule"], first["byte_offset"]) == ("", MISSHAPEN, 100)
    assert json.loads(first["content"]) == {"fields_found": 3}
    assert first["content_digest"] != second["content_digest"]
