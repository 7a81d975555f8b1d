"""What ships is what the privacy rules say, unaccepted; the owner's rows lie over it key by key."""

from __future__ import annotations

from collections import Counter
from datetime import date
from pathlib import Path

import pytest

from flows.settings import Settings, load, shared_domains
from sources.kit.errors import SettingsInvalid

ON = date(2026, 11, 1)


@pytest.fixture(autouse=True)
def _empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def read(text: str) -> Settings:
    Path("given.toml").write_text(text, encoding="utf-8")
    return load(Path("given.toml"), environ={})


class TestShippedRows:
    def test_every_country_of_the_table_has_every_rule_and_none_is_accepted(self) -> None:
        rules = load(None, environ={}).channel_rule
        by_country = Counter(rule.country for rule in rules)
        assert by_country == dict.fromkeys(("DK", "DE", "NO", "SE", "FI", "EE", "LV", "LT"), 7)
        assert {rule.effective(ON) for rule in rules} == {"forbidden"}
        assert all(rule.citation and rule.version and rule.expires_on for rule in rules)
        assert {rule.country for rule in rules if not rule.verified} == {"LV", "LT"}

    @pytest.mark.parametrize(
        ("country", "outcomes"),
        [
            ("DK", "opt_in opt_in opt_in opt_out opt_out"),
            ("DE", "opt_in opt_in opt_in opt_out opt_in"),
            ("NO", "opt_in opt_out opt_in opt_out opt_out"),
            ("SE", "opt_in opt_out opt_in opt_out opt_out"),
            ("FI", "opt_in opt_out opt_in opt_out opt_out"),
            ("EE", "opt_in opt_out opt_in opt_out opt_out"),
            ("LV", "opt_in opt_out opt_in opt_out opt_out"),
            ("LT", "opt_in opt_in opt_in opt_out opt_in"),
        ],
    )
    def test_the_outcomes_are_those_of_the_privacy_table(self, country: str, outcomes: str) -> None:
        settings = load(None, environ={})
        columns = [
            ("email", "named_person"),
            ("email", "role_mailbox"),
            ("email", "sole_trader"),
            ("post", "legal_person"),
            ("phone", "legal_person"),
        ]
        found = [settings.rule(country, channel, kind) for channel, kind in columns]
        assert [rule.outcome for rule in found if rule] == outcomes.split()
        for channel in ("post", "phone"):
            sole_trader = settings.rule(country, channel, "sole_trader")
            assert sole_trader is not None
            assert sole_trader.outcome == "opt_in"

    def test_a_country_or_kind_without_a_rule_has_none(self) -> None:
        settings = load(None, environ={})
        assert settings.rule("FR", "post", "legal_person") is None
        assert settings.rule("DK", "post", "named_person") is None

    def test_an_owner_row_overrides_only_the_keys_it_gives(self) -> None:
        settings = read("""
            [[channel_rule]]
            country = "DK"
            channel = "post"
            recipient_kind = "legal_person"
            accepted_by = "counsel"
            accepted_on = 2026-10-01
        """)
        rule = settings.rule("DK", "post", "legal_person")
        assert rule is not None
        assert (rule.outcome, rule.accepted_by, rule.version) == ("opt_out", "counsel", "2026.1")
        assert rule.effective(ON) == "opt_out"
        assert len(settings.channel_rule) == 56

    def test_a_blank_acceptance_leaves_the_shipped_expiry_in_place(self) -> None:
        settings = read("""
            [[channel_rule]]
            country = "DK"
            channel = "post"
            recipient_kind = "legal_person"
            accepted_by = ""
            accepted_on = ""
            expires_on = ""
        """)
        rule = settings.rule("DK", "post", "legal_person")
        assert rule is not None
        assert (rule.accepted_by, rule.expires_on) == (None, date(2027, 12, 31))

    def test_a_rule_whose_law_the_owner_changes_is_another_version(self) -> None:
        settings = read("""
            [[channel_rule]]
            country = "LT"
            channel = "phone"
            recipient_kind = "legal_person"
            outcome = "forbidden"
        """)
        rule = settings.rule("LT", "phone", "legal_person")
        assert rule is not None
        assert (rule.outcome, rule.version) == ("forbidden", "2026.1+own")

    def test_a_further_country_needs_a_whole_rule(self) -> None:
        row = '[[channel_rule]]\ncountry = "FR"\nchannel = "post"\nrecipient_kind = "legal_person"'
        with pytest.raises(SettingsInvalid) as invalid:
            read(row)
        assert len(invalid.value.errors) == 4
        whole = row + '\noutcome = "opt_out"\ncitation = "x"\nverified = false\nversion = "1"'
        assert read(whole).rule("FR", "post", "legal_person") is not None

    def test_retention_says_what_the_privacy_policy_says(self) -> None:
        held = {row.id: row for row in load(None, environ={}).retention}
        person, company = held["person_public"], held["company_public"]
        assert (person.inactive_after, person.delete_after_inactive) == ("P12M", "P24M")
        assert (person.cap_from_start, person.absence_grace) == ("P36M", "P30D")
        assert "objection" in person.inactive_when
        assert (company.inactive_after, company.cap_from_start) == (None, None)
        assert company.delete_after_inactive == "P24M"
        assert set(company.inactive_when) == {
            "lei_retired", "lei_merged", "lei_annulled", "lei_duplicate", "vanished",
        }  # fmt: skip
        periods = {key: row.delete_after_inactive for key, row in held.items()}
        assert periods | {
            "landing": "P35D", "quarantine": "P14D", "export": "P30D", "manifest": "P5Y",
            "deletion_log": "P5Y", "request": "P3Y", "audit": "P2Y", "backup": "P35D",
        } == periods  # fmt: skip
        assert all(row.citation for row in held.values())

    def test_flags_and_authorities_cover_their_countries(self) -> None:
        settings = load(None, environ={})
        assert [row.country for row in settings.protection_flag] == ["DK", "SE", "FR", "NL"]
        authorities = {row.country: row for row in settings.authority}
        assert set(authorities) == {"DK", "SE", "NO", "FI", "EE", "LV", "LT", "DE"}
        assert authorities["DK"].name == "Datatilsynet"

    def test_shared_domains_are_known_and_lower_case(self) -> None:
        assert {"gmail.com", "mail.dk", "inbox.lv"} <= shared_domains()
        assert all(domain == domain.lower() for domain in shared_domains())
