"""Who is a person, by data with citations; and what is left of one."""

from __future__ import annotations

import tomllib
from importlib import resources

import ingesting
import pyarrow as pa
import pytest
from ingesting import company

from sources.kit import columns
from sources.kit.identity import (
    Minimised,
    minimise,
    split_care_of,
)

RULES = tomllib.loads(resources.files("sources.kit").joinpath("persons.toml").read_text("utf-8"))
PHRASES = [(rule["rule"], phrase) for rule in RULES["possible"] for phrase in rule["phrases"]]


def kinds(*names: str) -> list[tuple[str, str | None]]:
    """(person_kind, person_rule) of legal persons of these names."""
    table = ingesting.tidied(*(company(n, legal_name=name) for n, name in enumerate(names)))
    return list(
        zip(table["person_kind"].to_pylist(), table["person_rule"].to_pylist(), strict=True)
    )


def minimised(*rows: ingesting.Row, keep_natural: bool = False) -> Minimised:
    return minimise(ingesting.tidied(*rows), keep_natural=keep_natural)


def apart(found: Minimised) -> dict[str, str]:
    return {row["field"]: row["value"] for row in found.personal.to_pylist()}


def test_natural_by_category_and_by_legal_form() -> None:
    table = ingesting.tidied(
        company(1, entity_category="SOLE_PROPRIETOR"),
        company(2, legal_form="FUKI"),
        company(3, legal_form="FUKI", entity_category="SOLE_PROPRIETOR"),
        company(4),
        company(5, entity_category="", legal_form=""),
    )
    assert table["person_kind"].to_pylist() == ["natural"] * 3 + ["none"] * 2
    assert table["person_rule"].to_pylist() == [
        "entity category",
        "legal form",
        "entity category",
        None,
        None,
    ]


def test_every_sole_trader_form_is_natural_and_says_whose_it_is() -> None:
    forms = RULES["natural"]["legal_forms"]
    table = ingesting.tidied(*(company(n, legal_form=form) for n, form in enumerate(forms)))
    assert set(table["person_kind"].to_pylist()) == {"natural"}
    assert len(forms) > 60
    assert all(name[:2].isupper() and name[2:4] == ": " for name in forms.values())
    assert all(
        rule["citation"] for rule in (RULES["natural"], RULES["care_of"], *RULES["possible"])
    )


@pytest.mark.parametrize(("rule", "phrase"), PHRASES)
def test_a_phrase_makes_a_person_possible_where_it_is_a_word(rule, phrase) -> None:
    caught = (f"{phrase} Prøve", f"Prøve {phrase}", f"Prøve ({phrase})", phrase.upper())
    assert kinds(*caught) == [("possible", rule)] * len(caught)
    hidden = [f"Prøve{phrase}", f"å{phrase} Prøve"]
    if phrase[-1].isalpha():
        hidden += [f"{phrase}x Prøve", f"{phrase}ø Prøve"]
    assert kinds(*hidden) == [("none", None)] * len(hidden)


@pytest.mark.parametrize(
    "name",
    [
        "Mississippi Power Company",
        "Attorney Street Holdings",
        "Trust Bank of Prøveby",
        "Real Estate Office AS",
        "Nachlassverwaltung Prøve GmbH",
        "Oslo Taxi v Bergen Taxi",
        "Anna Prøve",
        "",
    ],
)
def test_nothing_is_guessed(name) -> None:
    assert kinds(name) == [("none", None)]


def test_a_natural_person_is_not_called_possible() -> None:
    row = company(1, legal_name="Tømrer v/ Bo Prøve", entity_category="SOLE_PROPRIETOR")
    assert ingesting.tidied(row)["person_kind"].to_pylist() == ["natural"]


CARE_OF = [
    ("c/o Anna Prøve, Prøvegade 1", "DK", "Prøvegade 1", "c/o Anna Prøve"),
    ("C/O ANNA PRØVE", "NO", None, "C/O ANNA PRØVE"),
    ("Prøvegade 1 c/o Anna Prøve", "SE", "Prøvegade 1", "c/o Anna Prøve"),
    ("Prøvegade 1, c/o Anna Prøve, 2. sal", "DK", "Prøvegade 1, 2. sal", "c/o Anna Prøve"),
    ("Attn: Bo Prøve; Floor 3", "GB", "Floor 3", "Attn: Bo Prøve"),
    ("z.Hd. Frau Prøve, Probeweg 2", "DE", "Probeweg 2", "z.Hd. Frau Prøve"),
    ("zu Händen Herrn Prøve", "AT", None, "zu Händen Herrn Prøve"),
    ("v/ Hans Prøve, Prøvegade 3", "DK", "Prøvegade 3", "v/ Hans Prøve"),
    ("V/PO Nagar, Prøvepur", "IN", "V/PO Nagar, Prøvepur", None),
    ("v/Hans Prøve, Prøvegata 3", "NO", "Prøvegata 3", "v/Hans Prøve"),
    ("v/ Hans Prøve, Prøvegade 3", "SE", "v/ Hans Prøve, Prøvegade 3", None),
    ("Attorney Street 5", "US", "Attorney Street 5", None),
    ("Mississippi Avenue 5", "US", "Mississippi Avenue 5", None),
    ("Ecco/Nord 5", "DK", "Ecco/Nord 5", None),
    ("Prøvegade 1", None, "Prøvegade 1", None),
    ("", "DK", None, None),
]


