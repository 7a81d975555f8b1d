"""Clean fields are read by Arrow as the slow libraries would read them, and only those."""

from __future__ import annotations

import phonenumbers
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sources.kit import contact_email, contact_phone, contact_website
from sources.kit.contact_readings import read_column
from sources.kit.contact_rules import Part, rules_of
from sources.kit.sample_numbers import fodselsnummer, henkilotunnus, isikukood

PHONE_COUNTRIES = rules_of("phone")["fast_countries"]
LABELS = st.text("abcxyz019-", min_size=1, max_size=6)
DOMAINS = st.builds("{}.{}".format, st.lists(LABELS, min_size=1, max_size=3).map(".".join), LABELS)
LOCALS = st.text("abz09._+-'AØ", min_size=1, max_size=9)
EMAILS = st.builds("{}@{}".format, LOCALS, DOMAINS)
SITES = st.builds(
    "{}{}{}".format,
    st.sampled_from(["http://", "HTTPS://", "", " "]),
    DOMAINS,
    st.sampled_from(["", "/", "/x"]),
)
PHONES = st.builds(
    "{}{}".format,
    st.sampled_from(["", "+", "0", "+47", "+45 ", "+3", "00"]),
    st.text("0123456789 ", max_size=12),
)


def agree(clean, read, texts: list[str], countries: list[str | None]) -> int:
    """How many the fast way was certain of; each must be what the slow way says."""
    values, certain = clean(pa.array(texts, pa.string()), pa.array(countries, pa.string()))
    found = 0
    for text, country, value, is_certain in zip(
        texts, countries, values.to_pylist(), certain.to_pylist(), strict=True
    ):
        if is_certain:
            assert read(text, country).parts == (Part(value, None),), (country,)
            found += 1
    return found


@given(st.lists(EMAILS, max_size=20))
def test_emails(texts) -> None:
    agree(contact_email.clean, contact_email.read, texts, ["NO"] * len(texts))


@given(st.lists(SITES, max_size=20))
def test_websites(texts) -> None:
    for clean in (contact_website.clean, contact_website.bare):
        agree(clean, contact_website.read, texts, ["NO"] * len(texts))


@given(st.lists(st.tuples(PHONES, st.sampled_from([*PHONE_COUNTRIES, "GB", None])), max_size=20))
def test_phones(pairs) -> None:
    texts, countries = [text for text, _ in pairs], [country for _, country in pairs]
    agree(contact_phone.clean, contact_phone.read, texts, countries)


@pytest.mark.parametrize(
    ("made", "country"), [(fodselsnummer, "NO"), (henkilotunnus, "FI"), (isikukood, "EE")]
)
def test_a_personal_number_never_goes_the_fast_way(made, country) -> None:
    numbers = [made(n) for n in range(40)]
    emails = [f"{number}@firma.example" for number in numbers]
    emails += [f"{number.lower()}@firma.example" for number in numbers]
    emails += [f"post@a{number}.example".lower() for number in numbers]
    sites = [f"www.a{number}.example" for number in numbers]
    sites += [f"https://a{number}.example/" for number in numbers]
    for clean, read, texts in (
        (contact_email.clean, contact_email.read, emails),
        (contact_website.bare, contact_website.read, sites),
        (contact_website.clean, contact_website.read, sites),
    ):
        agree(clean, read, texts, [country] * len(texts))
        _, certain = clean(pa.array(texts[:40]), pa.array([country] * 40))
        assert certain.to_pylist() == [False] * 40


@pytest.mark.parametrize("digits", ["123456", "16752073", "999999999", "123456-12"])
def test_a_company_number_in_an_address_goes_the_fast_way(digits) -> None:
    texts = [f"post@firma{digits}.example", f"{digits}@firma.example", f"a@{digits}.example"]
    assert agree(contact_email.clean, contact_email.read, texts, ["NO"] * 3) == 3
    hosts = [f"www.firma{digits}.example", f"{digits}.example"]
    assert agree(contact_website.bare, contact_website.read, hosts, ["NO"] * 2) == 2


@pytest.mark.parametrize("country", PHONE_COUNTRIES)
def test_a_countrys_own_numbers_go_the_fast_way(country) -> None:
    """The library's example of each plan, in both forms, and its near misses."""
    plans = [phonenumbers.PhoneNumberType.FIXED_LINE, phonenumbers.PhoneNumberType.MOBILE]
    examples = [phonenumbers.example_number_for_type(country, plan) for plan in plans]
    forms = [phonenumbers.PhoneNumberFormat.E164, phonenumbers.PhoneNumberFormat.NATIONAL]
    texts = [phonenumbers.format_number(one, form) for one in examples for form in forms]
    texts = [text for text in texts if text.replace("+", "").replace(" ", "").isdigit()]
    assert agree(contact_phone.clean, contact_phone.read, texts, [country] * len(texts)) == len(
        texts
    )
    near = [text[:-1] + str(last) for text in texts for last in range(10)]
    near += [
        text[:place] + str(digit) + text[place + 1 :]
        for text in texts
        for place in range(5)
        for digit in range(10)
    ]
    agree(contact_phone.clean, contact_phone.read, near, [country] * len(near))


def test_each_plan_is_the_main_one_of_its_country_code() -> None:
    for country in PHONE_COUNTRIES:
        code = phonenumbers.country_code_for_region(country)
        assert phonenumbers.region_code_for_country_code(code) == country


@pytest.mark.parametrize(
    ("kind", "texts", "slow"),
    [
        ("email", ["post@firma.example", "Post@Firma.Example", "post@firma.example"], 0),
        ("email", ["post@firma..example"] * 5 + ["info@firma.example"], 1),
        ("phone", ["75 00 99 99", "+47 75 00 99 99", "75009999"], 0),
        ("phone", ["tlf 75 00 99 99"] * 3, 1),
        ("website", ["www.firma.example", "https://firma.example/", "FIRMA.example/"], 0),
        ("website", ["www.firma.example/om"] * 2, 1),
    ],
)
def test_only_what_is_not_clean_is_read_one_by_one_and_once(kind, texts, slow) -> None:
    found = read_column(kind, pa.array(texts), pa.array(["NO"] * len(texts)))
    assert found.slow_count == slow
    assert found.values.null_count == 0
    assert found.rows.tolist() == list(range(len(texts)))
