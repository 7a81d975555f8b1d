"""The sample has the published layout, invented content and known faults."""

from __future__ import annotations

import csv
import io
import re
import tracemalloc
import zipfile
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest

from sources.kit import sample, sample_lei
from sources.kit.sample import BundledSample, Mix, bundled_sample, write_full

AS_OF = date(2026, 11, 2)
ROWS = 6000

NAME = "Entity.LegalName"
STATUS = "Registration.RegistrationStatus"
COUNTRY = "Entity.LegalAddress.Country"
DATES = (
    "Entity.EntityCreationDate",
    "Entity.EntityExpirationDate",
    "Registration.InitialRegistrationDate",
    "Registration.LastUpdateDate",
    "Registration.NextRenewalDate",
)


def made(rows: int, **options: object) -> bytes:
    out = io.BytesIO()
    write_full(out, rows, **{"seed": 1, "as_of": AS_OF, **options})  # type: ignore[arg-type]
    return out.getvalue()


def read(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode(), newline="")))


@cache
def content() -> bytes:
    return made(ROWS)


@cache
def rows() -> list[dict[str, str]]:
    return read(content())


@cache
def known() -> BundledSample:
    return bundled_sample(AS_OF)


@cache
def bundled() -> list[dict[str, str]]:
    return read(known().csv)


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def test_layout_is_the_published_one() -> None:
    lines = content().split(b"\r\n")
    assert lines[0] == sample.header().encode()
    assert len(sample.columns()) == len(set(sample.columns())) == 338
    assert sample.columns()[0] == "LEI"
    assert sample.columns()[187] == "Entity.RegistrationAuthority.RegistrationAuthorityID"
    assert sample.columns()[-1] == "ConformityFlag"
    assert lines[-1] == b""
    assert len(lines) == ROWS + 2
    assert b"\n" not in b"".join(lines)
    assert b"\r" not in b"".join(lines)
    assert not content().startswith(b"\xef\xbb\xbf")


def test_every_field_is_quoted_and_every_row_has_338() -> None:
    field = re.compile(r'"(?:[^"]|"")*"')
    for line in content().decode().split("\r\n")[:500]:
        if line:
            assert len(field.findall(line)) == 338
            assert field.sub("", line) == "," * 337
    parsed = csv.reader(io.StringIO(content().decode(), newline=""), strict=True)
    assert {len(row) for row in parsed} == {338}


def test_fields_hold_nothing_that_the_schema_forbids() -> None:
    values = {value for row in rows() for value in row.values()}
    assert [value for value in values if re.search(r"[\r\n\t]|  |^ | $", value)] == []


def test_leis_are_valid_unique_and_sorted() -> None:
    leis = [row["LEI"] for row in rows()]
    assert all(map(sample_lei.is_valid, leis))
    assert all(first < second for first, second in pairwise(leis))
    lous = {row["Registration.ManagingLOU"] for row in rows()}
    assert len(lous) == 10
    assert all(map(sample_lei.is_valid, lous))


def test_check_digits_agree_with_a_published_lei() -> None:
    assert sample_lei.is_valid("506700GE1G29325QX363")  # GLEIF's own
    assert not sample_lei.is_valid("506700GE1G29325QX364")
    assert not sample_lei.is_valid("506700ge1g29325qx363")
    assert sample_lei.check_digits("506700GE1G29325QX3") == "63"


def test_same_seed_same_bytes_and_other_seed_other_companies() -> None:
    assert made(300) == made(300)
    names = {row[NAME] for row in read(made(300))}
    assert len(names & {row[NAME] for row in read(made(300, seed=2))}) < 10


def test_a_longer_file_holds_the_shorter_one() -> None:
    lines = set(content().split(b"\r\n"))
    assert set(made(700).split(b"\r\n")) <= lines


def test_a_row_is_as_long_as_a_published_one() -> None:
    assert 1380 < len(content()) / ROWS < 1520  # 1,452 bytes in the golden copy


