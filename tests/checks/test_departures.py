"""The gates of an export: each candidate gets the first outcome that holds, and only that one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.departures import GATES, REASONS, Departures, Terms
from checks.departures_address import address_key, postal_address

RULES = {
    "legal_person": {"DK": "opt_out", "NO": "opt_out", "DE": "opt_in", "SE": "opt_out"},
    "role_mailbox": {"DK": "opt_in", "NO": "opt_out"},
    "sole_trader": {"NO": "opt_in"},
}
PLAIN: dict[str, Any] = {
    "company_id": 1,
    "lei": "TEST00NORDLYS0000017",
    "source_id": "gleif",
    "first_delivery_id": 1,
    "state": "active",
    "person_kind": "none",
    "legal_name": "Nordlys Skibsbyggeri AS",
    "legal_country": "NO",
    "headquarters_country": "NO",
    "entity_status": "ACTIVE",
    "lei_status": "ISSUED",
    "is_stopped": False,
    "is_protected": None,
    "cleared_by": None,
    "has_ceased": False,
    "headquarters_mail_routing": None,
    "headquarters_address_line": "Prøveveien 1",
    "headquarters_address_number": None,
    "headquarters_address_number_within_building": None,
    "headquarters_address_line_1": None,
    "headquarters_address_line_2": None,
    "headquarters_address_line_3": None,
    "headquarters_city": "Oslo",
    "headquarters_region": "NO-03",
    "headquarters_postal_code": "0150",
}
SCHEMA = pa.schema(
    [
        (name, {bool: pa.bool_(), int: pa.int64()}.get(type(value), pa.string()))
        for name, value in {**PLAIN, "is_protected": False}.items()
    ]
)

SPOILED: dict[str, dict[str, Any]] = {
    "suppressed": {"is_stopped": True},
    "advertising_protected": {"is_protected": True},
    "protection_unknown": {"headquarters_country": "SE", "cleared_by": "cvr"},
    "natural_person": {"person_kind": "natural", "legal_country": "DK"},
    "person_review": {"person_kind": "possible"},
    "channel_forbidden": {"legal_country": "US"},
    "no_consent": {"legal_country": "DE"},
    "undeliverable": {"headquarters_city": None},
    "no_provenance": {"source_id": "unheard-of"},
    "incomplete_notice": {"legal_country": "DK"},
    "inactive": {"state": "inactive"},
    "entity_inactive": {"has_ceased": True},
    "lei_retired": {"lei_status": "RETIRED"},
    "lei_merged": {"lei_status": "MERGED"},
    "lei_annulled": {"lei_status": "ANNULLED"},
    "lei_duplicate": {"lei_status": "DUPLICATE"},
    "lei_pending_archival": {"lei_status": "PENDING_ARCHIVAL"},
    "recently_contacted": {"company_id": 99},
}
"""What each gate catches, on a row that no other gate catches."""


def terms(**changes: Any) -> Terms:
    given_terms: dict[str, Any] = {
        "channel": "post",
        "sender_country": "DK",
        "is_sender_bound": True,
        "rules": RULES,
        "flagged": {"SE": frozenset({"bolagsverket"}), "NL": frozenset[str]()},
        "known_sources": frozenset({"gleif"}),
        "cooling": frozenset({99}),
        "is_stopped": lambda leis: np.zeros(len(leis), dtype=bool),
        "is_notice_complete": lambda _headquarters, legal: legal != "DK",
    }
    return Terms(**{**given_terms, **changes})


def frame(*rows: dict[str, Any]) -> pa.Table:
    full = [{**PLAIN, **row} for row in rows]
    return pa.table(
        {name: pa.array([row[name] for row in full], SCHEMA.field(name).type) for name in PLAIN}
    )


def outcome(row: dict[str, Any], **changes: Any) -> str:
    departures = Departures(terms(**changes))
    rest = departures.judge(frame(row))
    assert departures.candidates == 1
    assert rest.num_rows + departures.excluded.total() == 1
    return next(iter(departures.excluded), "selected")


def test_a_plain_company_leaves() -> None:
    assert outcome({}) == "selected"


@pytest.mark.parametrize("reason", SPOILED)
def test_each_gate_catches_its_own(reason: str) -> None:
    assert outcome(SPOILED[reason]) == reason


def test_the_order_is_the_policys() -> None:
    assert REASONS == (
        "suppressed",
        "objected",
        "restricted",
        "erased",
        "advertising_protected",
        "protection_unknown",
        "natural_person",
        "person_review",
        "channel_forbidden",
        "no_consent",
        "undeliverable",
        "no_contact_point",
        "no_provenance",
        "incomplete_notice",
        "inactive",
        "entity_inactive",
        "lei_retired",
        "lei_merged",
        "lei_annulled",
        "lei_duplicate",
        "lei_pending_archival",
        "own_customer",
        "recipient_without_contract",
        "purpose_not_approved",
        "same_address",
        "recently_contacted",
    )
    assert len(set(REASONS)) == len(REASONS)
    assert all(gate.meaning for gate in GATES)


def spoiled_by(reasons: Iterable[str]) -> tuple[dict[str, Any], set[str]]:
    """A row with the faults of these gates, as far as they do not undo one another."""
    row: dict[str, Any] = {}
    caused: set[str] = set()
    for reason in reasons:
        if not SPOILED[reason].keys() & row.keys():
            row |= SPOILED[reason]
            caused.add(reason)
    return row, caused


@given(st.lists(st.sampled_from(list(SPOILED)), min_size=1, max_size=8, unique=True))
def test_of_many_reasons_the_first_counts(reasons: list[str]) -> None:
    row, caused = spoiled_by(reasons)
    assert outcome(row) in caused | {"natural_person", "no_consent", "channel_forbidden"}
    if not caused & {"natural_person", "channel_forbidden", "no_consent", "incomplete_notice"}:
        assert outcome(row) == min(caused, key=REASONS.index)


@given(
    st.lists(
        st.lists(st.sampled_from(list(SPOILED)), max_size=4, unique=True), min_size=1, max_size=30
    )
)
def test_every_candidate_has_exactly_one_outcome(rows: list[list[str]]) -> None:
    departures = Departures(terms())
    spoiled = [{"company_id": n, **spoiled_by(reasons)[0]} for n, reasons in enumerate(rows)]
    half = len(spoiled) // 2
    parts = [part for part in (spoiled[:half], spoiled[half:]) if part]
    selected = sum(departures.judge(frame(*part)).num_rows for part in parts)
    assert selected + departures.excluded.total() == departures.candidates == len(rows)


def test_a_stop_is_found_by_the_hash_too() -> None:
    assert outcome({}, is_stopped=lambda leis: np.ones(len(leis), dtype=bool)) == "suppressed"


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"cleared_by": "bolagsverket", "legal_country": "SE"}, "selected"),
        ({"cleared_by": "cvr,bolagsverket", "legal_country": "SE"}, "selected"),
        ({"cleared_by": None, "legal_country": "SE"}, "protection_unknown"),
        ({"cleared_by": "cvr", "legal_country": "SE"}, "protection_unknown"),
        ({"cleared_by": "bolagsverket", "headquarters_country": "NL"}, "protection_unknown"),
        ({"is_protected": True, "legal_country": "NO"}, "advertising_protected"),
        (
            {"is_protected": True, "cleared_by": "bolagsverket", "legal_country": "SE"},
            "advertising_protected",
        ),
    ],
)
def test_a_register_with_a_flag_must_have_told_us(row: dict[str, Any], expected: str) -> None:
    assert outcome(row) == expected


@pytest.mark.parametrize(
    ("legal", "headquarters", "is_sender_bound", "sender", "expected"),
    [
        ("NO", "NO", True, "DK", "selected"),
        ("NO", "US", True, "DK", "channel_forbidden"),
        ("US", "NO", True, "DK", "channel_forbidden"),
        ("NO", "DE", True, "DK", "no_consent"),
        ("NO", "NO", True, "US", "channel_forbidden"),
        ("NO", "NO", False, "US", "selected"),
        ("NO", "NO", True, "DE", "no_consent"),
        ("DE", "US", True, "DK", "channel_forbidden"),
    ],
)
def test_the_strictest_of_sender_and_both_countries_holds(
    legal: str, headquarters: str, is_sender_bound: bool, sender: str, expected: str
) -> None:
    row = {"legal_country": legal, "headquarters_country": headquarters}
    changes = {"is_sender_bound": is_sender_bound, "sender_country": sender}
    assert outcome(row, **changes) == expected


def test_a_natural_person_needs_a_rule_and_then_a_consent() -> None:
    rules = {**RULES, "sole_trader": {"NO": "opt_in", "DK": "opt_in"}}
    assert outcome({"person_kind": "natural"}) == "natural_person"
    assert outcome({"person_kind": "natural"}, rules=rules) == "no_consent"


def test_without_headquarters_no_letter_arrives() -> None:
    departures = Departures(terms())
    departures.judge(frame({"headquarters_country": None}, {"headquarters_address_line": None}))
    assert departures.excluded == {"undeliverable": 2}
    assert departures.undeliverable == {"unknown_country": 1, "no_street": 1}


@pytest.mark.parametrize("channel", ["email", "phone"])
def test_other_channels_lack_contact_points(channel: str) -> None:
    rules = {"role_mailbox": {"DK": "opt_out", "NO": "opt_out"}}
    rules["legal_person"] = rules["role_mailbox"]
    assert outcome({}, channel=channel, rules=rules) == "no_contact_point"


def test_cold_mail_is_forbidden_before_anything_is_missing() -> None:
    assert outcome({}, channel="email") == "no_consent"
    assert outcome({"legal_country": "US"}, channel="email") == "channel_forbidden"


def test_of_one_address_the_lowest_company_id_goes() -> None:
    departures = Departures(terms())
    first = departures.judge(frame({"company_id": 1}, {"company_id": 2, "legal_name": "Anden AS"}))
    again = {"headquarters_address_line": "PRØVEVEIEN  1.", "headquarters_city": "OSLO"}
    second = departures.judge(frame({"company_id": 3, **again}, {"company_id": 4, **_elsewhere()}))
    assert first["company_id"].to_pylist() == [1]
    assert second["company_id"].to_pylist() == [4]
    assert departures.excluded == {"same_address": 2}


def test_the_cool_off_follows_the_address() -> None:
    departures = Departures(terms(cooling=frozenset({1})))
    assert not departures.judge(frame({"company_id": 1}, {"company_id": 2})).num_rows
    assert departures.excluded == {"same_address": 1, "recently_contacted": 1}


def _elsewhere() -> dict[str, Any]:
    return {"headquarters_address_line": "Prøveveien 2"}


def test_an_empty_frame_is_no_candidate() -> None:
    departures = Departures(terms())
    assert departures.judge(frame({}).slice(0, 0)).num_rows == 0
    assert departures.candidates == 0


def test_rows_dropped_outside_are_counted_once() -> None:
    departures = Departures(terms())
    departures.judge(frame({}))
    departures.drop("suppressed", 2, is_candidate=True)
    departures.drop("suppressed", 1)
    assert (departures.candidates, departures.excluded) == (3, {"suppressed": 3})


@pytest.mark.parametrize(
    ("held", "lines"),
    [
        ({"address_line": "Morii", "address_number": "73"}, ("", "Morii 73", "", "", "")),
        ({"address_line": "Vej 12", "address_number": "12"}, ("", "Vej 12", "", "", "")),
        (
            {
                "address_line": "Autostrada",
                "address_number": "KM 3+750",
                "address_number_within_building": "Etaj 2",
            },
            ("", "Autostrada KM 3+750, Etaj 2", "", "", ""),
        ),
        ({"address_number": "7"}, ("", "7", "", "", "")),
        (
            {"mail_routing": "Postrum 5", "address_line": "Vej 1", "address_line_1": "2. sal"},
            ("Postrum 5", "Vej 1", "2. sal", "", ""),
        ),
    ],
)
def test_a_number_given_apart_joins_its_street(
    held: dict[str, str], lines: tuple[str, ...]
) -> None:
    values = {f"headquarters_{name}": value for name, value in held.items()}
    assert postal_address(values).lines == lines


def test_an_address_is_the_same_whoever_lives_there() -> None:
    here = postal_address(PLAIN)
    assert address_key(here) == address_key(replace(here, name="Anden AS"))
    assert address_key(here) == address_key(replace(here, city=" oslo"))
    assert address_key(here) != address_key(replace(here, postal_code="0151"))
    assert address_key(here) != address_key(replace(here, country="SJ"))
