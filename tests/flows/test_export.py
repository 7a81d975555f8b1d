"""A list as it leaves the house: its rows, its manifest, and what the warehouse remembers of it."""

from __future__ import annotations

import csv
import hashlib
import json
import stat
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from ingesting import Ingesting, company, csv_bytes, lei, opened
from listing import (
    digest_of,
    export,
    left_over,
    norwegian,
    rows_of,
    stop,
    stop_lei,
    written_manifest,
)

from flows.export_request import LATER_FORMATS
from flows.export_steps import exit_code
from flows.settings import Settings
from notices.rows import CONTACT_ROW_COLUMNS, ROW_COLUMNS
from sources.kit.errors import Refused
from sources.kit.policy import ChannelSettings, Recipient, SourceSettings, Store
from sources.kit.sample import SAMPLE_DAY, bundled_sample

DAY = "2026-11-02"
ANY_LENGTH = {"gleif": SourceSettings(min_ratio=0)}


@pytest.fixture
def held(warehouse_url: str, tmp_path: Path) -> Iterator[Ingesting]:
    with opened(warehouse_url, tmp_path, sources=ANY_LENGTH) as found:
        yield found


@pytest.fixture
def light(sqlite_url: str, tmp_path: Path) -> Iterator[Ingesting]:
    """On SQLite only: for what no database decides."""
    with opened(sqlite_url, tmp_path, sources=ANY_LENGTH) as found:
        yield found


def set_up(held: Ingesting, **changes: Any) -> None:
    """Change settings of an open house."""
    held.house.settings = held.house.settings.model_copy(update=changes)


def test_a_list_keeps_the_contract(held: Ingesting, tmp_path: Path) -> None:
    held.full([norwegian(1), norwegian(2), company(3, lei_status="LAPSED")], DAY)
    manifest = export(held, tmp_path / "out")
    rows = rows_of(manifest)
    assert list(rows[0]) == list(ROW_COLUMNS)
    assert [row["lei"] for row in rows] == [lei(1), lei(2)]
    assert manifest["candidates"] == 3
    assert manifest["selected"] == 2
    assert manifest["excluded"] == {"protection_unknown": 1}
    assert exit_code(manifest) == 0
    assert manifest["recipient"] == {"id": "own", "name": "Fjordlys LEI ApS", "kind": "own"}
    assert manifest["filter"] == {"days": None, "countries": []}
    assert manifest["notices"] == {"complete": 2, "languages": {"da+en": 2}}
    assert manifest["expires_on"] == "2026-12-02"
    assert manifest["created_at"] == "2026-11-02T10:00:00+00:00"
    assert manifest["configuration"] == "EXAMPLE"
    assert manifest["signature"] is None
    rules = {(rule["country"], rule["version"]) for rule in manifest["channel_rules"]}
    assert rules == {("DK", "2026.1"), ("NO", "2026.1")}
    assert all("verified" in rule for rule in manifest["channel_rules"])
    assert all(rule["accepted_by"] == "EXAMPLE" for rule in manifest["channel_rules"])


def test_a_row_says_everything_about_itself(held: Ingesting, tmp_path: Path) -> None:
    held.full([norwegian(1)], DAY)
    manifest = export(held, tmp_path / "out")
    (row,) = rows_of(manifest)
    record = f"https://search.gleif.org/#/record/{lei(1)}"
    assert row["legal_name"] == "Prøvefirma 1 AS"
    assert row["country"] == "NO"
    assert row["recipient_kind"] == "legal_person"
    assert row["obtained_on"] == DAY
    assert row["is_public_database"] == "true"
    assert row["source_urls"] == record
    assert "GLEIF" in row["source_names"]
    assert row["notice_url"] == row["unsubscribe_url"]
    assert row["notice_url"].startswith("http://127.0.0.1:8321/u/")
    assert row["list_unsubscribe"] == f"<{row['unsubscribe_url']}>"
    assert row["list_unsubscribe_post"] == "List-Unsubscribe=One-Click"
    assert row["configuration"] == "EXAMPLE"
    assert row["notice_id"] == f"{manifest['export_id']}-{row['row_id']}"
    for text in (row["source_notice"], row["full_notice"]):
        assert "Global LEI Index (Golden Copy)" in text
        assert record in text
        assert row["notice_url"] in text
        assert "2 November 2026" in text
        assert "2. november 2026" in text
        assert "CC0" in text
    assert "Datatilsynet, Postboks 458 Sentrum" in row["full_notice"]
    assert "Carl Jacobsens Vej 35" in row["full_notice"]
    assert row["notice_id"] in row["full_notice"]


