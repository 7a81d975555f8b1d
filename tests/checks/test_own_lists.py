"""Rows of the owner's lists held to their rules: each rule is seen to catch, and to let pass."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import pytest
from own_files import consent, customer, enquiry, visit

from checks.own_lists import Judged, Terms, judge
from checks.rules import BY_NAME, MISSHAPEN, OWN_RULES
from sources.kit.list_mapping import guess
from sources.kit.own_lists import own_list
from sources.kit.sample_lei import check_digits

TERMS = Terms("DK", frozenset({"direct_marketing"}), date(2026, 11, 2), "DD-MM-YYYY")
LEI = "506700TEST00000001" + check_digits("506700TEST00000001")
SOUND = {
    "customers": customer(1, LEI=LEI),
    "enquiries": enquiry(1),
    "visits": visit(1),
    "consents": consent(1),
}


def judged(code: str, *rows: Mapping[str, str], too_long: tuple[int, ...] = ()) -> Judged:
    own = own_list(code)
    header = list(dict.fromkeys(name for row in rows for name in row))
    mapping = guess(header, own)
    texts = {
        ours: [row.get(theirs, "") for row in rows] for ours, theirs in mapping.columns.items()
    }
    texts |= {name: [value] * len(rows) for name, value in mapping.constants.items()}
    return judge(own, texts, range(2, len(rows) + 2), frozenset(too_long), TERMS)


@pytest.mark.parametrize("code", SOUND)
def test_a_sound_row_is_taken_whole(code: str) -> None:
    found = judged(code, SOUND[code])
    assert (len(found.rows), found.rejected, found.superseded) == (1, [], 0)
    assert set(found.rows[0]) >= set(own_list(code).fields)
    assert found.rows[0]["event_date"]


BROKEN = [
    ("customers", {"Fakturanr.": ""}, "event_reference_is_given"),
    ("customers", {"Fakturanr.": "anna@eksempel.dk"}, "event_reference_names_nobody"),
    ("customers", {"Fakturanr.": "010190-1234"}, "event_reference_names_nobody"),
    ("customers", {"Kundenavn": "x" * 501}, "texts_are_short"),
    ("customers", {"Kunde fra": ""}, "event_date_is_given"),
    ("customers", {"Kunde fra": "32-01-2026"}, "dates_are_in_format"),
    ("customers", {"Kunde til": "2026-11"}, "dates_are_in_format"),
    ("customers", {"Administreret": "måske"}, "truths_are_readable"),
    ("customers", {"Land": "Atlantis"}, "country_is_known"),
    ("customers", {"LEI": "LEI"}, "lei_is_well_formed"),
    ("customers", {"LEI": f"{LEI[:-2]}{int(LEI[-2:]) ^ 1:02}"}, "lei_check_digits_hold"),
    ("customers", {"CVR-nr.": "123"}, "registration_number_fits"),
    ("customers", {"Kunde til": "01-03-2020"}, "relationship_ends_after_start"),
    ("customers", {"LEI": "", "Kundenavn": "", "E-mail": ""}, "customer_is_named"),
    ("enquiries", {"E-mail": ""}, "contact_is_given"),
    ("enquiries", {"E-mail": "anna(at)eksempel"}, "contact_is_given"),
    ("enquiries", {"Received": "2026-11-04"}, "event_is_not_to_come"),
    ("visits", {"IP": "192.0.2.700"}, "ip_address_is_readable"),
    ("visits", {"Timestamp": ""}, "event_date_is_given"),
    ("consents", {"Act": ""}, "act_is_given"),
    ("consents", {"Text version": ""}, "text_version_is_given"),
    ("consents", {"Consented at": ""}, "event_date_is_given"),
    ("consents", {"Act": "used our service"}, "use_is_no_consent"),
    ("consents", {"Act": "Brug af tjenesten"}, "use_is_no_consent"),
    ("consents", {"Act": "used our services"}, "use_is_no_consent"),
    ("consents", {"Act": "service used"}, "use_is_no_consent"),
    ("consents", {"Act": "Tjenesten er brugt"}, "use_is_no_consent"),
    ("consents", {"Act": "accepted cookies by browsing"}, "use_is_no_consent"),
    ("consents", {"Act": "logged in"}, "use_is_no_consent"),
    ("consents", {"Act": "bought a product from us"}, "use_is_no_consent"),
    ("consents", {"Act": "oprettede en konto"}, "use_is_no_consent"),
    ("consents", {"Channel": "post"}, "channel_is_known"),
    ("consents", {"Channel": ""}, "channel_is_known"),
    ("consents", {"Channel": "sms"}, "contact_is_given"),
    ("consents", {"Purpose": "everything"}, "purpose_is_known"),
    ("consents", {"Withdrawn": "2026-09-01T08:00:00Z"}, "withdrawal_is_after_consent"),
]


@pytest.mark.parametrize(
    ("code", "change", "rule"),
    BROKEN,
    ids=[f"{rule}-{place}" for place, (*_, rule) in enumerate(BROKEN)],
)
def test_a_broken_rule_holds_the_row_back(code: str, change: dict[str, str], rule: str) -> None:
    found = judged(code, SOUND[code] | change, dict(SOUND[code], **reference_of(code, "other")))
    (rejected,) = found.rejected
    assert rejected.rules == (rule,)
    assert rejected.number == 2
    assert len(found.rows) == 1


@pytest.mark.parametrize(
    "act",
    [
        "ticked the box",
        "ticked the box when an order was paid",
        "afkrydsede feltet ved køb",
        "clicked the link in the confirmation mail after logging in",
        "signed the form",
        "samtykke i formular",
        "form submitted",
    ],
)
def test_an_act_that_is_one_is_taken(act: str) -> None:
    assert judged("consents", SOUND["consents"] | {"Act": act}).rejected == []


def reference_of(code: str, text: str) -> dict[str, str]:
    return {next(iter(SOUND[code])): text}


def test_every_rule_is_known_and_seen_to_catch() -> None:
    seen = {rule for *_, rule in BROKEN} | {"event_reference_is_unique"}
    assert {rule.name for rule in OWN_RULES} <= seen <= set(BY_NAME)


def test_a_row_with_more_cells_than_the_header_is_misshapen() -> None:
    found = judged("customers", customer(1), customer(2), too_long=(1,))
    assert [(one.reference, one.rules) for one in found.rejected] == [("F2", (MISSHAPEN,))]


def test_a_reference_twice_is_one_row_or_none() -> None:
    found = judged("customers", customer(1), customer(1), customer(2))
    assert (len(found.rows), found.superseded, found.rejected) == (2, 1, [])
    found = judged("customers", customer(1), customer(1, LEI=LEI), customer(2))
    assert (len(found.rows), found.superseded) == (1, 0)
    assert [one.rules for one in found.rejected] == [("event_reference_is_unique",)] * 2
    assert found.count == 3


@pytest.mark.parametrize("name", ["DK", "dk", "Danmark", "Denmark", "DÄNEMARK"])
def test_countries_by_code_or_name(name: str) -> None:
    assert judged("customers", customer(1, Land=name)).rows[0]["country"] == "DK"


def test_a_contact_that_cannot_be_read_costs_no_customer() -> None:
    found = judged("customers", customer(1, **{"E-mail": "post(at)", "Telefon": "+45 33 12 34 56"}))
    assert (found.rows[0]["email"], found.rows[0]["phone"]) == (None, "+4533123456")
    assert sum(found.kept_out.values()) == 1
    found = judged("customers", customer(1, **{"E-mail": "a@eksempel.dk; b@eksempel.dk"}))
    assert found.rows[0]["email"] == "a@eksempel.dk"
    assert found.kept_out == {"email.second_in_cell": 1}


def test_a_number_without_its_register_joins_nothing() -> None:
    found = judged("customers", customer(1) | {"Org nr": "99999999"})
    assert found.rows[0]["registration_number"] is None
    assert found.kept_out == {"registration_number.no_register": 1}


def test_a_personal_number_in_a_numbers_place_is_dropped_and_the_customer_kept() -> None:
    found = judged("customers", customer(1) | {"CVR-nr.": "010190-1234"})
    assert found.rows[0]["registration_number"] is None
    assert found.personal_numbers == 1


def test_what_is_set_aside_names_no_personal_number_and_no_wrong_key() -> None:
    row = customer(1, Land="Atlantis", Kundenavn="Firma 010190-1234")
    (rejected,) = judged("customers", row | {"Fakturanr.": "010190-1234"}).rejected
    assert rejected.reference == ""
    assert "1234" not in repr(rejected.content)
    assert "content" not in repr(rejected)


def test_no_rows_are_nothing() -> None:
    own = own_list("customers")
    found: Any = judge(own, {"event_reference": []}, [], frozenset(), TERMS)
    assert found.count == 0
