"""The registers' entries fit the bundled companies, their numbers are valid, their faults known."""

from __future__ import annotations

import csv
import io
from collections import Counter
from functools import cache

import pytest

from sources.kit import sample_numbers
from sources.kit.numbers import register_key
from sources.kit.sample import SAMPLE_DAY, bundled_sample
from sources.kit.sample_numbers import is_valid, registration_number
from sources.kit.sample_registers import REGISTERS, RegisterSample, bundled_registers
from sources.kit.sample_registers_words import words
from sources.kit.sample_world import world

AUTHORITY = "Entity.RegistrationAuthority.RegistrationAuthority"
CHECKS = {one.code: one.check for one in world().authorities if one.check}
# The registers' own offices, and a company that calls itself after nobody.
PUBLISHED = [
    ("RA000473", "974 760 673", True),
    ("RA000472", "974760674", False),
    ("RA000170", "47458714", True),
    ("RA000170", "47458715", False),
    ("RA000181", "70000310", True),
    ("RA000181", "70000311", False),
    ("RA000188", "0244683-1", True),
    ("RA000188", "0244683-2", False),
]


@cache
def sample() -> RegisterSample:
    return bundled_registers(SAMPLE_DAY)


@cache
def rows() -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(bundled_sample(SAMPLE_DAY).csv.decode(), newline="")))


@pytest.mark.parametrize(("code", "number", "expected"), PUBLISHED)
def test_check_digits_are_the_registers_own(code: str, number: str, expected: bool) -> None:
    assert is_valid(number, CHECKS[code]) is expected


@pytest.mark.parametrize("shape", ["9## ### ###", "########", "#######-#"])
def test_running_numbers_become_numbers_of_their_own(shape: str) -> None:
    rule = CHECKS["RA000472"] if shape[0] == "9" else CHECKS["RA000170"]
    found = [registration_number(shape, rule, running) for running in range(0, 900_000, 97)]
    assert len(set(found)) == len(found)
    assert all(is_valid(number, rule) and number[0] != "0" for number in found)
    assert all(len(number) == len(shape) for number in found)


def test_bundled_companies_have_valid_numbers() -> None:
    known = [(row[f"{AUTHORITY}ID"], row[f"{AUTHORITY}EntityID"]) for row in rows()]
    checked = [(code, number) for code, number in known if code in CHECKS]
    assert Counter(code for code, _ in checked).total() > 250
    assert all(is_valid(number, CHECKS[code]) for code, number in checked)


def test_personal_numbers_are_valid_and_nobodys() -> None:
    for running in range(200):
        number = [int(digit) for digit in sample_numbers.fodselsnummer(running)]
        first, second = (3, 7, 6, 1, 8, 9, 4, 5, 2, 1, 0), (5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1)
        assert sum(a * b for a, b in zip(number, first, strict=True)) % 11 == 0
        assert sum(a * b for a, b in zip(number, second, strict=True)) % 11 == 0
        assert int(sample_numbers.fodselsnummer(running, is_d_number=True)[:2]) > 40
        # 500 to 749 with a year of 54 to 99: born in the 1800s.
        assert 500 <= int("".join(map(str, number[6:9]))) < 750
        assert "".join(map(str, number[4:6])) in {"56", "57", "58", "59"}
        cpr = [int(digit) for digit in sample_numbers.cpr_number(running, has_hyphen=False)]
        weights = (4, 3, 2, 7, 6, 5, 4, 3, 2, 1)
        assert sum(a * b for a, b in zip(cpr, weights, strict=True)) % 11 == 0
        assert cpr[4:7] in ([5, 8, 5], [5, 8, 6], [5, 9, 5], [5, 9, 6], [6, 0, 5], [6, 0, 6])
        assert sample_numbers.isikukood(running)[0] in "12"
        assert sample_numbers.henkilotunnus(running)[6] == "+"
    # The authority's own example of a Finnish number ends in T.
    assert "0123456789ABCDEFHJKLMNPRSTUVWXY"[131052308 % 31] == "T"