@pytest.mark.parametrize(("line", "country", "rest", "part"), CARE_OF)
def test_care_of_is_split_from_the_line(line, country, rest, part) -> None:
    assert split_care_of(line, country) == (rest, part)


@pytest.mark.parametrize("field", columns.ADDRESS_LINES)
@pytest.mark.parametrize(("line", "country", "rest", "part"), CARE_OF)
def test_care_of_lives_apart_from_the_record(field, line, country, rest, part) -> None:
    """Column-wise and on every address line alike: the record keeps the rest only."""
    place = "legal_country" if field.startswith("legal_") else "headquarters_country"
    found = minimised(company(1), company(2, **{field: line, place: country or ""}), company(3))
    assert found.table[field].to_pylist()[1] == rest
    assert apart(found) == ({f"{field}_care_of": part} if part else {})
    assert found.personal["ordinal"].to_pylist() == ([1] if part else [])
    assert found.care_of_count == bool(part)
    assert found.touched.tolist() == [False, bool(part), False]


def test_care_of_is_found_below_a_row_without_any_address() -> None:
    """Arrow's join leaves a row of nulls out where nulls are skipped: the rows below would move."""
    bare = company(1, **dict.fromkeys(columns.ADDRESS_LINES, ""))
    field = columns.ADDRESS_LINES[0]
    found = minimised(bare, company(2, **{field: "c/o Bo Prøve, Prøvegade 1"}))
    assert found.touched.tolist() == [False, True]
    assert found.table[field].to_pylist() == [None, "Prøvegade 1"]


def natural(number: int) -> ingesting.Row:
    """A sole trader with every particular that the mapping could keep."""
    every = {
        name: f"particular {name}"
        for name in columns.PUBLISHED
        if name not in ingesting.SOUND and name not in columns.SKELETON
    }
    return company(
        number,
        **every
        | {
            "entity_category": "SOLE_PROPRIETOR",
            "legal_name": "Anna Prøve",
            "legal_address_line": "c/o Bo Prøve, Prøvegade 1",
        },
    )


def test_a_natural_person_is_reduced_to_a_skeleton() -> None:
    before = ingesting.tidied(natural(1)).to_pylist()[0]
    found = minimised(natural(1), company(2))
    person, firm = found.table.to_pylist()
    kept = {name for name in columns.NAMES if person[name] is not None}
    assert kept <= columns.SKELETON
    assert {name: person[name] for name in kept} == {name: before[name] for name in kept}
    assert {"legal_country", "entity_category", "lei_status", "next_renewal_date"} <= kept
    assert not kept & {"legal_name", "legal_city", "registration_number", "legal_postal_code"}
    assert person["source_key"] == ingesting.lei(1)
    assert found.personal.num_rows == 0
    assert found.touched.tolist() == [True, False]
    assert firm["legal_name"] == "Prøvefirma 2 A/S"


def test_kept_in_full_the_particulars_live_apart() -> None:
    before = ingesting.tidied(natural(1)).to_pylist()[0]
    found = minimised(natural(1), company(2), keep_natural=True)
    assert found.table.to_pylist() == minimised(natural(1), company(2)).table.to_pylist()
    expected = {name: before[name] for name in columns.PERSONAL_OF_NATURAL} | {
        "legal_address_line": "Prøvegade 1",
        "legal_address_line_care_of": "c/o Bo Prøve",
    }
    assert apart(found) == {name: text for name, text in expected.items() if text is not None}
    assert set(found.personal["source_key"].to_pylist()) == {ingesting.lei(1)}


def test_a_skeleton_is_lei_country_category_status_and_dates() -> None:
    """The house's own list (HOUSE.md, person_kind): adding a field to it is a decision."""
    stems = {name.rsplit("_", 1)[0] for name in columns.SKELETON if name != "lei_status"}
    assert stems == {
        "legal",
        "headquarters",
        "entity",
        "creation",
        "expiration",
        "initial_registration",
        "last_update",
        "next_renewal",
    }
    assert {name for name in columns.SKELETON if name.startswith(("legal", "headq", "entity"))} == {
        "legal_country",
        "headquarters_country",
        "entity_category",
        "entity_subcategory",
        "entity_status",
    }


def test_no_rows_are_no_trouble() -> None:
    found = minimise(ingesting.tidied(company(1)).slice(0, 0), keep_natural=True)
    assert (found.table.num_rows, found.personal.num_rows) == (0, 0)
    assert found.personal.schema.field("value").type == pa.string()