def test_the_warehouse_remembers_what_left(held: Ingesting, tmp_path: Path) -> None:
    held.full([norwegian(1), norwegian(2)], DAY)
    manifest = export(held, tmp_path / "out")
    rows = rows_of(manifest)
    left = held.ask("SELECT * FROM disclosures ORDER BY row_id")
    assert [one["row_id"] for one in left] == [row["row_id"] for row in rows]
    assert {one["recipient_name"] for one in left} == {"Fjordlys LEI ApS"}
    assert {one["notice_id"] for one in left} == {row["notice_id"] for row in rows}
    fields = left[0]["fields"].split(",")
    assert fields[:3] == ["lei", "legal_name", "country"]
    assert "headquarters_city" in fields
    assert "Oslo" not in left[0]["fields"]
    letters = held.ask("SELECT * FROM letter ORDER BY row_id")
    for row, letter in zip(rows, letters, strict=True):
        assert letter["token_digest"] == digest_of(held, row["notice_url"])
        assert row["notice_url"] in letter["notice_html"]
        assert row["legal_name"] in letter["notice_html"]
        assert letter["language"] == row["language"] == "da+en"
        assert row["notice_url"].rpartition("/")[2] not in letter["token_digest"]
    (export_row,) = held.ask("SELECT * FROM export")
    assert export_row["state"] == "published"
    assert export_row["directory"] == manifest["directory"]
    told = {name: value for name, value in manifest.items() if name != "directory"}
    assert json.loads(export_row["manifest"]) == told == written_manifest(manifest)
    (event,) = held.ask("SELECT * FROM audit_events WHERE action = 'export'")
    assert event["subject"] == manifest["export_id"]
    assert json.loads(event["detail"]) == {"candidates": 2, "selected": 2}
    run = held.ask("SELECT * FROM runs WHERE flow = 'export'")[-1]
    assert run["state"] == "done"
    assert json.loads(run["counts"])["selected"] == 2


def test_the_manifest_has_no_address_and_no_name(held: Ingesting, tmp_path: Path) -> None:
    held.full([norwegian(1, legal_name="Særnavn AS")], DAY)
    manifest = export(held, tmp_path / "out")
    text = json.dumps(manifest, ensure_ascii=False)
    assert "Særnavn" not in text
    assert "Prøveveien" not in text


def test_every_file_is_listed_with_its_digest(light: Ingesting, tmp_path: Path) -> None:
    light.full([norwegian(1), norwegian(2)], DAY)
    manifest = export(light, tmp_path / "out")
    folder = Path(manifest["directory"])
    listed = {entry["name"]: entry for entry in manifest["files"]}
    on_disk = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert on_disk == set(listed) | {"manifest.json"}
    assert set(listed) == {"rows.csv", "notices/da+en.html", "notices/da+en.txt"}
    for name, entry in listed.items():
        content = (folder / name).read_bytes()
        assert entry["sha256"] == hashlib.sha256(content).hexdigest()
        assert entry["bytes"] == len(content)
    assert listed["rows.csv"]["rows"] == 2
    assert left_over(tmp_path / "out") == []
    assert not list((tmp_path / "exports").rglob("*.*"))