def test_mix_of_statuses_is_the_published_one() -> None:
    general = [row for row in rows() if row["Entity.EntityCategory"] == "GENERAL"]
    shares = Counter(row[STATUS] for row in general)
    assert shares["ISSUED"] / len(general) == pytest.approx(0.567, abs=0.03)
    assert shares["LAPSED"] / len(general) == pytest.approx(0.366, abs=0.03)
    categories = Counter(row["Entity.EntityCategory"] for row in rows())
    assert categories["SOLE_PROPRIETOR"] / ROWS == pytest.approx(0.039, abs=0.01)


LISTED = {
    "Entity.EntityStatus": {"ACTIVE", "INACTIVE", "NULL"},
    "Entity.EntityCategory": {
        "GENERAL", "FUND", "BRANCH", "SOLE_PROPRIETOR",
        "RESIDENT_GOVERNMENT_ENTITY", "INTERNATIONAL_ORGANIZATION",
    },
    STATUS: {
        "ISSUED", "LAPSED", "ANNULLED", "PENDING_TRANSFER",
        "PENDING_ARCHIVAL", "DUPLICATE", "RETIRED", "MERGED",
    },
    "Entity.EntityExpirationReason": {"", "DISSOLVED", "CORPORATE_ACTION", "OTHER"},
    "Registration.ValidationSources": {
        "ENTITY_SUPPLIED_ONLY", "PARTIALLY_CORROBORATED", "FULLY_CORROBORATED",
    },
    "ConformityFlag": {"CONFORMING", "NON_CONFORMING", "NOT_APPLICABLE", ""},
}  # fmt: skip


@pytest.mark.parametrize("column", LISTED)
def test_every_code_occurs_and_no_other(column: str) -> None:
    assert {row[column] for row in rows()} == LISTED[column]
    wrong = {bad.row for bad in known().bad}
    sound = [row for number, row in enumerate(bundled(), 1) if number not in wrong]
    assert {row[column] for row in sound} == LISTED[column]


def test_countries_scripts_and_odd_codes_occur() -> None:
    countries = {row[COUNTRY] for row in rows()}
    wanted = "DK NO SE FI EE LV LT DE GB FR NL IN JP CN GR BG US AE NA"
    assert set(wanted.split()) <= countries
    names = "".join(row[NAME] for row in rows())
    for letter in "øåäõāėüéżДжΩω社有شم":
        assert letter in names, letter
    forms = {row["Entity.LegalForm.EntityLegalFormCode"] for row in rows()}
    assert {"8888", "9999", "H8VP", "2HBR"} <= forms
    assert all(re.fullmatch(r"[0-9A-Z]{4}", form) for form in forms)
    assert all(
        bool(row["Entity.LegalForm.OtherLegalForm"])
        == (row["Entity.LegalForm.EntityLegalFormCode"] == "8888")
        for row in rows()
    )
    authorities = {row["Entity.RegistrationAuthority.RegistrationAuthorityID"] for row in rows()}
    assert "RA999999" in authorities
    assert all(re.fullmatch(r"RA\d{6}", authority) for authority in authorities)


def test_addresses_have_the_shapes_of_their_countries() -> None:
    shapes = {
        "DK": r"\d{4}", "NO": r"\d{4}", "SE": r"\d{3} \d\d", "FI": r"\d{5}", "EE": r"\d{5}",
        "LV": r"LV-\d{4}", "LT": r"(LT-)?\d{5}", "DE": r"\d{5}", "NL": r"\d{4} ?[A-Z]{2}",
        "PL": r"\d\d-\d{3}", "GB": r"[A-Z]{1,2}\d{1,2}[A-Z]? \d[A-Z]{2}",
        "JP": r"\d{3}-\d{4}", "AE": "",
    }  # fmt: skip
    for row in rows():
        for place in ("Legal", "Headquarters"):
            country = row[f"Entity.{place}Address.Country"]
            postal = row[f"Entity.{place}Address.PostalCode"]
            assert re.fullmatch(shapes.get(country, ".+"), postal), (country, postal)
            region = row[f"Entity.{place}Address.Region"]
            assert not region or re.fullmatch(rf"{country}-[0-9A-Z]{{1,3}}", region)


