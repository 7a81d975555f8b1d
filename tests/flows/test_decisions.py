"""An export names every decision it lacks; the example lacks none and stays on this machine."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from flows.init_files import config_text
from flows.settings import Settings, example_violations, is_local_url, load, missing_decisions

ON = date(2026, 11, 1)
ASSESSMENT = "[[assessment]] direct_marketing, person_category 4"
EXAMPLE_TEXT = config_text(example=True)
PLAIN_TEXT = config_text(example=False)


@pytest.fixture(autouse=True)
def _empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def read(text: str) -> Settings:
    Path("given.toml").write_text(text, encoding="utf-8")
    return load(Path("given.toml"), environ={})


def example(*changes: tuple[str, str]) -> Settings:
    """Return the example with the first such piece of text exchanged for another."""
    text = EXAMPLE_TEXT
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    return read(text)


def missing(settings: Settings, on: date = ON, channel: str = "post") -> list[str]:
    return missing_decisions(settings, "direct_marketing", "own", on, channel=channel)


class TestMissingDecisions:
    def test_the_plain_file_loads_and_each_open_decision_is_named(self) -> None:
        settings = read(PLAIN_TEXT)
        assert not settings.is_example
        lines = missing(settings)
        for beginning in (
            "[controller] name, address, country, email, registration_number: still to be",
            "[policy] version, valid_from: still",
            "[links] base_url: still",
            "[[purpose]] direct_marketing text: still",
            "[[assessment]] direct_marketing, person_category 4 interest, necessity,",
            "[[recipient]] own name, country, fields: still",
            "[[channel_rule]] DK post legal_person is not accepted",
            "[[store]] warehouse country: still",
        ):
            assert sum(line.startswith(beginning) for line in lines) == 1
        assert len(lines) == 8

    def test_without_any_file_the_same_decisions_are_named(self) -> None:
        tables = [line.split()[0] for line in missing(load(None, environ={}))]
        assert tables == [
            "[controller]", "[policy]", "[links]", "[[purpose]]", "[[assessment]]",
            "[[recipient]]", "[[channel_rule]]", "[[store]]",
        ]  # fmt: skip

    def test_a_table_half_filled_in_names_what_is_left(self) -> None:
        settings = read('[controller]\nname = "Invented ApS"\nemail = "a@invented.example"')
        assert settings.controller is None
        line = missing(settings)[0]
        assert line.startswith("[controller] address, country, registration_number: still")

    @pytest.mark.parametrize("on", [date(2020, 1, 1), date(2024, 1, 1), ON, date(2035, 12, 31)])
    @pytest.mark.parametrize("channel", ["post", "email", "phone"])
    def test_the_example_lacks_nothing_under_any_clock(self, on: date, channel: str) -> None:
        assert missing(example(), on, channel) == []

    @pytest.mark.parametrize(
        ("old", "new", "expected"),
        [
            ("valid_from = 2020-01-01", "valid_from = 2030-01-01", "[policy] valid_from:"),
            ('id = "own"', 'id = "other"', "[[recipient]] own is not there"),
            ("person_category = 4", "person_category = 1", f"{ASSESSMENT} is not there"),
            (
                "expires_on = 2099-12-31\n\n",
                "expires_on = 2026-11-01\n\n",
                f"{ASSESSMENT} expires_on: it has expired",
            ),
            (
                "approved_on = 2020-01-01",
                "approved_on = 2026-12-01",
                f"{ASSESSMENT} approved_on: it is not approved yet",
            ),
            ('kind = "own"', 'kind = "partner"', "[[recipient]] own contract_until: no contract"),
            (
                'kind = "own"',
                'kind = "partner"\ncontract_until = 2026-10-31',
                "[[recipient]] own contract_until: the contract has ended",
            ),
            ('kind = "own"', 'kind = "authority"', "[[recipient]] own kind: an authority receives"),
            (
                'country = "DK"\npurposes',
                'country = "US"\npurposes',
                "[[recipient]] own transfer_basis: needed",
            ),
            (
                'id = "backup"\ncountry = "DK"',
                'id = "backup"\ncountry = "US"',
                "[[store]] backup transfer_basis: needed",
            ),
            (
                "http://127.0.0.1:8321",
                "https://post.example",
                "[links] base_url must be on this machine",
            ),
            (
                "# [sources.gleif]",
                '[sources.gleif]\nbase_url = "https://gleif.example"',
                "[sources.gleif] base_url must be on this machine",
            ),
        ],
    )
    def test_one_thing_missing_is_one_line(self, old: str, new: str, expected: str) -> None:
        (line,) = missing(example((old, new)))
        assert line.startswith(expected)

    @pytest.mark.parametrize("kept", ["kind = 'partner'\ncontract_until = 2026-11-01"])
    def test_a_contract_holds_to_the_end_of_its_last_day(self, kept: str) -> None:
        assert missing(example(('kind = "own"', kept))) == []

    def test_a_purpose_of_another_recipient_is_not_this_ones(self) -> None:
        other = '[[purpose]]\nid = "surveys"\ntext = { en = "x" }\n\n# Who may be handed a list.'
        settings = example(
            ("# Who may be handed a list.", other),
            ('purposes = ["direct_marketing"]', 'purposes = ["surveys"]'),
        )
        assert missing(settings) == [
            "[[recipient]] own purposes: direct_marketing is not among them"
        ]

    def test_one_accepted_rule_opens_its_channel_only(self) -> None:
        accepted = (
            '[[channel_rule]]\ncountry = "SE"\nchannel = "post"\nrecipient_kind = "legal_person"\n'
            'accepted_by = "counsel"\naccepted_on = 2026-10-01\nexpires_on = 2027-10-01\n'
        )
        decided = EXAMPLE_TEXT.split("[[channel_rule]]")[0].replace('"EXAMPLE"', '"B. Two"')
        settings = read(decided + accepted)
        assert missing(settings) == []
        (expired,) = missing(settings, date(2027, 10, 1))
        assert "rule for post in force on 2027-10-01" in expired
        (closed,) = missing(settings, channel="email")
        assert closed.startswith("[[channel_rule]] DK email named_person is not accepted")


class TestExample:
    @pytest.mark.parametrize("word", ["EXAMPLE", "example", " Example "])
    def test_one_acceptance_by_example_makes_an_example(self, word: str) -> None:
        settings = read(f"""
            [[channel_rule]]
            country = "DK"
            channel = "post"
            recipient_kind = "legal_person"
            accepted_by = "{word}"
            accepted_on = 2026-10-01
        """)
        assert settings.is_example

    def test_an_approval_by_example_is_enough(self) -> None:
        assert read(EXAMPLE_TEXT.split("[[channel_rule]]")[0]).is_example

    def test_its_sources_must_be_local_too(self) -> None:
        asked = {"gleif": "https://goldencopy.gleif.org", "other": "http://127.0.0.1:1"}
        (line,) = example_violations(example(), asked)
        assert line.startswith("[sources.gleif] base_url must be on this machine")
        assert example_violations(load(None, environ={}), asked) == []

    @pytest.mark.parametrize(
        ("url", "expected"),
        [
            ("http://127.0.0.1:8321", True),
            ("http://127.8.9.1", True),
            ("http://localhost:1/x", True),
            ("http://[::1]:80", True),
            ("http://0.0.0.0", False),
            ("http://192.168.0.1", False),
            ("https://localhost.example", False),
            ("https://127.0.0.1.example", False),
            ("https://127.0.0.1@post.example", False),
            ("http://[bad", False),
            ("", False),
        ],
    )
    def test_local_is_what_reaches_this_machine_only(self, url: str, *, expected: bool) -> None:
        assert is_local_url(url) is expected
