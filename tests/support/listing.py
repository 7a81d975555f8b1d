"""Companies that letters may reach, the lists made of them, and what such a list says."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ingesting import Ingesting, Row, company, quiet

from flows.export_rows import LINK_KEYS
from flows.export_steps import ExportRequest, run
from notices.tokens import token_digest, verify_token
from warehouse.engine import writing
from warehouse.privacy import suppression

Tell = Callable[[str, int, int | None], None]
Manifest = dict[str, Any]


def norwegian(number: int, **changes: str) -> Row:
    """Return a company whose register has no marketing protection, at an address of its own."""
    words = {
        "legal_name": f"Prøvefirma {number} AS",
        "legal_address_language": "nb",
        "legal_region": "NO-03",
        "legal_country": "NO",
        "legal_postal_code": "0150",
        "headquarters_address_line": f"Prøveveien {number}",
        "headquarters_city": "Oslo",
        "headquarters_region": "NO-03",
        "headquarters_country": "NO",
        "headquarters_postal_code": "0150",
        "legal_jurisdiction": "NO",
        "lei_status": "LAPSED",
        "next_renewal_published": "2026-05-01T00:00:00Z",
    }
    return company(number, **{**words, **changes})


def export(
    held: Ingesting, out: Path | None, *, tell: Tell = quiet, dry_run: bool = False, **changes: Any
) -> Manifest:
    """Export a segment by post to ourselves, `lapsed` unless told otherwise."""
    asked: dict[str, Any] = {
        "segment": "lapsed",
        "channel": "post",
        "purpose": "direct_marketing",
        "recipient": "own",
        "out": out,
    }
    return run(held.house, ExportRequest(**{**asked, **changes}), tell, dry_run=dry_run)


def rows_of(manifest: Manifest) -> list[dict[str, str]]:
    """Return the list's rows as its file holds them."""
    path = Path(manifest["directory"]) / "rows.csv"
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def written_manifest(manifest: Manifest) -> Manifest:
    """Return the manifest as its file holds it."""
    path = Path(manifest["directory"]) / "manifest.json"
    found: Manifest = json.loads(path.read_text("utf-8"))
    return found


def digest_of(held: Ingesting, link: str) -> str:
    """Return what is stored for a row's link."""
    keys = held.house.keys.derive(LINK_KEYS).by_version
    random16 = verify_token(link.rpartition("/")[2], [keys[version] for version in sorted(keys)])
    assert random16 is not None, "a link of the list does not verify"
    return token_digest(random16)


def stop(held: Ingesting, link: str) -> None:
    """Say stop by a row's link, as the portal does."""
    with writing(held.house.engine) as connection:
        digest = digest_of(held, link)
        assert suppression.stop_by_link(connection, digest, now=held.house.now())


def stop_lei(held: Ingesting, lei: str) -> None:
    """Say stop for an LEI, as `suppress add` does."""
    with writing(held.house.engine) as connection:
        suppression.add(
            connection,
            held.house.keys,
            "lei",
            lei,
            reason="asked by telephone",
            origin="command",
            actor="tester",
            now=held.house.now(),
        )


def left_over(folder: Path) -> list[str]:
    """Return hidden or partial entries under a folder."""
    return sorted(
        path.name for path in folder.rglob("*") if path.name.startswith(".") or ".rest" in path.name
    )
