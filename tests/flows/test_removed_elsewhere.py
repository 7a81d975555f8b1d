"""`Fjernet` reaches what is held beside the record: quarantined rows, files kept as received."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from registering import Registers, registers

from sources.kit.errors import Refused
from sources.kit.sample_registers import bundled_registers

FIRM = bundled_registers().of("brreg", "role", has_lei=True)[0]
MAIL = str(FIRM.value_of("email"))


@pytest.fixture
def place(warehouse_url: str, tmp_path: Path) -> Iterator[Registers]:
    with registers(warehouse_url, tmp_path) as found:
        yield found


def state_a_number(place: Registers, companies: int) -> None:
    """So many companies' LEI records state the firm's number."""
    norwegian = {"legal_country": "NO", "legal_region": "", "registration_authority": "RA000472"}
    rows = [place.row(n, FIRM, **norwegian) for n in range(1, companies + 1)]
    place.held.full(rows, "2026-11-01")


def remove(place: Registers) -> None:
    place.held.later(hours=1)
    place.by_id["brreg"].remove(FIRM.number, place.held.house.now() - timedelta(minutes=1))
    place.ingest("brreg")


def files_with(folder: Path, text: str) -> list[str]:
    """Files that hold the text as it is, the database's own among them."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return [path.name for path in files if text.encode() in path.read_bytes()]


def test_a_row_that_was_only_ever_quarantined_goes(place: Registers, tmp_path: Path) -> None:
    state_a_number(place, 2)
    place.ingest("brreg")
    query = "SELECT quarantine_id FROM quarantined_row WHERE source_key = :number"
    assert len(place.held.ask(query, number=FIRM.number)) == 1
    remove(place)
    assert place.held.ask(query, number=FIRM.number) == []
    assert files_with(tmp_path, MAIL) == []
    reasons = place.held.ask("SELECT table_name, reason FROM deletion_log")
    assert {"table_name": "quarantined_row", "reason": "source_erased"} in reasons


def test_files_kept_as_received_go_with_what_they_may_hold(
    place: Registers, tmp_path: Path
) -> None:
    own = place.held.house.settings.sources
    kept = {**own, "brreg": own["brreg"].model_copy(update={"landing_retention": "P35D"})}
    place.held.change(sources=kept)
    state_a_number(place, 1)
    place.ingest("brreg")
    landed = len(list(place.held.house.landing_root.rglob("*.bin")))
    place.held.later(hours=1)
    place.ingest("brreg")  # the feed so far: nothing of the sample is held that it removes
    assert len(list(place.held.house.landing_root.rglob("*.bin"))) >= landed
    remove(place)
    assert len(list(place.held.house.landing_root.rglob("*.bin"))) < landed
    assert files_with(tmp_path, MAIL) == []


def test_an_older_file_by_hand_brings_nothing_back(place: Registers, tmp_path: Path) -> None:
    state_a_number(place, 1)
    place.ingest("brreg")
    path = tmp_path / "enheter_2026-11-02T04-00-00.json.gz"
    path.write_bytes(place.by_id["brreg"].bulk)
    remove(place)
    landed = len(list(place.held.house.landing_root.rglob("*.bin")))
    with pytest.raises(Refused, match="removed since"):
        place.ingest("brreg", file=path)
    assert place.held.ask("SELECT * FROM contact_points WHERE value = :mail", mail=MAIL) == []
    assert len(list(place.held.house.landing_root.rglob("*.bin"))) == landed
