"""The import contracts of pyproject.toml keep a good house and catch each bad import."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

from house_rules import ROOMS

ROOT = Path(__file__).resolve().parents[1]
GOOD = {
    "flows/ingest.py": [
        "prefect",
        "sources.gleif",
        "checks.arrivals",
        "warehouse.load",
        "portal.app",
    ],
    "flows/alerts.py": ["requests"],
    "sources/kit/session.py": ["requests", "sources.kit.errors"],
    "sources/kit/errors.py": [],
    "sources/gleif.py": ["sources.kit.session", "pyarrow"],
    "sources/gleif_rows.py": ["sources.kit.errors"],
    "checks/arrivals.py": ["great_expectations", "sources.kit.errors", "notices.text"],
    "warehouse/load.py": ["sqlalchemy", "sqlite3", "psycopg", "sources.kit.errors"],
    "warehouse/privacy/audit.py": ["sources.kit.errors"],
    "notices/text.py": ["sources.kit.errors"],
    "portal/app.py": ["starlette", "warehouse.load", "notices.text", "sources.gleif"],
}
BAD = [
    ("sources/kit/session.py", "sources.gleif"),
    ("sources/gleif.py", "warehouse.load"),
    ("sources/gleif.py", "notices.text"),
    ("checks/arrivals.py", "warehouse.load"),
    ("checks/arrivals.py", "sources.gleif"),
    ("checks/arrivals.py", "prefect"),
    ("warehouse/load.py", "checks.arrivals"),
    ("warehouse/load.py", "notices.text"),
    ("warehouse/load.py", "requests"),
    ("warehouse/privacy/audit.py", "sources.gleif_rows"),
    ("notices/text.py", "flows.ingest"),
    ("notices/text.py", "sqlalchemy"),
    ("portal/app.py", "flows.ingest"),
    ("portal/app.py", "fastapi"),
    ("portal/app.py", "great_expectations"),
    ("flows/ingest.py", "adbc_driver_sqlite"),
    ("flows/ingest.py", "sqlite3"),
    ("flows/ingest.py", "requests"),
    ("flows/ingest.py", "starlette"),
]


def verdict(house: Path, bad: list[tuple[str, str]]) -> str:
    """Build a house of GOOD and `bad` imports in `house` and return what lint-imports says."""
    shutil.copy(ROOT / "pyproject.toml", house)
    for folder in (*ROOMS, "sources/kit", "warehouse/privacy"):
        (house / folder).mkdir(parents=True)
        (house / folder / "__init__.py").touch()
    for path, imports in GOOD.items():
        wanted = imports + [module for where, module in bad if where == path]
        (house / path).write_text("".join(f"import {module}\n" for module in wanted))
    linter = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run(
        [linter, "--no-cache"], cwd=house, capture_output=True, text=True, check=False
    )
    return done.stdout + done.stderr


def test_a_good_house_is_kept(tmp_path: Path) -> None:
    said = verdict(tmp_path, [])
    assert "BROKEN" not in said
    assert re.search(r"(\d+) kept, 0 broken", said), said


def test_every_contract_can_be_broken(tmp_path: Path) -> None:
    said = verdict(tmp_path, BAD)
    assert re.search(r"\b0 kept, (\d+) broken", said), said
    for path, module in BAD:
        importer = path.removesuffix(".py").replace("/", ".")
        assert f"{importer} -> {module} (l." in said
