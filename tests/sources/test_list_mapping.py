"""Which column means which field: guessed from the header, read from a file, and dated."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from own_files import consent, customer, enquiry, visit

from sources.kit.errors import Refused
from sources.kit.list_dates import check_format, evident_format, read_day, read_moment
from sources.kit.list_mapping import check_fits, guess, read_mapping
from sources.kit.own_lists import is_mere_use, own_list, own_lists, plain

CUSTOMERS = own_list("customers")


@pytest.mark.parametrize(
    ("code", "row", "left"),
    [
        ("customers", customer(1), []),
        ("enquiries", enquiry(1), ["Message"]),
        ("visits", visit(1), []),
        ("consents", consent(1), []),
    ],
)
def test_headers_are_guessed(code: str, row: dict[str, str], left: list[str]) -> None:
    found = guess(tuple(row), own_list(code))
    assert found.is_guessed
    assert found.dropped(tuple(row)) == left


@pytest.mark.parametrize(
    ("header", "field"),
    [
        ("FAKTURA-NR.", "event_reference"),
        ("Invoice number", "event_reference"),
        ("E-mail", "email"),
        ("Kunde siden", "relationship_start_date"),
        ("ophørt", "relationship_end_date"),
        ("Kundeforhold til", "relationship_end_date"),
        ("LEI-kode", "lei"),
    ],
)
def test_words_are_compared_by_letters_and_digits(header: str, field: str) -> None:
    assert guess([header], CUSTOMERS).columns == {field: header}


@pytest.mark.parametrize("code", list(own_lists()))
def test_a_field_is_known_by_its_own_name(code: str) -> None:
    names = list(own_list(code).fields)
    assert guess(names, own_list(code)).columns == dict(zip(names, names, strict=True))


def test_no_column_is_guessed_twice() -> None:
    found = guess(["Dato", "Id", "Navn"], own_list("enquiries"))
    assert found.columns == {"event_reference": "Id", "event_date": "Dato"}


def test_a_register_named_in_the_header_is_a_constant() -> None:
    assert guess(["CVR-nr."], CUSTOMERS).constants == {"registration_authority": "RA000170"}
    assert guess(["Org. nr."], CUSTOMERS).constants == {}


def test_a_list_and_its_words() -> None:
    assert list(own_lists()) == ["customers", "enquiries", "visits", "consents"]
    for own in own_lists().values():
        assert own.fields["event_reference"].is_needed
        for field in own.fields.values():
            assert len(set(field.words)) == len(field.words), field.name
            assert all(word == plain(word) for word in field.words)
    with pytest.raises(Refused, match="none of that name"):
        own_list("suppliers")


def written(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_a_guess_written_out_reads_as_it_was(tmp_path: Path) -> None:
    found = guess(('Faktura "nr"', "Faktura nr", "CVR nr", "Navn\\x"), CUSTOMERS)
    again = read_mapping(written(tmp_path / "m.toml", found.as_toml()), CUSTOMERS)
    assert (again.columns, again.constants) == (found.columns, found.constants)


def test_a_mapping_file_says_everything(tmp_path: Path) -> None:
    text = (
        'date_format = "DD.MM.YYYY"\nencoding = "cp1252"\nseparator = ";"\ndecimal_comma = true\n'
        'sheet = "Kunder"\nignore = ["Noter"]\n[columns]\n"LEI" = ["lei", "event_reference"]\n'
        "[constants]\nis_managed = true\nevent_date = 2026-11-01\n"
    )
    found = read_mapping(written(tmp_path / "m.toml", text), CUSTOMERS)
    assert found.columns == {"lei": "LEI", "event_reference": "LEI"}
    assert found.constants == {"is_managed": "yes", "event_date": "2026-11-01"}
    assert (found.separator, found.sheet, found.has_decimal_comma) == (";", "Kunder", True)
    assert found.dropped(["LEI", "Noter", "Andet"]) == ["Andet"]
    again = read_mapping(written(tmp_path / "n.toml", found.as_toml()), CUSTOMERS)
    assert again == found


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x", "not TOML"),
        ('[columns]\n"A" = "name"', "name is no field of customers"),
        ('colums = "x"', "colums is no key"),
        ('separator = ";;"', "not one character"),
        ("date_format = 3", "date_format is no text"),
        ('[columns]\n"A" = "lei"\n"B" = "lei"', "two columns are mapped to lei"),
        ('[columns]\n"A" = "lei"\n[constants]\nlei = "x"', "mapped and constant"),
        ('columns = "x"', "columns is no table"),
        ('constants = "x"', "constants is no table"),
        ('[columns]\n"A" = 3', "'A' is mapped to no field"),
        ("ignore = 3", "ignore is no list"),
    ],
)
def test_a_faulty_mapping_is_refused(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(Refused, match=said):
        read_mapping(written(tmp_path / "m.toml", text), CUSTOMERS)


def test_a_mapping_must_fit_its_file() -> None:
    with pytest.raises(Refused, match="no column is mapped to event_reference"):
        check_fits(guess(["Navn"], CUSTOMERS), ["Navn"], CUSTOMERS)
    with pytest.raises(Refused, match="the file has no column 'Invoice'"):
        check_fits(guess(["Invoice"], CUSTOMERS), ["Navn"], CUSTOMERS)


DAYS = [
    ("02-11-2026", "DD-MM-YYYY", date(2026, 11, 2)),
    ("2.11.2026", "DD.MM.YYYY", date(2026, 11, 2)),
    ("2026-11-02", "DD-MM-YYYY", date(2026, 11, 2)),
    ("2026-11-02T00:30:00+02:00", "YYYY-MM-DD", date(2026, 11, 2)),
    ("11/02/2026", "MM/DD/YYYY", date(2026, 11, 2)),
    ("29-02-2024", "DD-MM-YYYY", date(2024, 2, 29)),
    ("29-02-2026", "DD-MM-YYYY", None),
    ("31-12-1899", "DD-MM-YYYY", None),
    ("i går", "DD-MM-YYYY", None),
    ("02-11-26", "DD-MM-YYYY", None),
    ("٠٢-١١-٢٠٢٦", "DD-MM-YYYY", None),
]


@pytest.mark.parametrize(("text", "written_as", "day"), DAYS)
def test_days(text: str, written_as: str, day: date | None) -> None:
    assert read_day(text, written_as) == day


def test_moments_are_utc() -> None:
    half_past = datetime(2026, 11, 2, 8, 30, tzinfo=UTC)
    assert read_moment("2026-11-02T10:30:00+02:00", "YYYY-MM-DD") == half_past
    assert read_moment("02-11-2026 08.30", "DD-MM-YYYY") == half_past
    assert read_moment("02-11-2026 08:30", "DD-MM-YYYY HH:mm") == half_past
    assert read_moment("02-11-2026 25:30", "DD-MM-YYYY") is None


def test_the_format_is_evident_or_asked_for() -> None:
    assert evident_format(["13-01-2026", "02-11-2026", ""]) == "DD-MM-YYYY"
    assert evident_format(["13/01/2026", "02/11/2026"]) == "DD/MM/YYYY"
    assert evident_format(["01/13/2026", "02/11/2026"]) == "MM/DD/YYYY"
    assert evident_format(["01/02/2026"]) is None
    assert evident_format([]) == "YYYY-MM-DD"
    with pytest.raises(Refused, match="year, month and day"):
        check_format("dd/mm/yy")


@pytest.mark.parametrize(
    "text",
    [
        "used our service",
        "brug af tjenesten",
        "Ved at bruge hjemmesiden accepterer du",
        "by using this website you agree",
        "continued browsing",
        "fortsat brug",
        "pre-ticked box",
        "forudafkrydset felt",
        "implied",
        "stiltiende accept",
        "accessed the platform",
        "når du bruger siden",
    ],
)
def test_use_and_silence_are_no_consent(text: str) -> None:
    assert is_mere_use(None, text)


@pytest.mark.parametrize(
    "text",
    [
        "ticked the empty box and confirmed by mail",
        "satte selv kryds og bekræftede på mail",
        "signed the paper form",
        "double opt-in",
        "klikkede på Ja tak",
        "brugeren satte kryds på hjemmesiden",
    ],
)
def test_an_act_is_one(text: str) -> None:
    assert not is_mere_use(None, text)