def test_statuses_fit_together() -> None:
    for row in rows():
        status, entity = row[STATUS], row["Entity.EntityStatus"]
        assert (entity == "INACTIVE") == bool(row["Entity.EntityExpirationDate"])
        assert bool(row["Entity.EntityExpirationDate"]) == bool(
            row["Entity.EntityExpirationReason"]
        )
        assert entity != "NULL" or status in {"ANNULLED", "DUPLICATE"}
        assert entity == "INACTIVE" or status not in {"RETIRED", "MERGED"}
        successor = row["Entity.SuccessorEntity.1.SuccessorLEI"]
        assert status != "DUPLICATE" or sample_lei.is_valid(successor)


def test_dates_are_plausible_and_mix_the_published_forms() -> None:
    forms: Counter[str] = Counter()
    end = datetime(2026, 11, 2, tzinfo=UTC)
    for row in rows():
        dates = {column: moment(row[column]) for column in DATES if row[column]}
        assert dates[DATES[2]] < dates[DATES[4]]
        assert dates[DATES[2]] < dates[DATES[3]] < end
        assert (row[STATUS] == "ISSUED") <= (dates[DATES[4]] > end)
        assert (row[STATUS] == "LAPSED") <= (dates[DATES[4]] < end)
        forms.update(re.sub(r"\d", "9", row[column]) for column in DATES if row[column])
    for form in ("T99:99:99+99:99", "T99:99:99.999Z", "T99:99:99Z"):
        assert forms[f"9999-99-99{form}"] > ROWS / 10


def test_people_hide_where_they_do_in_the_published_file() -> None:
    lines: Counter[str] = Counter()
    for row in rows():
        for column in ("FirstAddressLine", "AdditionalAddressLine.1", "MailRouting"):
            lines[column] += "c/o " in row[f"Entity.LegalAddress.{column}"].lower()
    assert min(lines.values()) > 0
    assert 0.005 < sum(lines.values()) / ROWS < 0.03
    names = " | ".join(row[NAME].lower() for row in rows())
    for phrase in ("family trust", "estate of", "dødsboet efter", "nachlass"):
        assert phrase in names


def test_rarer_groups_of_columns_are_filled() -> None:
    filled = Counter(column for row in rows() for column, value in row.items() if value)
    other = "Entity.OtherEntityNames.OtherEntityName"
    event = "Entity.LegalEntityEvents.LegalEntityEvent"
    ascii_name = "Entity.TransliteratedOtherEntityNames.TransliteratedOtherEntityName.1"
    ascii_place = "Entity.TransliteratedOtherAddresses.TransliteratedOtherAddress.1"
    assert filled[f"{other}.1"] > filled[f"{other}.2"] > filled[f"{other}.3"] > 0
    assert filled[f"{event}.1.group_type"] > filled[f"{event}.5.group_type"] > 0
    assert filled["Entity.OtherAddresses.OtherAddress.1.FirstAddressLine"] > 0
    assert filled["Registration.OtherValidationAuthorities.OtherValidationAuthority.1."
                  "ValidationAuthorityID"] > 0  # fmt: skip
    romanised = [row for row in rows() if row[ascii_name]]
    assert len(romanised) > ROWS / 20
    assert all(row[ascii_name].isascii() and not row[NAME].isascii() for row in romanised)
    places = [row for row in rows() if row[f"{ascii_place}.type"]]
    assert all(row[f"{ascii_place}.City"].isascii() for row in places)
    assert any(not row["Entity.LegalAddress.City"].isascii() for row in places)


def test_numbers_at_a_register_are_not_shared() -> None:
    register = "Entity.RegistrationAuthority.RegistrationAuthority"
    pairs = [(row[f"{register}ID"], row[f"{register}EntityID"]) for row in rows()]
    known = [pair for pair in pairs if pair[1]]
    assert len(known) > ROWS * 0.9
    assert len(set(known)) == len(known)


