"""Writes a full-width golden copy of invented companies: the input of the benchmark.

`python -m bench.generate OUT.csv.zip --rows 300000`; a name that ends in `.zip` gets a zip.
The same seed and day give the same bytes; `--changed-share 0.01` gives the same companies with one
in a hundred changed a day later. Run it from the checkout with the project installed.
"""

from __future__ import annotations

import argparse
import json
import time
from datetime import date, timedelta
from pathlib import Path

from sources.kit.sample import SAMPLE_DAY, SampleFacts, write_full


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    add("out", type=Path, help="file to write: .csv, or .zip with the publisher's member name")
    add("--rows", type=int, default=300_000, help="companies (the real file has about 3,460,000)")
    add("--seed", type=int, default=1, help="which companies")
    add("--as-of", type=date.fromisoformat, default=SAMPLE_DAY, help="day of the publish")
    add("--changed-share", type=float, default=0.0, help="0..1 of them changed a day later")
    add("--facts", type=Path, help="JSON file to write the counts to")
    return parser.parse_args()


def generate(options: argparse.Namespace) -> SampleFacts:
    """Write the file that the options ask for; a changed one bears the next day's name."""
    day = options.as_of + timedelta(days=1 if options.changed_share else 0)
    member = f"{day:%Y%m%d}-0800-gleif-goldencopy-lei2-golden-copy.csv"
    return write_full(
        options.out,
        options.rows,
        seed=options.seed,
        as_of=options.as_of,
        zip_name=member if options.out.suffix == ".zip" else None,
        changed_share=options.changed_share,
    )


def main() -> None:
    """Write, and say how much and how fast."""
    options = _options()
    start = time.perf_counter()
    facts = generate(options)
    seconds = time.perf_counter() - start
    zipped = f", {facts.zip_byte_count:,} zipped" if facts.zip_byte_count else ""
    print(f"{options.out}: {facts.rows:,} rows, {facts.changed_rows:,} of them changed")
    print(f"{facts.byte_count:,} bytes ({facts.byte_count / facts.rows:,.0f} a row){zipped}")
    print(f"{seconds:.1f} s, {facts.rows / seconds:,.0f} rows a second")
    if options.facts:
        names = ("rows", "byte_count", "zip_byte_count", "changed_rows")
        options.facts.write_text(json.dumps({name: getattr(facts, name) for name in names}))


if __name__ == "__main__":
    main()
