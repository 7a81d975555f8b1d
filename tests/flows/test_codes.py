"""`gleif-codes`: what ships, what a delivery brings, the words analysts and `explain` see."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from ingesting import Ingesting, company, lei, opened, outcomes, quiet
from our_command import runner

from flows import explain_steps, ingest_run
from flows.ingest_report import Report, Request
from sources.kit.code_words import built_in
from sources.kit.errors import DeliveryRefused
from sources.kit.identity import _rules
from sources.kit.standin_api import Api, ApiStandIn
from warehouse import codes
from warehouse.engine import writing

pytestmark = pytest.mark.usefixtures("in_a_hurry")

PUBLISHED = datetime(2026, 11, 2, 8, tzinfo=UTC)
CHANNEL_COUNTRIES = {"DK", "SE", "NO", "FI", "EE", "LV", "LT", "DE", "FR", "NL"}


def form(code: str, *names: str, **more: Any) -> dict[str, Any]:
    """A legal form as the API gives it; names by language, such as `da:Prøveselskab`."""
    listed = [
        {"localName": name, "languageCode": language, "language": language}
        for language, name in (text.split(":") for text in names)
    ]
    return {"code": code, "countryCode": "DK", "status": "ACTV", "names": listed, **more}


def authority(code: str, name: str | None, **more: Any) -> dict[str, Any]:
    where = [{"country": "Denmark", "countryCode": "DK", "jurisdiction": "Denmark"}]
    return {"code": code, "localName": name, "website": None, "jurisdictions": where, **more}


FORMS = [form("TES1", "da:Prøveselskab", "en:Test company"), form("TES2", "da:Prøvefond"),
         form("8888")]  # fmt: skip
AUTHORITIES = [authority("RA000170", "Prøveregister"), authority("RA900001", "Andet register")]


class Lists:
    """A house, and the two lists that an API serves it."""

    def __init__(self, place: Ingesting, standin: ApiStandIn) -> None:
        self.place, self.api, self.base_url = place, standin.api, standin.base_url

    def serve(self, forms: list[Any] = FORMS, authorities: list[Any] = AUTHORITIES) -> None:
        self.api.lists = {"entity-legal-forms": forms, "registration-authorities": authorities}

    def ingest(self) -> Report:
        self.place.later(hours=1)
        request = Request("gleif-codes", base_url=self.base_url)
        return ingest_run.run(self.place.house, request, quiet)

    def words(self, view: str = "legal_forms") -> list[str]:
        return [row["in_words"] for row in self.place.ask(f"SELECT * FROM {view} ORDER BY code")]


@pytest.fixture
def lists(warehouse_url: str, tmp_path: Path) -> Iterator[Lists]:
    with ExitStack() as stack:
        place = stack.enter_context(opened(warehouse_url, tmp_path))
        standin = stack.enter_context(ApiStandIn(Api(PUBLISHED, most_per_page=2)))
        found = Lists(place, standin)
        found.serve()
        yield found


def test_what_ships_is_cited_and_covers_the_channel_rules() -> None:
    shipped = built_in()
    assert {form.country for form in shipped.codes.forms} == CHANNEL_COUNTRIES
    assert {register.countries for register in shipped.codes.authorities} == CHANNEL_COUNTRIES
    assert "2023-09-28" in shipped.forms_citation
    assert "gleif.org" in shipped.authorities_citation
    natural: dict[str, str] = _rules()["natural"]["legal_forms"]
    for one in shipped.codes.forms:  # two lists of ours say the same of the same code
        if one.code in natural:
            assert natural[one.code] == f"{one.country}: {one.names[0].local_name}"


def test_before_anything_is_ingested_the_words_that_ship_are_shown(lists: Lists) -> None:
    words = lists.words()
    assert "Anpartsselskab (H8VP)" in words
    assert len(words) == len(built_in().codes.forms)
    assert "CVR (RA000170)" in lists.words("registration_authorities")
    row = lists.place.ask("SELECT * FROM legal_forms WHERE code = 'DKUW'")
    assert [(one["name"], one["delivery_id"]) for one in row] == [("Osakeyhtiö", None)]
    assert row[0]["citation"]


def test_lists_are_loaded_counted_and_told_with_their_origin(lists: Lists) -> None:
    report = lists.ingest()
    assert (report.status, outcomes(report)) == ("loaded", {"new": 5})
    assert report.published_at == PUBLISHED
    assert lists.words() == ["8888", "Prøveselskab (TES1)", "Prøvefond (TES2)"]
    assert lists.words("registration_authorities") == [
        "CVR (RA000170)",  # the short name is ours, and stays
        "Andet register (RA900001)",
    ]
    (row,) = lists.place.ask("SELECT * FROM legal_forms WHERE code = 'TES1'")
    assert (row["source_id"], row["delivery_id"], row["citation"]) == ("gleif-codes", 1, None)
    assert str(row["published_at"]).startswith("2026-11-02 08:00")
    listed = lists.place.ask("SELECT language, name FROM code_words WHERE code = 'TES1'")
    assert {(one["language"], one["name"]) for one in listed} == {
        ("da", "Prøveselskab"),
        ("en", "Test company"),
    }


def test_the_same_again_is_unchanged(lists: Lists) -> None:
    lists.ingest()
    before = lists.place.tables("legal_form", "registration_authority")
    report = lists.ingest()
    assert (report.status, outcomes(report)) == ("unchanged", {"unchanged": 5})
    assert lists.place.tables("legal_form", "registration_authority") == before


def test_a_changed_word_keeps_the_old_one_with_its_dates(lists: Lists) -> None:
    lists.ingest()
    since = lists.place.house.now()
    changed = [form("TES1", "da:Nyt ord", "en:Test company"), form("TES2"), *FORMS[2:]]
    lists.serve(changed, [authority("RA000170", "Nyt register"), AUTHORITIES[1]])
    report = lists.ingest()
    until = lists.place.house.now()
    assert outcomes(report) == {"changed": 3, "unchanged": 2}
    assert lists.words() == ["8888", "Nyt ord (TES1)", "TES2"]
    told = lists.place.tables("legal_form")["legal_form"]
    assert [
        (row["local_name"], row["version"], row["since_at"], row["until_at"])
        for row in sorted(told, key=lambda row: row["version"])
        if row["code"] == "TES1" and row["place"] == 0
    ] == [("Prøveselskab", 1, since, until), ("Nyt ord", 2, until, None)]
    lists.serve(FORMS)
    assert outcomes(lists.ingest()) == {"changed": 3, "unchanged": 2}
    assert lists.words()[1] == "Prøveselskab (TES1)"


def test_a_code_that_is_missing_stays(lists: Lists) -> None:
    lists.ingest()
    lists.place.change(sources={})
    lists.serve(FORMS, [AUTHORITIES[0], authority("RA900002", "Tredje register")])
    assert outcomes(lists.ingest()) == {"new": 1, "unchanged": 4}
    assert len(lists.words("registration_authorities")) == 3


def test_an_older_publication_changes_nothing(lists: Lists) -> None:
    lists.ingest()
    before = lists.words()
    lists.api.published_at = datetime(2026, 10, 1, tzinfo=UTC)
    lists.serve([form("TES1", "da:Gammelt ord"), *FORMS[1:]])
    report = lists.ingest()
    assert (report.status, outcomes(report)) == ("unchanged", {"stale": 1, "unchanged": 4})
    assert lists.words() == before


def test_a_bad_entry_is_quarantined_and_a_repeated_one_superseded(lists: Lists) -> None:
    lists.serve(
        [*FORMS, FORMS[0], form("tes3", "da:Lille"), form("TES2", "da:Andet ord"), form("TES4")],
        [*AUTHORITIES, authority("RA1", "Kort"), {**AUTHORITIES[0], "code": "RA900003",
                                                  "localName": 7}],
    )  # fmt: skip
    report = lists.ingest()
    assert outcomes(report) == {"new": 6, "superseded": 1, "quarantined": 4}
    assert report.quarantined_by_rule == {
        "code_is_well_formed": 2,
        "code_is_unique": 1,
        "words_are_text": 1,
    }
    rows = lists.place.ask("SELECT rule, content, byte_offset FROM quarantined")
    assert len(rows) == 4
    sha = report.sha256 or ""
    landed = (lists.place.house.landing_root / sha[:2] / f"{sha}.bin").read_bytes()
    for row in rows:
        key = json.loads(row["content"])["id"]
        assert landed[row["byte_offset"] :].startswith(f'"id": "{key}"'.encode())
    assert outcomes(lists.ingest()) == {"unchanged": 6, "superseded": 1, "quarantined": 4}
    assert lists.place.one("SELECT count(*) AS n FROM quarantined") == 4


@pytest.mark.parametrize("empty", ["forms", "authorities"])
def test_an_empty_list_stops_the_delivery(lists: Lists, empty: str) -> None:
    lists.serve(**{empty: []})
    words = lists.words()
    with pytest.raises(DeliveryRefused, match="one of its two lists is empty"):
        lists.ingest()
    assert lists.words() == words
    assert lists.place.one("SELECT status FROM deliveries") == "refused"


@pytest.mark.parametrize("fault", ["missing", "not_json", "endless", "loop", "foreign"])
def test_a_fault_of_the_api_leaves_the_words_as_they_were(lists: Lists, fault: str) -> None:
    before = lists.place.state()
    lists.api.misbehave(fault)
    with pytest.raises(Exception, match=r"api/v1|the API's answer|Source gleif-codes"):
        lists.ingest()
    assert lists.place.state() == before


def test_words_that_ship_are_renewed_by_an_upgrade_but_never_over_a_delivery(
    lists: Lists,
) -> None:
    shipped = lists.place.tables("legal_form")
    with writing(lists.place.house.engine) as connection:
        codes.seed(connection)
    assert lists.place.tables("legal_form") == shipped
    lists.ingest()
    words = lists.words()
    with writing(lists.place.house.engine) as connection:
        codes.seed(connection)
    assert lists.words() == words


def test_analysts_and_explain_see_the_words(lists: Lists) -> None:
    lists.place.full([company(1, legal_form="H8VP")], "2026-11-02")
    joined = lists.place.ask(
        "SELECT f.in_words AS form, a.in_words AS register FROM prospects p"
        " JOIN legal_forms f ON f.code = p.legal_form"
        " JOIN registration_authorities a ON a.code = p.registration_authority"
    )
    assert joined == [{"form": "Anpartsselskab (H8VP)", "register": "CVR (RA000170)"}]
    assert explained(lists) == {
        "legal_form": "Anpartsselskab (H8VP)",
        "registration_authority": "CVR (RA000170)",
        "validation_authority": "CVR (RA000170)",
    }
    before = lists.place.house.now()
    lists.serve([form("H8VP", "da:Nyt ord")])
    lists.ingest()
    assert explained(lists)["legal_form"] == "Nyt ord (H8VP)"
    assert explained(lists, before)["legal_form"] == "Anpartsselskab (H8VP)"


def explained(lists: Lists, as_of: datetime | None = None) -> dict[str, str]:
    found = explain_steps.explain(lists.place.house, lei(1), as_of)
    (told,) = found["companies"]
    return {value["field"]: value["in_words"] for value in told["values"] if "in_words" in value}


def test_the_commands_treat_it_like_any_source(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    url = f"sqlite:///{tmp_path / 'warehouse.db'}"
    api = Api(PUBLISHED, forms=FORMS, authorities=AUTHORITIES)
    with opened(url, tmp_path) as place, ApiStandIn(api) as standin:
        place.full([company(1, legal_form="H8VP")], "2026-11-02")
        run = runner(tmp_path, monkeypatch, capsys, url)
        told = run("explain", lei(1))
        assert "Anpartsselskab (H8VP)" in told.text
        assert "CVR (RA000170)" in told.text
        planned = run("ingest", "gleif-codes", "--base-url", standin.base_url, "--dry-run")
        assert (planned.code, api.requests) == (0, [])
        done = run("ingest", "gleif-codes", "--base-url", standin.base_url, "--json")
        assert (done.code, done.document["counts"]["records_new"]) == (0, 5)
        again = run("ingest", "gleif-codes", "--base-url", standin.base_url)
        assert "unchanged: nothing in it differs" in again.text
        held = {one["source_id"]: one for one in run("sources", "--json").document["sources"]}
        assert (held["gleif-codes"]["records"], held["gleif"]["records"]) == (5, 1)
        assert run("status").code == 0
        kept = place.house.landing_root / done.document["sha256"][:2]
        (landed,) = kept.glob("*.bin")
        by_file = run("ingest", "gleif-codes", "--file", landed, "--json")
        assert by_file.document["status"] == "unchanged"
        assert by_file.document["published_at"].startswith("2026-11-02T08:00")
        assert run("ingest", "gleif-codes", "--file", landed, "--kind", "delta").code == 1