def test_changed_share_changes_that_many_and_keeps_the_companies() -> None:
    out = io.BytesIO()
    facts = write_full(out, ROWS, seed=1, as_of=AS_OF, changed_share=0.05)
    later = read(out.getvalue())
    changed = [(old, new) for old, new in zip(rows(), later, strict=True) if old != new]
    assert [row["LEI"] for row in later] == [row["LEI"] for row in rows()]
    assert len(changed) == facts.changed_rows
    assert 0.03 < len(changed) / ROWS < 0.07
    for old, new in changed:
        assert new["Registration.LastUpdateDate"][:10] == "2026-11-02"
        assert moment(new[DATES[3]]) > moment(old[DATES[3]])
    for column in (NAME, STATUS, "Entity.LegalAddress.FirstAddressLine", DATES[4]):
        assert any(old[column] != new[column] for old, new in changed), column


def test_zip_holds_the_same_bytes(tmp_path: Path) -> None:
    path = tmp_path / "sample.csv.zip"
    facts = write_full(path, 500, seed=1, as_of=AS_OF, zip_name="sample.csv")
    assert facts.rows == 500
    assert facts.zip_byte_count == path.stat().st_size
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == ["sample.csv"]
        assert archive.read("sample.csv") == made(500)
        assert archive.getinfo("sample.csv").file_size == facts.byte_count
    again = tmp_path / "again.csv.zip"
    write_full(again, 500, seed=1, as_of=AS_OF, zip_name="sample.csv")
    assert again.read_bytes() == path.read_bytes()


def test_plain_file_counts_its_bytes(tmp_path: Path) -> None:
    path = tmp_path / "sample.csv"
    facts = write_full(path, 25, seed=3, as_of=AS_OF)
    assert facts.byte_count == path.stat().st_size
    assert facts.zip_byte_count is None
    assert len(read(path.read_bytes())) == 25


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    write_full(tmp_path / "warm.csv", 10, seed=1, as_of=AS_OF)
    tracemalloc.start()
    facts = write_full(tmp_path / "big.zip", 50_000, seed=1, as_of=AS_OF, zip_name="big.csv")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 35_000_000 < facts.byte_count / 2


def test_mix_of_countries_can_be_set() -> None:
    nordic = read(made(200, mix=Mix(countries={"DK": 1, "NO": 1})))
    assert {row[COUNTRY] for row in nordic} == {"DK", "NO"}
    with pytest.raises(ValueError, match="ZZ"):
        made(10, mix=Mix(countries={"ZZ": 1}))


