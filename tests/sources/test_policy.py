"""The owner's decisions hold only when somebody made them, and only for as long as they said."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from sources.kit.countries import COUNTRY_CODES, EEA_COUNTRIES
from sources.kit.policy import (
    Assessment,
    ChannelRule,
    ChannelSettings,
    Controller,
    Links,
    RetentionPolicy,
    WarehouseSettings,
)

ON = date(2026, 11, 1)


def rule(**changed: Any) -> ChannelRule:
    row = {
        "country": "DK",
        "channel": "post",
        "recipient_kind": "legal_person",
        "outcome": "opt_out",
        "citation": "§ 10",
        "verified": True,
        "version": "1",
        "accepted_by": "counsel",
        "accepted_on": date(2026, 1, 1),
        "expires_on": date(2027, 1, 1),
    }
    return ChannelRule.model_validate(row | changed)


def assessment(**changed: Any) -> Assessment:
    row = {
        "purpose": "direct_marketing",
        "person_category": 4,
        "interest": {"da": "a", "en": "b"},
        "necessity": "n",
        "balancing": "b",
        "safeguards": "s",
        "author": "one",
        "approver": "two",
        "approved_on": date(2026, 1, 1),
        "expires_on": date(2027, 1, 1),
    }
    return Assessment.model_validate(row | changed)


@pytest.mark.parametrize(
    ("changed", "on", "expected"),
    [
        ({}, ON, "opt_out"),
        ({}, date(2026, 1, 1), "opt_out"),
        ({}, date(2025, 12, 31), "forbidden"),
        ({}, date(2026, 12, 31), "opt_out"),
        ({}, date(2027, 1, 1), "forbidden"),
        ({"accepted_by": None}, ON, "forbidden"),
        ({"accepted_on": None}, ON, "forbidden"),
        ({"expires_on": None}, date(2090, 1, 1), "opt_out"),
        ({"outcome": "opt_in"}, ON, "opt_in"),
    ],
)
def test_a_rule_counts_only_while_it_is_accepted(
    changed: dict[str, Any],
    on: date,
    expected: str,
) -> None:
    assert rule(**changed).effective(on) == expected


@pytest.mark.parametrize(
    ("changed", "on", "expected"),
    [
        ({}, ON, True),
        ({}, date(2026, 1, 1), True),
        ({}, date(2025, 12, 31), False),
        ({}, date(2027, 1, 1), False),
        ({"approver": "one"}, ON, False),
    ],
)
def test_an_assessment_carries_only_while_another_person_approves_it(
    changed: dict[str, Any],
    on: date,
    *,
    expected: bool,
) -> None:
    assert assessment(**changed).is_approved(on) is expected


def test_a_decision_does_not_change_once_read() -> None:
    with pytest.raises(ValidationError):
        rule().outcome = "opt_in"


@pytest.mark.parametrize(
    "value", [5, 5.0, True, "5", "2026-13-01", "1. november", datetime(2026, 11, 1, tzinfo=UTC)]
)
def test_only_a_date_is_a_date(value: object) -> None:
    with pytest.raises(ValidationError, match="2026-11-01"):
        rule(accepted_on=value)


@pytest.mark.parametrize("code", ["dk", "Denmark", "XX", "", "UK"])
def test_an_unknown_country_is_refused(code: str) -> None:
    with pytest.raises(ValidationError, match="two capital letters"):
        rule(country=code)


def test_the_eea_is_the_union_and_three_more() -> None:
    assert len(EEA_COUNTRIES) == 30
    assert EEA_COUNTRIES <= COUNTRY_CODES
    assert {"IS", "LI", "NO"} <= EEA_COUNTRIES
    assert EEA_COUNTRIES.isdisjoint({"GB", "CH", "US"})


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("sqlite:///var/x.db", "sqlite:///var/x.db"),
        ("postgresql://u:pw@h/db", "postgresql+psycopg://u:pw@h/db"),
        ("postgres://u@h/db", "postgresql+psycopg://u@h/db"),
        ("postgresql+psycopg://u@h/db", "postgresql+psycopg://u@h/db"),
    ],
)
def test_a_warehouse_address_names_a_driver_we_have(given: str, kept: str) -> None:
    assert WarehouseSettings(url=given).url == kept


@pytest.mark.parametrize(
    "url", ["mysql://u:hush@h/d", "postgresql+psycopg2://u:hush@h/d", "sqlite://"]
)
def test_another_database_is_refused_without_repeating_its_address(url: str) -> None:
    with pytest.raises(ValidationError) as error:
        WarehouseSettings(url=url)
    assert "hush" not in str(error.value)


def test_a_password_never_shows() -> None:
    assert "hush" not in repr(WarehouseSettings(url="postgresql://u:hush@h/d"))


@pytest.mark.parametrize(
    "url",
    ["ftp://h", "h.example", "https://", "https://u:p@h", "https://h/?a", "https://h/#a", ""],
)
def test_a_link_needs_a_plain_web_address(url: str) -> None:
    with pytest.raises(ValidationError, match="write "):
        Links(base_url=url)


def test_links_are_joined_without_a_double_slash() -> None:
    assert Links(base_url="https://post.example/u/").base_url == "https://post.example/u"


def test_a_policy_without_a_clock_waits_for_the_register() -> None:
    row = RetentionPolicy(
        id="company_public",
        person_category=4,
        data=("company_facts",),
        inactive_when=("lei_retired",),
        delete_after_inactive="P24M",
        notice_text="retention.company_public",
        citation="clause 9",
        cap_from_start="",
    )
    assert row.inactive_after is None
    assert row.cap_from_start is None


def test_whose_rules_bind_may_be_one_word() -> None:
    assert ChannelSettings().strictest_of == ("sender", "recipient")
    alone = ChannelSettings.model_validate({"strictest_of": "recipient"})
    assert alone.strictest_of == ("recipient",)


def test_an_unknown_key_is_an_error() -> None:
    with pytest.raises(ValidationError, match="telephone"):
        Controller.model_validate({"telephone": "1"})
