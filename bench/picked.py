"""Writes the smaller files of the full benchmark: a sample of the golden copy, and deltas on it.

`python -m bench.picked OUT.zip --rows 3460000 --small 300000` or `… --delta 1`. A delta's companies
are spread over the whole golden copy, and every one of them is in the sample too: so the same delta
does the same work in the full warehouse and in the small one.
"""

from __future__ import annotations

import argparse
import json
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import numpy as np
import numpy.typing as npt

from sources.kit import sample_draw, sample_lei, sample_rows
from sources.kit.sample import SAMPLE_DAY, header

Ints = npt.NDArray[np.int64]

DELTAS = 3
"""Deltas of successive days, so that a time of seconds is a median too."""
_NEW_SHARE = 10
"""One in ten rows of a delta is a new company: GLEIF has 10,000 more a week."""
_ISSUERS = len(sample_lei.PREFIXES)


@dataclass(frozen=True)
class Golden:
    """The golden copy that the files are picked from, as `bench.generate` writes it."""

    rows: int
    seed: int

    def issued(self, issuer: int) -> int:
        """How many companies that issuer has."""
        return (self.rows + _ISSUERS - 1 - issuer) // _ISSUERS

    def sample(self, rows: int) -> list[Ints]:
        """The numbers of `rows` companies drawn from all, ascending, by issuer."""
        return self._by_issuer(self._shuffled()[:rows])

    def delta(self, number: int, rows: int) -> list[Ints]:
        """The numbers of the `number`-th delta's companies (from 1), by issuer, new ones last.

        No company is in two deltas; ValueError when the golden copy is too small for that.
        """
        new = rows // _NEW_SHARE
        held = rows - new
        if number * held > self.rows:
            message = f"{self.rows} companies are too few for {number} deltas of {rows}"
            raise ValueError(message)
        picked = self._by_issuer(self._shuffled()[(number - 1) * held : number * held])
        fresh = np.arange((number - 1) * new, number * new)
        return [
            np.concatenate([known, self.issued(issuer) + fresh[fresh % _ISSUERS == issuer]])
            for issuer, known in enumerate(picked)
        ]

    def _shuffled(self) -> Ints:
        return np.random.default_rng([self.seed, self.rows]).permutation(self.rows)

    def _by_issuer(self, places: Ints) -> list[Ints]:
        ends = np.cumsum([self.issued(issuer) for issuer in range(_ISSUERS)])
        starts = np.concatenate([[0], ends[:-1]])
        ordered = np.sort(places)
        cuts = np.searchsorted(ordered, ends)
        parts = np.split(ordered, cuts[:-1])
        return [part - start for part, start in zip(parts, starts, strict=True)]


def lines(golden: Golden, numbers: list[Ints], days_later: int = 0) -> Iterator[list[str]]:
    """The companies' CSV lines, block by block; each updated `days_later` after the golden copy."""
    as_of = sample_rows.day_number(SAMPLE_DAY)
    for issuer, prefix in enumerate(sample_lei.PREFIXES):
        blocks, size = numbers[issuer] // sample_draw.BLOCK, sample_draw.BLOCK
        for block in np.unique(blocks).tolist():
            drawn = sample_draw.draw(golden.seed, issuer, block, as_of, sample_draw.Mix())
            if days_later:
                chance = (golden.seed, issuer, block, days_later)
                drawn, _ = sample_draw.changed(drawn, 1.0, as_of + days_later, chance)
            kept = numbers[issuer][blocks == block] % size
            yield sample_rows.lines({key: values[kept] for key, values in drawn.items()}, prefix)


def write(out: Path, member: str, rows: Iterator[list[str]]) -> dict[str, int]:
    """Write the lines as a zip with that one member; rows and bytes written."""
    count, byte_count = 0, 0
    with (
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
        archive.open(member, "w", force_zip64=True) as stream,
    ):
        byte_count += stream.write(f"{header()}\r\n".encode())
        for block in rows:
            count += len(block)
            byte_count += stream.write("\r\n".join([*block, ""]).encode())
    return {"rows": count, "byte_count": byte_count, "zip_byte_count": out.stat().st_size}


def main() -> None:
    """Write the file that was asked for, and its counts beside it."""
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    add("out", type=Path, help="zip to write")
    add("--facts", type=Path, required=True, help="JSON file to write the counts to")
    add("--rows", type=int, required=True, help="companies of the golden copy")
    add("--seed", type=int, default=1, help="of the golden copy")
    add("--small", type=int, default=0, help="write a sample of so many companies")
    add("--delta", type=int, default=0, help="write the delta of this number")
    add("--delta-rows", type=int, default=14_000, help="companies in a delta")
    asked = parser.parse_args()
    golden, number = Golden(asked.rows, asked.seed), asked.delta
    # The repeat is published a day after the golden copy, the first delta a day after that; what
    # a file brings was updated the day before. A delta's name says that it reaches back a day.
    day = SAMPLE_DAY + timedelta(days=number + 1 if number else 0)
    window = "last-day" if number else "golden-copy"
    numbers = golden.delta(number, asked.delta_rows) if number else golden.sample(asked.small)
    facts = write(
        asked.out,
        f"{day:%Y%m%d}-0800-gleif-goldencopy-lei2-{window}.csv",
        lines(golden, numbers, days_later=number),
    )
    asked.facts.write_text(
        json.dumps({**facts, "changed_rows": facts["rows"] if number else 0}), encoding="utf-8"
    )


if __name__ == "__main__":
    main()