def test_a_list_is_its_owners_only(light: Ingesting, tmp_path: Path) -> None:
    light.full([norwegian(1)], DAY)
    folder = Path(export(light, tmp_path / "out")["directory"])
    for path in (folder, *folder.rglob("*")):
        wanted = 0o700 if path.is_dir() else 0o600
        assert stat.S_IMODE(path.stat().st_mode) == wanted, path


def test_the_wording_of_the_list_names_no_company(light: Ingesting, tmp_path: Path) -> None:
    light.full([norwegian(1)], DAY)
    manifest = export(light, tmp_path / "out")
    (row,) = rows_of(manifest)
    for name in ("da+en.html", "da+en.txt"):
        text = (Path(manifest["directory"]) / "notices" / name).read_text("utf-8")
        for own in (row["legal_name"], row["lei"], row["notice_url"], row["notice_id"]):
            assert own not in text
        assert "[the company&#39;s name]" in text or "[the company's name]" in text
        assert manifest["export_id"] in text
        assert "Din ret til at gøre indsigelse mod direkte markedsføring" in text


def test_letters_go_to_headquarters_by_the_countrys_custom(
    light: Ingesting, tmp_path: Path
) -> None:
    light.full(
        [
            norwegian(1),
            norwegian(
                2,
                headquarters_address_line="Mannerheimintie 5",
                headquarters_city="Helsinki",
                headquarters_region="FI-18",
                headquarters_country="FI",
                headquarters_postal_code="00100",
            ),
        ],
        DAY,
    )
    first, second = rows_of(export(light, tmp_path / "out"))
    assert [first[f"address_line_{n}"] for n in range(1, 6)] == [
        "Prøvefirma 1 AS",
        "Prøveveien 1",
        "0150 OSLO",
        "NORGE / NORWAY",
        "",
    ]
    assert [second[f"address_line_{n}"] for n in range(1, 5)] == [
        "Prøvefirma 2 AS",
        "Mannerheimintie 5",
        "FI-00100 HELSINKI",
        "FINLAND",
    ]
    assert second["country"] == "NO"
    assert "Tietosuojavaltuutetun toimisto" in second["full_notice"]
    assert "Datatilsynet, Postboks 458" in second["full_notice"]


def test_whom_mail_goes_by_way_of_is_never_in_a_list(light: Ingesting, tmp_path: Path) -> None:
    light.full(
        [norwegian(1, headquarters_mail_routing="c/o Ingeborg Opdiktet", legal_address_line_1="x")],
        DAY,
    )
    manifest = export(light, tmp_path / "out")
    assert light.ask("SELECT field, value FROM personal_value") == [
        {"field": "headquarters_mail_routing_care_of", "value": "c/o Ingeborg Opdiktet"}
    ]
    for path in Path(manifest["directory"]).rglob("*.*"):
        assert "Opdiktet" not in path.read_text("utf-8")
    assert "Opdiktet" not in light.one("SELECT notice_html FROM letter")
    # That it is held is said, and so is when it goes.
    (row,) = rows_of(manifest)
    assert "headquarters address" in row["full_notice"]
    assert "36 months" in row["full_notice"]


def test_cells_that_a_spreadsheet_would_run_are_neutralised(
    light: Ingesting, tmp_path: Path
) -> None:
    light.full([norwegian(1, legal_name="=1+1 AS"), norwegian(2, legal_name="@home AS")], DAY)
    rows = rows_of(export(light, tmp_path / "out"))
    assert [row["legal_name"] for row in rows] == ["'=1+1 AS", "'@home AS"]
    assert [row["address_line_1"] for row in rows] == ["'=1+1 AS", "'@home AS"]
    assert "<i>" not in light.ask("SELECT notice_html FROM letter")[0]["notice_html"]


