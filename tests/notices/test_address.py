"""Addresses in the order of their country, and the reasons why a letter cannot arrive."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notices.address import MAX_LINES, PostalAddress, country_line, deliverable, lay_out
from sources.kit.countries import COUNTRY_CODES
from sources.kit.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Sequence


def address(
    country: str, name: str, lines: Sequence[str], city: str, code: str, region: str = ""
) -> PostalAddress:
    return PostalAddress(name, tuple(lines), city, region, code, country)


@pytest.mark.parametrize(
    ("given_address", "expected"),
    [
        (
            address("NO", "Fjord AS", ["Storgata 1"], "Oslo", "0155", "NO-03"),
            ["Fjord AS", "Storgata 1", "0155 OSLO", "NORGE / NORWAY"],
        ),
        (
            address("DE", "Müller GmbH", ["Allee 5", "3. OG"], "München", "D-80331", "DE-BY"),
            ["Müller GmbH", "Allee 5", "3. OG", "80331 MÜNCHEN", "TYSKLAND / GERMANY"],
        ),
        (
            address("GB", "Acme Ltd", ["1 High Street"], "London", "ec1a 1bb", "GB-LND"),
            [
                "Acme Ltd",
                "1 High Street",
                "LONDON",
                "EC1A 1BB",
                "STORBRITANNIEN / UNITED KINGDOM",
            ],
        ),
        (
            address("JP", "架空株式会社", ["六本木1-4-5"], "港区", "106-0032", "JP-13"),
            ["〒106-0032", "東京都", "港区", "六本木1-4-5", "架空株式会社", "JAPAN"],
        ),
        (
            address("JP", "Kakuu K.K.", ["1-4-5 Roppongi"], "Minato-ku", "106-0032", "JP-13"),
            ["Kakuu K.K.", "1-4-5 Roppongi", "Minato-ku, TOKYO", "106-0032", "JAPAN"],
        ),
        (
            address("US", "Acme Inc.", ["1209 Elm St"], "Wilmington", "19801", "US-DE"),
            ["Acme Inc.", "1209 Elm St", "WILMINGTON, DE 19801", "USA / UNITED STATES"],
        ),
        (
            address("US", "Acme Inc.", ["1 Elm St"], "New York", "10001"),
            ["Acme Inc.", "1 Elm St", "NEW YORK 10001", "USA / UNITED STATES"],
        ),
        (
            address("FI", "Kuvitelma Oy", ["Katu 1 A"], "Helsinki", "FI-00100", "FI-18"),
            ["Kuvitelma Oy", "Katu 1 A", "FI-00100 HELSINKI", "FINLAND"],
        ),
        (
            address("EE", "Näidis OÜ", ["Pikk 1"], "Tallinn", "10111", "EE-37"),
            ["Näidis OÜ", "Pikk 1", "10111 TALLINN", "ESTLAND / ESTONIA"],
        ),
        (
            address("LV", "Paraugs SIA", ["Ielas 1"], "Rīga", "1010"),
            ["Paraugs SIA", "Ielas 1", "RĪGA, LV-1010", "LETLAND / LATVIA"],
        ),
        (
            address("SG", "Acme Pte", ["1 Place"], "Singapore", "048616"),
            ["Acme Pte", "1 Place", "SINGAPORE 048616", "SINGAPORE"],
        ),
        (
            address("KY", "Acme Fund", ["1 Road"], "George Town", "KY1-1104"),
            ["Acme Fund", "1 Road", "GEORGE TOWN", "KY1-1104", "CAYMANØERNE / CAYMAN ISLANDS"],
        ),
        (
            address("DK", "Nordlys A/S", ["Vej 1", "", "vej 1"], "København K", "1456", "DK-84"),
            ["Nordlys A/S", "Vej 1", "1456 KØBENHAVN K"],
        ),
    ],
)
def test_lines_stand_in_the_countrys_order(
    given_address: PostalAddress, expected: list[str]
) -> None:
    assert list(lay_out(given_address, "DK")) == expected
    assert deliverable(given_address) is None


@pytest.mark.parametrize(
    ("given_address", "reason"),
    [
        (address("QQ", "A", ["x"], "y", "1"), "unknown_country"),
        (address("", "A", ["x"], "y", "1"), "unknown_country"),
        (address("DK", " ", ["x"], "y", "2630"), "no_addressee"),
        (address("DK", "A", ["", " "], "y", "2630"), "no_street"),
        (address("DK", "A", ["x"], "", "2630"), "no_city"),
        (address("DK", "A", ["x"], "y", ""), "no_postal_code"),
        (address("DK", "A", ["x"], "y", "26300"), "postal_code_malformed"),
        (address("IE", "A", ["x"], "Dublin", ""), None),
        (address("HK", "A", ["x"], "Hong Kong", ""), None),
        (address("US", "A", ["x"], "Reno", "89501-1234"), None),
        (address("SE", "A", ["x"], "Lund", "SE-222 22"), None),
    ],
)
def test_an_undeliverable_address_says_why(
    given_address: PostalAddress, reason: str | None
) -> None:
    assert deliverable(given_address) == reason


def test_a_long_street_shares_a_line_and_loses_nothing() -> None:
    lines = [f"line {n}" for n in range(9)]
    laid = lay_out(address("IE", "Acme", lines, "Dublin", "D02 X285", "IE-D"), "DK")
    assert len(laid) == MAX_LINES
    assert all(line in " ".join(laid) for line in lines)


def test_the_country_stands_on_foreign_letters_only() -> None:
    swedish = address("SE", "Acme AB", ["Gatan 1"], "Lund", "222 22")
    assert lay_out(swedish, "DK")[-1] == "SVERIGE / SWEDEN"
    assert lay_out(swedish, "SE")[-1] == "SE-222 22 LUND"
    assert country_line("SE", "FI") == "RUOTSI / SWEDEN"
    assert country_line("SE", "GB") == "SWEDEN"


def test_an_unknown_country_is_refused() -> None:
    with pytest.raises(Refused):
        lay_out(address("QQ", "A", ["x"], "y", "1"), "DK")


TEXT = st.text(max_size=20)


@given(
    country=st.sampled_from(sorted(COUNTRY_CODES)),
    name=TEXT,
    lines=st.lists(TEXT, max_size=6),
    city=TEXT,
    code=TEXT,
    region=TEXT,
)
def test_any_text_gives_a_few_clean_lines(
    country: str, name: str, lines: Sequence[str], city: str, code: str, region: str
) -> None:
    held = address(country, name, lines, city, code, region)
    if deliverable(held) == "unknown_country":
        return
    laid = lay_out(held, "DK")
    assert len(laid) <= MAX_LINES
    assert all(line == line.strip() and line.isprintable() for line in laid if line.isascii())
    assert all(laid)
