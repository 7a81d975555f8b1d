"""The configuration is read whole or refused whole, with every error named at once."""

from __future__ import annotations

import subprocess
import sys
import time
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from flows.init_files import config_text
from flows.settings import Settings, load, prefect_environment
from sources.kit.errors import SettingsInvalid

if TYPE_CHECKING:
    from collections.abc import Mapping

ON = date(2026, 11, 1)
EXAMPLE_TEXT = config_text(example=True)
PLAIN_TEXT = config_text(example=False)


@pytest.fixture(autouse=True)
def _empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def read(text: str, environ: Mapping[str, str] | None = None) -> Settings:
    Path("given.toml").write_text(text, encoding="utf-8")
    return load(Path("given.toml"), environ=environ or {})


def errors_of(text: str) -> list[str]:
    with pytest.raises(SettingsInvalid) as invalid:
        read(text)
    return invalid.value.errors


class TestWhereValuesComeFrom:
    def test_without_a_file_the_shipped_defaults_hold_and_nothing_is_decided(self) -> None:
        settings = load(None, environ={})
        assert settings.controller is None
        assert settings.warehouse.url == "sqlite:///var/sourcenote.db"
        assert settings.secret_file == Path("var/sourcenote.key")
        assert len(settings.channel_rule) == 56
        assert not settings.is_example

    def test_a_file_that_was_named_must_be_there(self) -> None:
        with pytest.raises(SettingsInvalid, match="sourcenote init"):
            load(Path("none.toml"), environ={})
        with pytest.raises(SettingsInvalid, match="sourcenote init"):
            load(None, environ={"SOURCENOTE_CONFIG": "none.toml"})

    def test_the_command_line_wins_over_the_environment_over_the_file(self) -> None:
        file = '[warehouse]\nurl = "sqlite:///file.db"'
        environ = {"SOURCENOTE_WAREHOUSE_URL": "postgresql://u@h/environ"}
        Path("sourcenote.toml").write_text(file)
        assert load(None, environ={}).warehouse.url == "sqlite:///file.db"
        assert load(None, environ=environ).warehouse.url == "postgresql+psycopg://u@h/environ"
        given = load(None, environ=environ, warehouse_url="sqlite:///given.db")
        assert given.warehouse.url == "sqlite:///given.db"

    def test_the_state_folder_holds_warehouse_and_keys_unless_told_otherwise(self) -> None:
        settings = load(None, environ={"SOURCENOTE_HOME": "/state"})
        assert settings.warehouse.url == "sqlite:////state/sourcenote.db"
        assert settings.secret_file == Path("/state/sourcenote.key")
        elsewhere = {"SOURCENOTE_HOME": "/state", "SOURCENOTE_SECRET_FILE": "/safe/key"}
        assert load(None, environ=elsewhere).secret_file == Path("/safe/key")

    def test_an_empty_variable_is_as_good_as_none(self) -> None:
        environ = {"SOURCENOTE_HOME": "", "SOURCENOTE_CONFIG": "", "PREFECT_API_URL": ""}
        settings = load(None, environ=environ)
        assert settings.home == Path("var")
        assert settings.prefect_api_url is None

    def test_the_real_environment_is_read_only_by_load(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("SOURCENOTE_HOME", "/state")
        monkeypatch.setenv("home", "/nowhere")
        monkeypatch.setenv("policy", "nonsense")
        assert load(None).home == Path("/state")
        by_hand: dict[str, object] = {}
        assert Settings(**by_hand).home == Path("var")  # type: ignore[arg-type]

    def test_prefect_is_found_by_its_variable(self) -> None:
        environ = {"PREFECT_API_URL": "http://127.0.0.1:4200/api"}
        assert load(None, environ=environ).prefect_api_url == "http://127.0.0.1:4200/api"

    def test_an_api_key_is_found_by_its_usual_or_its_given_name_and_never_shows(self) -> None:
        environ = {"SOURCENOTE_GLEIF_API_KEY": "hush-1", "OTHER": "hush-2"}
        usual = read("", environ)
        assert usual.api_keys["gleif"].get_secret_value() == "hush-1"
        renamed = read('[sources.gleif]\napi_key_env = "OTHER"', environ)
        assert renamed.api_keys["gleif"].get_secret_value() == "hush-2"
        assert "hush" not in repr(renamed)

    def test_a_byte_order_mark_does_no_harm(self) -> None:
        Path("given.toml").write_bytes(b"\xef\xbb\xbf" + PLAIN_TEXT.encode())
        assert load(Path("given.toml"), environ={}).controller is None


class TestWhatIsRefused:
    def test_every_error_is_named_at_once_with_its_place_and_cure(self) -> None:
        text = """
            colour = "blue"
            [controller]
            name = "Invented ApS"
            country = "Danmark"
            telephone = "1"
            [links]
            base_url = "ftp://post.example"
            [[purpose]]
            id = "direct_marketing"
            text = { dk = "typo" }
            [[assessment]]
            purpose = "direct_sales"
            person_category = 4
            author = "A. One"
            approver = "a.  one"
            [[recipient]]
            id = "own"
            kind = "friend"
            purposes = ["direct_sales"]
            [[channel_rule]]
            country = "DK"
            channel = "post"
            recipient_kind = "legal_person"
            accepted_by = "counsel"
            [[retention]]
            id = "person_public"
            delete_after_inactive = ""
            [[retention]]
            id = "visitor"
            inactive_after = "13 months"
            [channel]
            strictest_of = ["sender"]
            [sources.gleiff]
            rate = 0
        """
        found = "\n".join(errors_of(text))
        for expected in (
            "[colour] is not a table here; remove it",
            "[controller] country: write a country as its two capital letters",
            "[controller] telephone: is not a key here; remove it",
            "[links] base_url: write a web address",
            "[[purpose]] direct_marketing text.dk: must be 'da', 'en'",
            "[[assessment]] direct_sales, person_category 4 purpose: names a purpose that no",
            "[[assessment]] direct_sales, person_category 4 approver: must be another person",
            "[[recipient]] own kind: must be 'own', 'processor'",
            "[[recipient]] own purposes: names a purpose that no [[purpose]] has",
            "[[channel_rule]] DK post legal_person accepted_on: is missing",
            "[[retention]] person_public delete_after_inactive: no policy without a delete stage",
            "[[retention]] visitor inactive_after: write a period as P24M",
            '[channel] strictest_of: must hold "recipient"',
            "[sources.gleiff] rate: must be greater than 0",
            "[sources.gleiff]: is not a source; remove it",
        ):
            assert expected in found
        assert len(found.splitlines()) == 15

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("[contoller]", "[contoller] is not a table here; remove it, or did you mean contr"),
            ('home = "/x"', "[home] it is set by SOURCENOTE_HOME; remove it"),
            ('secret_file = "/x"', "[secret_file] it is set by SOURCENOTE_SECRET_FILE; remove it"),
            ("[undecided]", "[undecided] is not a table here; remove it"),
            (
                '[policy]\nverzion = "1"',
                "[policy] verzion: is not a key here; remove it, or did you mean ver",
            ),
            ("[[controller]]", "[controller]: is one table: write [controller] above it"),
            ("[purpose]", "[purpose]: is a list of rows: write [[purpose]] above each"),
            ("purpose = 3", "[purpose]: is a list of rows: write [[purpose]] above each"),
            (
                "[channel_rule]",
                "[channel_rule]: is a list of rows: write [[channel_rule]] above each",
            ),
            ("warehouse = 3", "[warehouse]: is one table: write [warehouse] above it"),
            ("[[purpose]]\ntext = {}", "[[purpose]] number 1 id: is missing; add it"),
            ("[scope]\ncountries = ['dk']", "[scope] countries.0: write a country as its two"),
            ("[[scope.no_lei]]\ncountry = 'dk'", "[scope] no_lei.0.country: write a country as"),
            ("[[scope.no_lei]]", "[scope] no_lei.0.country: is missing; add it"),
            (
                "[[scope.no_lei]]\ncountry = 'DK'\nmin_employees = -1",
                "[scope] no_lei.0.min_employees: must be greater than or equal to 0",
            ),
            (
                "[[scope.no_lei]]\ncountry = 'DK'\nlegal_from = ['ZRPO']",
                "[scope] no_lei.0.legal_from: is not a key here; remove it",
            ),
            (
                "[deletion_cap]\nmax_share = 1.5",
                "[deletion_cap] max_share: must be less than or equal to 1",
            ),
            ("[policy]\nvalid_from = 2026", "[policy] valid_from: write a date such as 2026-11-01"),
        ],
    )
    def test_a_slip_is_named_with_its_cure(self, text: str, expected: str) -> None:
        (found,) = errors_of(text)
        assert found.startswith(expected)

    @pytest.mark.parametrize(
        ("table", "row"),
        [
            ("purpose", 'id = "a"\ntext = { en = "x" }'),
            ("recipient", 'id = "a"'),
            ("store", 'id = "a"\ncountry = "DK"'),
            ("channel_rule", 'country = "DK"\nchannel = "post"\nrecipient_kind = "legal_person"'),
            ("retention", 'id = "person_public"'),
        ],
    )
    def test_a_row_given_twice_is_refused(self, table: str, row: str) -> None:
        found = errors_of(f"[[{table}]]\n{row}\n[[{table}]]\n{row}")
        assert any("is there more than once; keep one" in line for line in found)

    def test_an_assessment_may_be_renewed_by_a_second_row(self) -> None:
        held = "[[assessment]]" + EXAMPLE_TEXT.split("[[assessment]]")[1].split("# Who may")[0]
        renewed = held.replace("2099-12-31", "2100-12-31").replace("2020-01-01", "2026-10-01")
        settings = read(EXAMPLE_TEXT + renewed)
        newest = settings.approved_assessment("direct_marketing", 4, ON)
        assert newest is not None
        assert newest.approved_on == date(2026, 10, 1)

    @pytest.mark.parametrize("period", ["", "never", "P", "24M"])
    def test_no_retention_row_may_lose_its_delete_stage(self, period: str) -> None:
        (found,) = errors_of(
            f'[[retention]]\nid = "company_public"\ndelete_after_inactive = "{period}"',
        )
        assert "no policy without a delete stage" in found

    def test_a_retention_row_must_be_able_to_become_inactive(self) -> None:
        (found,) = errors_of('[[retention]]\nid = "landing"\ninactive_when = []')
        assert "[[retention]] landing inactive_when: give inactive_after" in found

    def test_a_new_retention_row_without_a_delete_stage_is_refused(self) -> None:
        found = errors_of('[[retention]]\nid = "mine"\ninactive_after = "P1M"')
        assert any("no policy without a delete stage" in line for line in found)

    def test_an_assessment_that_ends_before_it_begins_is_refused(self) -> None:
        text = EXAMPLE_TEXT.replace("approved_on = 2020-01-01", "approved_on = 2099-12-31")
        (found,) = errors_of(text)
        assert found.endswith("expires_on: must be later than approved_on")

    def test_no_value_is_ever_repeated(self) -> None:
        text = """
            api_key = "hush-1"
            [warehouse]
            url = "mysql://login:hush-2@db.example/x"
            [sources.gleif]
            api_key = "hush-3"
            base_url = "https://login:hush-4@gleif.example"
            rate = "hush-5"
        """
        assert "hush" not in "\n".join(errors_of(text))

    @pytest.mark.parametrize("content", [b'[controller\nname = "hush"', b"\xff\xfe", b'a = "\x00"'])
    def test_a_file_that_is_not_toml_is_refused_by_name(self, content: bytes) -> None:
        Path("given.toml").write_bytes(content)
        with pytest.raises(SettingsInvalid, match=r"given\.toml.*the file is not") as invalid:
            load(Path("given.toml"), environ={})
        assert "hush" not in str(invalid.value)

    def test_a_folder_is_no_file(self) -> None:
        Path("folder").mkdir()
        with pytest.raises(SettingsInvalid, match="cannot be read"):
            load(Path("folder"), environ={})

    def test_a_bad_address_from_the_environment_is_refused_too(self) -> None:
        with pytest.raises(SettingsInvalid, match=r"\[warehouse\] url") as invalid:
            load(None, environ={"SOURCENOTE_WAREHOUSE_URL": "oracle://u:hush@h"})
        assert "hush" not in str(invalid.value)


class TestPrefect:
    def test_its_state_stays_with_ours_and_it_tells_nobody(self) -> None:
        environ = prefect_environment(Path("state"))
        assert environ["PREFECT_HOME"] == str(Path.cwd() / "state" / "prefect")
        assert environ["DO_NOT_TRACK"] == "1"
        assert environ["PREFECT_SERVER_ANALYTICS_ENABLED"] == "false"
        assert environ["PREFECT_RESULTS_PERSIST_BY_DEFAULT"] == "false"


class TestLightness:
    def test_importing_settings_brings_nothing_heavy(self) -> None:
        code = (
            "import sys, flows.settings as s; s.load(None, environ={});"
            "print([m for m in ('numpy', 'pandas', 'pyarrow', 'prefect', 'sqlalchemy',"
            " 'great_expectations', 'requests') if m in sys.modules])"
        )
        root = Path(__file__).parents[2]
        started = time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True
        )
        assert done.stdout.strip() == "[]"
        # A quarter of a second here; the bound is loose because other work shares the machine.
        assert time.perf_counter() - started < 3
