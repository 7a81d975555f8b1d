"""Which language a recipient is addressed in."""

from __future__ import annotations

import pytest

from notices.language import choose_language, country_language


@pytest.mark.parametrize(
    ("country", "recorded"),
    [
        *((country, "da") for country in ["DK"]),
        *(
            (country, "en")
            for country in [
                "GB",
                "IE",
                "US",
                "AU",
                "NZ",
                "CA",
                "KY",
                "JE",
                "GG",
                "IM",
                "BM",
                "VG",
                "SG",
            ]
        ),
        *(
            (country, "da+en")
            for country in [
                "DE",
                "SE",
                "NO",
                "FI",
                "EE",
                "LV",
                "LT",
                "FR",
                "JP",
                "CH",
                "GL",
                "FO",
                "IN",
            ]
        ),
        ("", "da+en"),
        ("QQ", "da+en"),
    ],
)
def test_the_country_decides_and_both_stand_in_for_the_rest(country: str, recorded: str) -> None:
    choice = choose_language(country)
    assert choice.recorded == recorded
    assert choice.reason == ("fallback" if recorded == "da+en" else "country")


def test_a_stated_preference_comes_first() -> None:
    assert choose_language("US", stated="da-DK") == (("da",), "stated")
    assert choose_language("DE", stated="EN") == (("en",), "stated")


def test_a_preference_we_have_no_texts_in_passes_on() -> None:
    assert choose_language("DK", stated="fi") == (("da",), "country")


def test_the_registers_language_comes_after_the_countrys() -> None:
    assert choose_language("DE", register_language="en_GB") == (("en",), "register")
    assert choose_language("DK", register_language="en").recorded == "da"
    assert choose_language("NO", register_language="nb").recorded == "da+en"


def test_norwegian_is_written_as_bokmal() -> None:
    assert country_language("NO") == "nb"