def test_a_changed_value_is_named_with_its_own_day(held: Ingesting, tmp_path: Path) -> None:
    held.full([norwegian(1)], DAY)
    held.at(date(2026, 11, 5))
    held.delta(
        [norwegian(1, legal_name="Nyt Navn AS", last_update_published="2026-11-04T08:00:00Z")],
        "2026-11-05",
    )
    (row,) = rows_of(export(held, tmp_path / "out"))
    assert row["obtained_on"] == "2026-11-05"
    assert "the company's name and date of the last update: Global LEI Index" in lower(
        row["full_notice"]
    )
    assert "fetched 5 November 2026" in row["full_notice"]
    assert "fetched 2 November 2026" in row["full_notice"]
    assert "fetched 2 November 2026 and 5 November 2026" in row["source_notice"]
    shown = held.ask(
        "SELECT field, retrieved_at FROM origins WHERE field IN ('legal_name', 'lei')"
        " ORDER BY field"
    )
    days = {one["field"]: str(one["retrieved_at"])[:10] for one in shown}
    assert days == {"legal_name": "2026-11-05", "lei": "2026-11-02"}


def lower(text: str) -> str:
    return text.replace("The company", "the company").replace("LEI, the", "the")


def test_an_undated_delivery_says_so(light: Ingesting, tmp_path: Path) -> None:
    light.undated([norwegian(1)])
    (row,) = rows_of(export(light, tmp_path / "out"))
    assert "fetched 2 November 2026" in row["full_notice"]
    assert "published 2 November" not in row["full_notice"]


def test_who_says_stop_is_in_no_further_list(held: Ingesting, tmp_path: Path) -> None:
    held.full([norwegian(1), norwegian(2)], DAY)
    first = rows_of(export(held, tmp_path / "out"))
    stop(held, first[0]["unsubscribe_url"])
    held.later(days=91)
    manifest = export(held, tmp_path / "out")
    assert [row["lei"] for row in rows_of(manifest)] == [lei(2)]
    assert manifest["excluded"] == {"suppressed": 1}
    assert manifest["candidates"] == 2


def test_a_stop_outlives_the_company(held: Ingesting, tmp_path: Path) -> None:
    both = [norwegian(1), norwegian(2)]
    held.full(both, DAY)
    link = rows_of(export(held, tmp_path / "out"))[0]["unsubscribe_url"]
    for day in (3, 4):
        held.at(date(2026, 11, day))
        held.full([norwegian(2), norwegian(day)], date(2026, 11, day))
    assert held.deactivate()["counts"]["deactivated"] == 1
    held.at(date(2028, 12, 1))
    assert held.delete()["counts"]["companies"] == 1
    assert held.prospect(1) is None
    stop(held, link)
    held.full([*both, norwegian(3)], "2028-12-01")
    manifest = export(held, tmp_path / "out")
    assert held.prospect(1) is None
    assert manifest["excluded"]["suppressed"] == 1
    assert lei(1) not in {row["lei"] for row in rows_of(manifest)}
    assert manifest["candidates"] == manifest["selected"] + sum(manifest["excluded"].values())


def test_a_stop_by_an_earlier_letter_finds_a_company_taken_anew(
    held: Ingesting, tmp_path: Path
) -> None:
    held.full([norwegian(1), norwegian(2)], DAY)
    link = rows_of(export(held, tmp_path / "out"))[0]["unsubscribe_url"]
    for day in (3, 4):
        held.at(date(2026, 11, day))
        held.full([norwegian(2), norwegian(day)], date(2026, 11, day))
    held.deactivate()
    held.at(date(2028, 12, 1))
    held.delete()
    held.full([norwegian(1), norwegian(2), norwegian(3)], "2028-12-01")
    assert held.prospect(1) is not None  # a company of a new number, which no stop is linked to
    stop(held, link)
    assert held.ask("SELECT * FROM company_stop") == []
    assert export(held, None, dry_run=True)["excluded"]["suppressed"] == 1
    manifest = export(held, tmp_path / "out")
    assert manifest["excluded"]["suppressed"] == 1
    assert lei(1) not in {row["lei"] for row in rows_of(manifest)}


