"""Each arrival rule catches what it is for, and the vectorised verdict is the plain one."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import ingesting
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ingesting import ISSUER, company, lei

from checks import codes
from checks.arrivals import judge_rows, readable
from checks.lei import check_digits_hold, well_formed
from checks.rules import DELIVERY_RULES, ENTITY_RULES, MISSHAPEN, NOTES, QUARANTINE, ROW_RULES
from checks.verdicts import BIT, QUARANTINED, broken, mask_of, pack
from sources.kit import columns
from sources.kit.digest import canonical_texts

BREAKS: dict[str, list[dict[str, str]]] = {
    "text_is_readable": [
        {"legal_name": "Sm\ufffdrrebr\ufffdd A/S"},
        {"legal_address_line": "Prøvegade\x001"},
        {"legal_form_other": "bell\x07"},
        {"validation_authority_number": "del\x7f"},
    ],
    "lei_is_well_formed": [
        {"source_key": ""},
        {"source_key": lei(1).lower()},
        {"source_key": lei(1)[:19]},
        {"source_key": lei(1) + "0"},
        {"source_key": f" {lei(1)}"},
        {"source_key": lei(1)[:18] + "X1"},
        {"source_key": "ÆØÅ" + lei(1)[3:]},
        {"source_key": "\uff15" + lei(1)[1:]},
    ],
    "lei_check_digits_hold": [
        {"source_key": lei(1)[:18] + f"{(int(lei(1)[18:]) + 1) % 100:02d}"},
        {"source_key": lei(1)[:16] + lei(1)[17] + lei(1)[16] + lei(1)[18:]},
    ],
    "legal_name_is_present": [{"legal_name": ""}, {"legal_name": " "}, {"legal_name": "\u3000"}],
    "entity_status_is_known": [{"entity_status": ""}, {"entity_status": "DORMANT"}],
    "entity_category_is_known": [{"entity_category": "general"}, {"entity_category": "COOP"}],
    "lei_status_is_known": [{"lei_status": ""}, {"lei_status": "SUSPENDED"}],
    "countries_are_known": [
        {"legal_country": "", "legal_region": ""},
        {"legal_country": "XQ", "legal_region": ""},
        {"headquarters_country": "DNK"},
        {"headquarters_country": "dk"},
    ],
    "dates_are_readable": [
        {"initial_registration_published": ""},
        {"initial_registration_published": "1999-12-31T23:59:59Z"},
        {"last_update_published": ""},
        {"last_update_published": "2026-13-45T00:00:00Z"},
        {"last_update_published": "2101-01-01T00:00:00Z"},
        {"next_renewal_published": "9940-03-05T00:00:00Z"},
        {"next_renewal_published": "soon"},
    ],
    "renewal_is_not_before_registration": [
        {"next_renewal_published": "2018-03-05T11:59:59Z"},
        {"initial_registration_published": "2028-03-05T00:00:00Z"},
    ],
    "creation_year_is_possible": [
        {"creation_published": "9940-05-04T00:00:00Z"},
        {"expiration_published": "0020-05-04T00:00:00Z"},
        {"creation_published": "unknown"},
    ],
    "entity_category_is_present": [{"entity_category": ""}],
    "headquarters_are_present": [{"headquarters_country": ""}, {"headquarters_city": ""}],
    "postal_code_is_present": [{"headquarters_postal_code": ""}],
    "region_fits_country": [{"legal_region": "SE-AB"}, {"legal_region": "dk-84"}],
    "legal_form_is_a_code": [{"legal_form": "ApS"}, {"legal_form": "12345"}],
    "authority_is_a_code": [{"registration_authority": "CVR"}],
    "managing_lou_is_an_lei": [
        {"managing_lou": ""},
        {"managing_lou": ISSUER[:19] + str((int(ISSUER[19]) + 1) % 10)},
        {"managing_lou": "EVK"},
    ],
    "codes_are_listed": [
        {"conformity": "PERHAPS"},
        {"validation_sources": "NOBODY"},
        {"expiration_reason": "TIRED"},
    ],
    "name_starts_plainly": [
        {"legal_name": "=1+1 A/S"},
        {"legal_name": "+47 Invest AS"},
        {"legal_name": "-7 Astetta Oy"},
        {"legal_name": " @home OÜ"},
        {"legal_name": "＝1 株式会社"},
    ],
}


def verdicts(*rows: ingesting.Row) -> dict[str, np.ndarray]:
    table = ingesting.tidied(*rows)
    return judge_rows(table, canonical_texts(table, columns.PUBLISHED))


def failing(row: ingesting.Row) -> list[str]:
    return [rule for rule, holds in verdicts(row).items() if not holds[0]]


def test_a_sound_row_breaks_nothing() -> None:
    assert failing(company(1)) == []


@pytest.mark.parametrize(
    ("rule", "changes"), [(rule, changes) for rule, rows in BREAKS.items() for changes in rows]
)
def test_a_row_breaks_this_rule_and_no_other(rule, changes) -> None:
    assert failing(company(1, **changes)) == [rule]


def test_every_row_rule_is_shown_to_catch() -> None:
    of_the_whole_delivery = {"key_is_unique"}
    assert set(BREAKS) | of_the_whole_delivery == {rule.name for rule in ENTITY_RULES}


def test_what_real_records_hold_breaks_nothing() -> None:
    for changes in (
        {"entity_status": "NULL"},
        {"legal_country": "NA", "legal_region": "NA-KH"},
        {"legal_country": "XK", "legal_region": ""},
        {"legal_form": "8888"},
        {"registration_authority": "RA999999"},
        {"next_renewal_published": ""},
        {"legal_form": "", "registration_authority": "", "conformity": ""},
        {"conformity": "NOT_APPLICABLE", "lei_status": "MERGED"},
        {"legal_name": "株式会社プルーフ", "legal_name_language": "ja"},
        {"legal_name": "ООО «Проба»"},
        {"initial_registration_published": "2012-06-06T15:53:00.000Z"},
    ):
        assert failing(company(1, **changes)) == []


def test_rules_are_named_once_and_say_what_they_ask() -> None:
    rules = (*ROW_RULES, *DELIVERY_RULES)
    assert len({rule.name for rule in rules} | {MISSHAPEN}) == len(rules) + 1
    assert all(rule.meaning for rule in rules)
    assert sorted(verdicts(company(1))) == sorted(rule.name for rule in ENTITY_RULES)
    assert {rule.severity for rule in DELIVERY_RULES} == {"stop"}
    assert set(QUARANTINE) | set(NOTES) == {rule.name for rule in ROW_RULES}


# The plain one: a row at a time, in words as near to rules.py as Python comes.


def check_digits_by_hand(text: str) -> bool:
    return int("".join(str(int(character, 36)) for character in text)) % 97 == 1


def is_lei(text: str) -> bool:
    return bool(re.fullmatch("[0-9A-Z]{18}[0-9]{2}", text))


def moment(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def plausible(text: str, first: int) -> bool:
    found = moment(text)
    earliest, latest = datetime(first, 1, 1, tzinfo=UTC), datetime(2101, 1, 1, tzinfo=UTC)
    return found is not None and earliest <= found < latest


def plain(row: dict[str, str]) -> dict[str, bool]:
    key, lou, name = row["source_key"], row["managing_lou"], row["legal_name"]
    first, renewal = row["initial_registration_published"], row["next_renewal_published"]
    start, end = moment(first), moment(renewal)
    region, country = row["legal_region"], row["legal_country"]
    texts = [row[field] for field in columns.PUBLISHED]
    return {
        "text_is_readable": not re.search("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffd]", "".join(texts)),
        "lei_is_well_formed": is_lei(key),
        "lei_check_digits_hold": not is_lei(key) or check_digits_by_hand(key),
        "key_is_unique": True,
        "legal_name_is_present": bool(name.strip()),
        "entity_status_is_known": row["entity_status"] in codes.ENTITY_STATUS,
        "entity_category_is_known": row["entity_category"] in ("", *codes.ENTITY_CATEGORY),
        "lei_status_is_known": row["lei_status"] in codes.LEI_STATUS,
        "countries_are_known": country in codes.COUNTRY
        and row["headquarters_country"] in ("", *codes.COUNTRY),
        "dates_are_readable": plausible(first, 2000)
        and plausible(row["last_update_published"], 2000)
        and (not renewal or plausible(renewal, 2000)),
        "renewal_is_not_before_registration": not (start and end) or end >= start,
        "creation_year_is_possible": all(
            not row[f"{stem}_published"] or plausible(row[f"{stem}_published"], 1000)
            for stem in ("creation", "expiration")
        ),
        "entity_category_is_present": bool(row["entity_category"]),
        "headquarters_are_present": bool(row["headquarters_country"])
        and bool(row["headquarters_city"].strip()),
        "postal_code_is_present": bool(row["headquarters_postal_code"].strip()),
        "region_fits_country": not region or not country or region[:2] == country,
        "legal_form_is_a_code": not row["legal_form"]
        or bool(re.fullmatch("[0-9A-Z]{4}", row["legal_form"])),
        "authority_is_a_code": not row["registration_authority"]
        or bool(re.fullmatch("RA[0-9]{6}", row["registration_authority"])),
        "managing_lou_is_an_lei": is_lei(lou) and check_digits_by_hand(lou),
        "codes_are_listed": row["conformity"] in ("", *codes.CONFORMITY)
        and row["validation_sources"] in ("", *codes.VALIDATION_SOURCES)
        and row["expiration_reason"] in ("", *codes.EXPIRATION_REASON),
        "name_starts_plainly": not name.lstrip(" \t\n\r\f").startswith(tuple("=+-@＝＋－＠")),
    }


VALUES = {
    field: sorted(
        {changes[field] for rows in BREAKS.values() for changes in rows if field in changes}
    )
    for field in {field for rows in BREAKS.values() for changes in rows for field in changes}
}
CHANGES = st.fixed_dictionaries(
    {}, optional={field: st.sampled_from(values) for field, values in VALUES.items()}
)


@given(st.lists(st.tuples(st.integers(0, 9), CHANGES), min_size=1, max_size=8))
def test_the_vectorised_verdict_is_the_plain_one(drawn) -> None:
    rows = [company(number, **changes) for number, changes in drawn]
    found = verdicts(*rows)
    ours = [{o: row[t] for o, t in ingesting.THEIRS.items()} for row in rows]
    expected = [plain(row) for row in ours]
    assert [{rule: bool(holds[n]) for rule, holds in found.items()} for n in range(len(rows))] == (
        expected
    )


ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
LEIS = st.one_of(
    st.integers(0, 10**7).map(lei),
    st.builds(
        str.__add__,
        st.text(ALPHABET, min_size=18, max_size=18),
        st.text("0189", min_size=2, max_size=2),
    ),
    st.text(ALPHABET + "aÅ ", max_size=21),
    st.none(),
)


@given(st.lists(LEIS, max_size=12), st.integers(0, 2))
def test_check_digits_are_the_long_division(texts, skipped) -> None:
    column = pa.array(texts, pa.string()).slice(skipped)
    formed = well_formed(column)
    asked = texts[skipped:]
    assert formed.to_pylist() == [text is not None and is_lei(text) for text in asked]
    expected = [text is None or not is_lei(text) or check_digits_by_hand(text) for text in asked]
    assert check_digits_hold(column, formed).tolist() == expected


@given(
    st.lists(
        st.fixed_dictionaries({rule.name: st.booleans() for rule in ROW_RULES}),
        min_size=1,
        max_size=5,
    )
)
def test_verdicts_come_out_of_their_number_again(rows) -> None:
    packed = pack({rule.name: np.array([row[rule.name] for row in rows]) for rule in ROW_RULES})
    for row, bits in zip(rows, packed, strict=True):
        assert broken(bits) == [rule for rule in QUARANTINE if not row[rule]]
        assert broken(bits, NOTES) == [rule for rule in NOTES if not row[rule]]
        assert bool(bits & QUARANTINED) == (not all(row[rule] for rule in QUARANTINE))


def test_each_rule_has_a_bit_of_its_own() -> None:
    assert len(ROW_RULES) <= 32
    assert len({int(bit) for bit in BIT.values()}) == len(ROW_RULES)
    assert int(mask_of(QUARANTINE)) + int(mask_of(NOTES)) == int(mask_of(BIT))


@pytest.mark.parametrize("sign", ["\ufffd", "\x7f", "\x01"])
@pytest.mark.parametrize("place", range(256 * 1024 - 4, 256 * 1024 + 2))
def test_an_unreadable_sign_is_found_wherever_it_stands_in_a_frame(sign: str, place: int) -> None:
    long = "a" * place + sign + "b" * 10
    assert readable(pa.array(["plain", long, "（株）"])).tolist() == [True, False, True]
