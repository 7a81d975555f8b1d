"""The house holds to its own rules, and each rule is shown to catch what it forbids."""

from __future__ import annotations

import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import house_rules
import our_files
import pytest
from house_rules import CODE_RULES, ROOMS, Rule
from our_files import Source
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
OURS = our_files.read(ROOT)
CODE = [source for source in OURS if source.path.endswith(".py")]
LONG_FUNCTION = '"""One."""\n\n\ndef work() -> None:\n' + "    a = 1\n" * 41


def judge(rule: Rule, sources: list[Source]) -> list[str]:
    return [f"{source.path}:{finding}" for source in sources for finding in rule(source)]


@pytest.mark.parametrize("rule", CODE_RULES, ids=lambda rule: rule.__name__)
def test_our_code(rule: Rule) -> None:
    assert judge(rule, CODE) == []


def test_our_files_name_nothing_of_one_machine() -> None:
    assert judge(house_rules.nothing_of_one_machine, OURS) == []


FORBIDDEN = [
    ("environment_is_read_once", "flows/ingest.py", "import os\nos.environ['HOME']"),
    ("environment_is_read_once", "flows/ingest.py", "from os import getenv as g\ng('HOME')"),
    ("environment_is_read_once", "sources/x.py", "import os as o\no.getenv('HOME')"),
    ("time_is_asked_at_entrances", "checks/x.py", "import time\ntime.time()"),
    ("time_is_asked_at_entrances", "checks/x.py", "from datetime import date as d\nd.today()"),
    ("time_is_asked_at_entrances", "notices/x.py", "import datetime\ndatetime.datetime.now()"),
    ("time_is_asked_at_entrances", "warehouse/x.py", "import sqlalchemy as sa\nsa.func.now()"),
    ("time_is_asked_at_entrances", "warehouse/x.py", "q = 'SELECT datetime(\\'now\\')'"),
    ("chance_comes_in", "warehouse/x.py", "import secrets\nsecrets.token_hex()"),
    ("chance_comes_in", "sources/x.py", "from uuid import uuid4\nuuid4()"),
    ("output_is_the_commands", "flows/ingest.py", "print('loaded')"),
    ("module_opens_with_one_sentence", "notices/x.py", "x = 1"),
    ("module_opens_with_one_sentence", "bench/x.py", '"""No full stop"""'),
    ("module_opens_with_one_sentence", "notices/x.py", '"""One. Two."""'),
    ("sizes_are_kept", "portal/x.py", '"""One."""\n' + "a = 1\n" * 300),
    ("sizes_are_kept", "portal/x.py", LONG_FUNCTION),
    ("countries_are_data", "notices/x.py", "if country == 'DK': pass"),
    ("countries_are_data", "notices/x.py", "if row['country'] in {'DK', 'SE'}: pass"),
    ("countries_are_data", "notices/x.py", "if 'DK' == row.country_code: pass"),
    ("countries_are_data", "notices/x.py", "match country:\n    case 'DK': pass"),
    ("sources_are_strangers", "sources/gleif.py", "from sources.brreg import parse"),
    ("sources_are_strangers", "sources/gleif.py", "from sources import brreg"),
    ("sources_are_strangers", "sources/gleif.py", "def f():\n    import sources.brreg_rows"),
    ("sources_are_strangers", "sources/gleif.py", "from . import gleif_rows"),
    ("sources_are_strangers", "sources/gleif.py", "from sources.gleif2 import parse"),
]
ALLOWED = [
    ("environment_is_read_once", "flows/settings.py", "import os\nos.environ['HOME']"),
    ("environment_is_read_once", "bench/run.py", "import os\nos.environ['HOME']"),
    ("time_is_asked_at_entrances", "flows/x.py", "import time\ntime.time()"),
    ("time_is_asked_at_entrances", "checks/x.py", "import time\ntime.monotonic()"),
    ("chance_comes_in", "sources/x.py", "def f(secrets):\n    return secrets.newest"),
    ("output_is_the_commands", "flows/cli/status.py", "print('fine')"),
    ("module_opens_with_one_sentence", "notices/x.py", '"""One, as in Art. 30\nGDPR.\n\nTwo."""'),
    ("countries_are_data", "notices/x.py", "if rule.country == company.country: pass"),
    ("sizes_are_kept", "warehouse/migrations/versions/0001_x.py", "a = 1\n" * 301),
    ("sources_are_strangers", "sources/kit/catalogue.py", "import sources"),
    ("sources_are_strangers", "sources/gleif.py", "from sources.kit import card"),
    ("sources_are_strangers", "sources/gleif.py", "from sources.gleif_rows import parse"),
    ("sources_are_strangers", "sources/gleif.py", "from sources import gleif_rows"),
]