def test_a_company_is_left_alone_for_the_cool_off(held: Ingesting, tmp_path: Path) -> None:
    held.full([norwegian(1)], DAY)
    export(held, tmp_path / "out")
    held.at(datetime.fromisoformat("2027-01-31T09:59:59+00:00"))
    again = export(held, tmp_path / "out")
    assert again["excluded"] == {"recently_contacted": 1}
    held.at(datetime.fromisoformat("2027-01-31T10:00:00+00:00"))
    assert export(held, tmp_path / "out")["selected"] == 1


def test_one_letter_an_address(held: Ingesting, tmp_path: Path) -> None:
    held.full([norwegian(n, headquarters_address_line="Fellesveien 1") for n in (5, 6, 7)], DAY)
    manifest = export(held, tmp_path / "out")
    kept = held.one("SELECT min(company_id) FROM company")
    assert [int(row["company_id"]) for row in rows_of(manifest)] == [kept]
    assert manifest["excluded"] == {"same_address": 2}


def test_every_candidate_of_the_sample_has_one_outcome(held: Ingesting, tmp_path: Path) -> None:
    sample = bundled_sample()
    held.ingest(sample.csv, "full", SAMPLE_DAY)
    for segment in ("renewal-due", "lapsed", "all"):
        manifest = export(held, tmp_path / "out", segment=segment)
        rows = rows_of(manifest)
        outcomes = manifest["selected"] + sum(manifest["excluded"].values())
        assert manifest["candidates"] == outcomes
        assert manifest["selected"] == len(rows) == manifest["notices"]["complete"]
        assert len({row["unsubscribe_url"] for row in rows}) == len(rows)
        assert all(row["full_notice"] and row["source_notice"] for row in rows)
        held.later(days=91)


def test_an_empty_list_has_its_files(held: Ingesting, tmp_path: Path) -> None:
    held.full([norwegian(1)], DAY)
    manifest = export(held, tmp_path / "out", segment="renewal-due")
    assert exit_code(manifest) == 3
    assert rows_of(manifest) == []
    header = (Path(manifest["directory"]) / "rows.csv").read_text("utf-8").splitlines()[0]
    assert next(csv.reader([header])) == list(ROW_COLUMNS)
    assert written_manifest(manifest)["selected"] == 0


def test_cold_mail_goes_to_nobody(held: Ingesting, tmp_path: Path) -> None:
    held.full([norwegian(1), norwegian(2, legal_country="US", legal_region="US-NY")], DAY)
    manifest = export(held, tmp_path / "out", channel="email")
    assert manifest["excluded"] == {"channel_forbidden": 1, "no_consent": 1}
    assert manifest["by_channel"] == {"email": 0, "post": 1}
    assert exit_code(manifest) == 3
    header = (Path(manifest["directory"]) / "rows.csv").read_text("utf-8").splitlines()[0]
    assert next(csv.reader([header])) == list(CONTACT_ROW_COLUMNS)


def test_without_the_senders_rule_it_is_contact_points_that_lack(
    light: Ingesting, tmp_path: Path
) -> None:
    set_up(light, channel=ChannelSettings(strictest_of=("recipient",)))
    light.full([norwegian(1)], DAY)
    manifest = export(light, tmp_path / "out", channel="email")
    assert manifest["excluded"] == {"no_contact_point": 1}
    assert export(light, tmp_path / "out", channel="phone")["selected"] == 0


def test_a_dry_run_counts_and_leaves_nothing(held: Ingesting, tmp_path: Path) -> None:
    held.full([norwegian(1), company(2, lei_status="LAPSED")], DAY)
    before = held.tables("export", "disclosure", "letter", "run", "audit_event", "sequence")
    manifest = export(held, tmp_path / "out", dry_run=True)
    assert manifest["dry_run"] is True
    assert manifest["export_id"] is None
    assert (manifest["candidates"], manifest["selected"]) == (2, 1)
    assert not (tmp_path / "out").exists()
    assert held.tables(*before) == before
    real = export(held, tmp_path / "out")
    assert real["excluded"] == manifest["excluded"]
    assert real["selected"] == manifest["selected"]