def test_entries_belong_to_the_bundled_companies() -> None:
    by_lei = {row["LEI"]: row for row in rows()}
    for register in REGISTERS:
        found = sample().firms[register]
        with_lei = [firm for firm in found if firm.lei]
        assert len(with_lei) >= 50
        assert len(found) - len(with_lei) >= 20
        assert len({firm.number for firm in found}) == len(found)
        codes = words()["form"][register]["authorities"]
        for firm in with_lei:
            row = by_lei[str(firm.lei)]
            assert row[f"{AUTHORITY}ID"] in codes
            assert register_key("RA1", row[f"{AUTHORITY}EntityID"]) == register_key(
                "RA1", firm.number
            )


def test_entries_without_an_lei_have_numbers_of_their_own() -> None:
    taken = {row[f"{AUTHORITY}EntityID"].replace(" ", "") for row in rows()}
    for register in REGISTERS:
        assert not [f for f in sample().firms[register] if f.lei is None and f.number in taken]


@pytest.mark.parametrize(
    ("register", "cases"),
    [
        ("brreg", {"role", "named", "free", "agent", "messy", "none", "sole", "moved", "branch"}),
        ("cvr", {"ended", "secret", "protected", "unit_protected", "unit_open", "flagless"}),
        ("ariregister", {"free", "agent", "messy", "ended", "sole", "moved", "ceased"}),
        ("prh", {"role", "messy", "none", "renamed", "moved", "ceased"}),
    ],
)
def test_every_awkwardness_is_there(register: str, cases: set[str]) -> None:
    counted = sample().cases(register)  # type: ignore[arg-type]
    assert cases | {"personal_number"} <= set(counted)


def test_protection_is_told_apart_in_its_three_states() -> None:
    states = Counter((f.is_protected, f.unit_is_protected) for f in sample().firms["cvr"])
    assert all(states[pair] for pair in [(True, True), (True, False), (False, True)])
    assert states[(False, False)] > 20
    assert states[(None, None)] == len(sample().of("cvr", "flagless")) > 0
    assert {firm.is_protected for firm in sample().firms["brreg"]} == {None}


def test_addresses_disagree_where_it_is_said() -> None:
    by_lei = {row["LEI"]: row["Entity.LegalAddress.FirstAddressLine"] for row in rows()}
    for firm in sample().firms["brreg"]:
        if firm.lei and not firm.personal_number:
            agrees = by_lei[firm.lei].endswith(firm.address_line)
            assert agrees is ("moved" not in firm.cases), firm.number


def test_a_branch_names_its_home_and_differs_from_it() -> None:
    home = {firm.number: firm for firm in sample().firms["cvr"]}
    branches = sample().of("brreg", "branch")
    assert len(branches) == 2
    for firm in branches:
        abroad = home[firm.home_number]
        assert firm.name == abroad.name
        assert firm.value_of("email") != abroad.value_of("email")
        assert is_valid(firm.number, CHECKS["RA000473"])


def test_planted_numbers_are_listed_and_every_odd_field_has_one() -> None:
    for register in REGISTERS:
        found = sample().of(register, "personal_number")
        assert {firm.planted_in for firm in found} == set(words()["planted"][register])
        for firm in found:
            assert firm.personal_number in sample().planted
            assert firm.personal_number in str([firm.name, firm.street, firm.care_of]) + str(
                [firm.activity, firm.contacts]
            )


def test_agents_serve_many_and_domains_are_nobodys() -> None:
    for register in ("brreg", "cvr", "ariregister"):
        emails = [
            contact.value
            for firm in sample().firms[register]
            for contact in firm.contacts
            if contact.kind == "email"
        ]
        domains = Counter(value.rpartition("@")[2] for value in emails)
        assert (
            max(count for name, count in domains.items() if "eksempel" in name or "naidis" in name)
            >= 8
        )
        assert all(
            name.lower().strip(" .,;").endswith(".example") or name in {
                "gmail.com", "hotmail.com", "online.no", "mail.dk", "mail.ee", "hot.ee",
            } or "@" not in value
            for value in emails for name in [value.rpartition("@")[2]]
        )  # fmt: skip


def test_same_day_same_entries() -> None:
    bundled_registers.cache_clear()
    assert bundled_registers(SAMPLE_DAY) == sample()