@pytest.mark.parametrize(("rule", "path", "text"), FORBIDDEN)
def test_rule_catches(rule: str, path: str, text: str) -> None:
    assert judge(getattr(house_rules, rule), [Source(path, text, family="gleif")])


@pytest.mark.parametrize(("rule", "path", "text"), ALLOWED)
def test_rule_allows(rule: str, path: str, text: str) -> None:
    assert judge(getattr(house_rules, rule), [Source(path, text, family="gleif")]) == []


@pytest.mark.parametrize(
    "text",
    [
        "/wo" + "rk/main",
        "at ../sha" + "red/data",
        "https://py" + "pi.org/simple",
        "--index" + "-url x",
    ],
)
def test_foreign_address_is_caught(text: str) -> None:
    assert judge(house_rules.nothing_of_one_machine, [Source("docs/x.md", text)])


def test_a_helper_of_a_source_belongs_to_it(tmp_path: Path) -> None:
    for name in ("gleif.py", "gleif_rows.py", "brreg.py", "sky_news.py", "kit/card.py"):
        file = tmp_path / "sources" / name
        file.parent.mkdir(exist_ok=True, parents=True)
        file.write_text("")
    families = {source.path: source.family for source in our_files.read(tmp_path)}
    assert families == {
        "sources/brreg.py": "brreg",
        "sources/gleif.py": "gleif",
        "sources/gleif_rows.py": "gleif",
        "sources/kit/card.py": "kit",
        "sources/sky_news.py": "sky_news",
    }


def test_our_files_are_found_with_git_and_without(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("")
    (tmp_path / "var").mkdir()
    (tmp_path / "var" / "b.py").write_text("")
    (tmp_path / ".gitignore").write_text("var/\n")
    expected = [tmp_path / ".gitignore", tmp_path / "a.py"]
    assert our_files.tracked_files(tmp_path) == expected
    if shutil.which("git"):
        subprocess.run(["git", "init", "-q", tmp_path], check=True)
        assert our_files.tracked_files(tmp_path) == expected


def test_rooms_say_what_they_are_and_tests_have_no_packages() -> None:
    paths = {source.path for source in CODE}
    assert {f"{room}/__init__.py" for room in ROOMS} <= paths
    assert [path for path in paths if re.match(r"tests/.*__init__\.py$", path)] == []


def test_pins_are_complete_and_hashed() -> None:
    """Both README commands install from constraints.txt alone."""
    blocks = re.split(r"\n(?=\S)", (ROOT / "constraints.txt").read_text().replace("\\\n", ""))
    pins = {}
    for block in filter(None, map(str.strip, blocks)):
        if block.startswith("#"):
            continue
        pin = re.fullmatch(r"([a-z0-9-]+)==(\S+)( ; [^-]+)?(\s+--hash=sha256:[0-9a-f]{64})+", block)
        assert pin, block[:80]
        pins[pin[1]] = pin[2]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = [*project["dependencies"], *project["optional-dependencies"]["dev"]]
    for requirement in map(Requirement, wanted):
        name = canonicalize_name(requirement.name)
        assert requirement.specifier.contains(pins.get(name, "0")), requirement


def test_one_licence() -> None:
    assert (
        "Apache License\n                           Version 2.0" in (ROOT / "LICENSE").read_text()
    )