def undecided(found: Settings) -> dict[str, Any]:
    """The example with every decision of the owner taken out."""
    return {
        **dict.fromkeys(("controller", "policy", "links")),
        **dict.fromkeys(("purpose", "assessment", "recipient", "store"), ()),
        "channel_rule": tuple(
            rule.model_copy(update={"accepted_by": None, "accepted_on": None})
            for rule in found.channel_rule
        ),
    }


def test_each_missing_decision_is_named(light: Ingesting, tmp_path: Path) -> None:
    light.full([norwegian(1)], DAY)
    set_up(light, **undecided(light.house.settings))
    with pytest.raises(Refused) as refused:
        export(light, tmp_path / "out")
    said = str(refused.value)
    tables = ("[controller]", "[policy]", "[links]", "[[purpose]]", "[[assessment]]")
    for table in (*tables, "[[recipient]]", "[[channel_rule]]", "[[store]]"):
        assert table in said
    assert not (tmp_path / "out").exists()
    run = light.ask("SELECT state, message FROM runs WHERE flow = 'export'")
    assert run == [{"state": "refused", "message": said}]


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"segment": "transfer"}, "it comes with"),
        ({"segment": "everyone"}, "none of that name"),
        ({"channel": "pigeon"}, "no channel 'pigeon'"),
        ({"format": "docx"}, "no format 'docx'"),
        ({"recipient": "stranger"}, r"\[\[recipient\]\] stranger"),
        ({"purpose": "curiosity"}, r"\[\[purpose\]\] curiosity"),
        ({"countries": ("ZZ",)}, "ZZ is no country"),
        *(({"format": name}, f"{name} comes with a later version") for name in LATER_FORMATS),
    ],
)
@pytest.mark.parametrize("dry_run", [False, True])
def test_what_cannot_be_made_is_refused(
    light: Ingesting, tmp_path: Path, asked: dict[str, Any], said: str, dry_run: bool
) -> None:
    with pytest.raises(Refused, match=said):
        export(light, tmp_path / "out", dry_run=dry_run, **asked)
    assert not (tmp_path / "out").exists()


def test_a_list_needs_a_folder(light: Ingesting, tmp_path: Path) -> None:
    light.full([norwegian(1)], DAY)
    with pytest.raises(Refused, match="--out"):
        export(light, None)
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(Refused, match="Nothing was exported"):
        export(light, tmp_path / "file")
    assert light.ask("SELECT * FROM export") == []
    assert export(light, None, dry_run=True)["selected"] == 1


def test_a_recipient_gets_the_columns_it_may_have(light: Ingesting, tmp_path: Path) -> None:
    printer = Recipient(
        id="printer",
        kind="processor",
        name="Opdigtet Tryk A/S",
        country="DK",
        contract_until=date(2027, 1, 1),
        purposes=("direct_marketing",),
        fields=("legal_name", "address_line_1"),
    )
    set_up(light, recipient=(*light.house.settings.recipient, printer))
    light.full([norwegian(1)], DAY)
    (row,) = rows_of(export(light, tmp_path / "out", recipient="printer"))
    assert (row["lei"], row["country"], row["company_id"]) == ("", "", "")
    assert (row["legal_name"], row["address_line_1"]) == ("Prøvefirma 1 AS", "Prøvefirma 1 AS")
    assert "Opdigtet Tryk A/S" in row["full_notice"]
    left = light.ask("SELECT recipient, fields FROM disclosures")[0]
    assert left["recipient"] == "printer"
    assert "lei" not in left["fields"].split(",")