class TestBundled:
    def test_is_the_same_every_time_and_follows_the_day(self) -> None:
        assert bundled_sample(AS_OF) == bundled_sample(AS_OF)
        later = read(bundled_sample(AS_OF + timedelta(days=90)).csv)
        for column in ("LEI", NAME, STATUS, COUNTRY):
            assert [row[column] for row in later] == [row[column] for row in bundled()]
        assert later != bundled()

    def test_counts(self) -> None:
        assert known().rows == len(bundled()) == 613
        assert known().published_at == datetime(2026, 11, 2, 8, tzinfo=UTC)
        assert known().member == "20261102-0800-gleif-goldencopy-lei2-golden-copy.csv"
        with zipfile.ZipFile(io.BytesIO(known().zip())) as archive:
            assert archive.read(known().member) == known().csv

    def test_bad_rows_are_where_they_are_said_to_be(self) -> None:
        assert Counter(bad.rule for bad in known().bad) == {
            "lei_is_well_formed": 1,
            "lei_check_digits_hold": 2,
            "key_is_unique": 2,
            "legal_name_is_present": 1,
            "entity_status_is_known": 1,
            "lei_status_is_known": 1,
            "entity_category_is_known": 1,
            "countries_are_known": 1,
            "dates_are_readable": 1,
            "text_is_readable": 1,
            "renewal_is_not_before_registration": 1,
        }
        assert all(bundled()[bad.row - 1]["LEI"] == bad.lei for bad in known().bad)

    def test_only_bad_rows_are_bad(self) -> None:
        rules = {bad.row: bad.rule for bad in known().bad}
        seen = Counter(row["LEI"] for row in bundled())
        for number, row in enumerate(bundled(), 1):
            first, renewal = row[DATES[2]], row[DATES[4]]
            found = {
                "lei_is_well_formed": len(row["LEI"]) != 20,
                "lei_check_digits_hold": not sample_lei.is_valid(row["LEI"]),
                "key_is_unique": seen[row["LEI"]] > 1,
                "legal_name_is_present": not row[NAME],
                "entity_status_is_known": row["Entity.EntityStatus"] == "DORMANT",
                "lei_status_is_known": row[STATUS] == "SUSPENDED",
                "entity_category_is_known": row["Entity.EntityCategory"] == "COOPERATIVE",
                "countries_are_known": row[COUNTRY] == "XQ",
                "dates_are_readable": row[DATES[3]].startswith("2026-13"),
                "text_is_readable": not row[NAME].isprintable(),
                "renewal_is_not_before_registration": moment(first) > moment(renewal),
            }
            broken = [rule for rule, is_broken in found.items() if is_broken]
            assert broken[:1] == [rules[number]] if number in rules else not broken, row["LEI"]

    def test_one_wrong_number_is_annulled_and_one_is_issued(self) -> None:
        wrong = [bad for bad in known().bad if bad.rule == "lei_check_digits_hold"]
        assert {bundled()[bad.row - 1][STATUS] for bad in wrong} == {"ANNULLED", "ISSUED"}

    def test_the_repeated_key_has_two_contents(self) -> None:
        first, second = (
            bundled()[bad.row - 1] for bad in known().bad if bad.rule == "key_is_unique"
        )
        assert first["LEI"] == second["LEI"]
        assert first[NAME] != second[NAME]

    def test_oddities(self) -> None:
        assert Counter(odd.oddity for odd in known().odd) == {
            "formula_name": 4,
            "markup_name": 2,
            "creation_year_9940": 1,
            "postal_code_empty": 1,
            "region_in_lower_case": 1,
            "legal_form_not_a_code": 1,
        }
        odd = {odd.oddity: bundled()[odd.row - 1] for odd in known().odd}
        assert odd["creation_year_9940"]["Entity.EntityCreationDate"].startswith("9940-")
        assert odd["postal_code_empty"]["Entity.HeadquartersAddress.PostalCode"] == ""
        assert odd["region_in_lower_case"]["Entity.LegalAddress.Region"] == "se-ab"
        names = {row[NAME] for row in bundled()}
        assert {"=1+1 ApS", "+47 Invest AS", "@home OÜ"} <= names

    def test_some_legal_persons_are_due(self) -> None:
        due = [row for row in bundled() if row["LEI"] in known().due]
        assert Counter(row[COUNTRY] for row in due) == {
            "NO": 6, "DE": 6, "FI": 6, "EE": 6, "LV": 6, "DK": 4, "SE": 4,
        }  # fmt: skip
        for row in due:
            days = (moment(row[DATES[4]]).date() - AS_OF).days
            assert 30 <= days <= 60
            assert row[STATUS] == "ISSUED"
            assert row["Entity.EntityCategory"] == "GENERAL"
            assert row["Entity.EntityStatus"] == "ACTIVE"

    def test_some_legal_persons_have_lapsed_in_every_open_country(self) -> None:
        lapsed = Counter(
            row[COUNTRY]
            for row in bundled()
            if row[STATUS] == "LAPSED" and row["Entity.EntityCategory"] == "GENERAL"
        )
        assert all(lapsed[country] >= 3 for country in ("NO", "DE", "FI", "EE", "LV", "DK", "SE"))
