"""One letter a group: of companies under one ultimate parent the first on the list gets it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import group_rows
import pytest
from group_rows import DIRECT, ULTIMATE, relationship
from ingesting import Ingesting, lei, opened
from listing import export, norwegian, rows_of

DAY = "2026-11-02"


@pytest.fixture
def held(warehouse_url: str, tmp_path: Path) -> Iterator[Ingesting]:
    with opened(warehouse_url, tmp_path) as found:
        yield found


def written_to(held: Ingesting, out: Path) -> tuple[list[str], dict[str, int]]:
    manifest = export(held, out)
    excluded: dict[str, int] = manifest["excluded"]
    return sorted(row["lei"] for row in rows_of(manifest)), excluded


def test_one_letter_a_group(held: Ingesting, tmp_path: Path) -> None:
    """A parent's own letter, a child's, and a grandchild's that names its parent alone."""
    held.full([norwegian(n) for n in range(1, 7)], DAY)
    group_rows.ingest(
        held,
        [
            relationship(2, 1),
            relationship(2, 1, ULTIMATE),
            relationship(3, 2),
            relationship(5, 99, ULTIMATE),
            relationship(6, 99, ULTIMATE),
            relationship(4, 98, "IS_FUND-MANAGED_BY"),
        ],
        DAY,
    )
    assert written_to(held, tmp_path / "out") == ([lei(1), lei(4), lei(5)], {"same_address": 3})


def test_a_relationship_that_ended_makes_no_group(held: Ingesting, tmp_path: Path) -> None:
    held.full([norwegian(n) for n in (1, 2, 3)], DAY)
    ended = relationship(2, 1, ULTIMATE, RelationshipStatus="INACTIVE")
    group_rows.ingest(held, [ended, relationship(3, 3, DIRECT)], DAY)
    assert written_to(held, tmp_path / "out") == ([lei(1), lei(2), lei(3)], {})


def test_parents_in_a_circle_are_one_group(held: Ingesting, tmp_path: Path) -> None:
    held.full([norwegian(n) for n in (1, 2, 3)], DAY)
    circle = [relationship(1, 2), relationship(2, 3), relationship(3, 1)]
    group_rows.ingest(held, circle, DAY)
    assert written_to(held, tmp_path / "out") == ([lei(1)], {"same_address": 2})