def test_a_recipient_without_addresses_gets_no_letters(light: Ingesting, tmp_path: Path) -> None:
    analyst = light.house.settings.recipient[0].model_copy(
        update={"id": "analyst", "fields": ("legal_name", "country")}
    )
    set_up(light, recipient=(analyst,))
    with pytest.raises(Refused, match="address_line_1"):
        export(light, tmp_path / "out", recipient="analyst")


def test_a_store_outside_the_eea_is_in_the_notice(light: Ingesting, tmp_path: Path) -> None:
    abroad = Store(id="archive", country="CH", transfer_basis="adequacy decision 2000/518/EC")
    set_up(light, store=(*light.house.settings.store, abroad))
    light.full([norwegian(1)], DAY)
    (row,) = rows_of(export(light, tmp_path / "out"))
    assert "The information is transferred to archive in Switzerland" in row["full_notice"]
    assert "adequacy decision 2000/518/EC" in row["full_notice"]


def test_the_language_is_the_headquarters(light: Ingesting, tmp_path: Path) -> None:
    rules = [
        rule.model_copy(update={"country": "GB"})
        for rule in light.house.settings.channel_rule
        if rule.country == "NO"
    ]
    set_up(
        light,
        protection_flag=(),
        channel_rule=(*light.house.settings.channel_rule, *rules),
    )
    british = {
        "headquarters_city": "London",
        "headquarters_region": "GB-LND",
        "headquarters_country": "GB",
        "headquarters_postal_code": "EC1A 1BB",
    }
    light.full([norwegian(1, **british), company(2, lei_status="LAPSED"), norwegian(3)], DAY)
    manifest = export(light, tmp_path / "out")
    languages = {row["lei"]: row["language"] for row in rows_of(manifest)}
    assert languages == {lei(1): "en", lei(2): "da", lei(3): "da+en"}
    names = {path.name for path in (Path(manifest["directory"]) / "notices").iterdir()}
    assert names == {f"{one}.{end}" for one in languages.values() for end in ("html", "txt")}
    assert manifest["notices"]["languages"] == {"da": 1, "da+en": 1, "en": 1}


def test_a_country_without_an_authority_gets_no_letter(light: Ingesting, tmp_path: Path) -> None:
    known = light.house.settings.authority
    set_up(light, authority=tuple(row for row in known if row.country != "NO"))
    light.full([norwegian(1), norwegian(2, entity_status="INACTIVE")], DAY)
    manifest = export(light, tmp_path / "out")
    assert manifest["excluded"] == {"incomplete_notice": 2}


def test_the_segment_is_filtered_by_country(light: Ingesting, tmp_path: Path) -> None:
    light.full([norwegian(1), company(2, lei_status="LAPSED")], DAY)
    manifest = export(light, tmp_path / "out", countries=("no",))
    assert manifest["candidates"] == 1
    assert manifest["filter"]["countries"] == ["NO"]


def test_a_stopped_company_is_no_other_reason(light: Ingesting, tmp_path: Path) -> None:
    light.full([company(1, lei_status="LAPSED", entity_status="INACTIVE")], DAY)
    stop_lei(light, lei(1))
    assert export(light, tmp_path / "out")["excluded"] == {"suppressed": 1}


def test_a_longer_list_is_written_in_pieces(
    light: Ingesting, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flows.export_rows.CHUNK", 3)
    monkeypatch.setattr("warehouse.exporting._BATCH", 4)
    light.ingest(csv_bytes(norwegian(n) for n in range(1, 12)), "full", DAY)
    told: list[tuple[str, int, int | None]] = []
    manifest = export(light, tmp_path / "out", tell=lambda *stage: told.append(stage))
    rows = rows_of(manifest)
    assert [row["row_id"] for row in rows] == [f"{n:06d}" for n in range(1, 12)]
    assert light.one("SELECT count(*) FROM letter") == 11
    assert light.one("SELECT count(*) FROM disclosure") == 11
    assert [stage for stage in told if stage[0] == "rows"][-1] == ("rows", 11, 11)
    assert [stage[0] for stage in told[-3:]] == ["files", "committed", "published"]
