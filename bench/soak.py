"""Kill it, cut it off, damage its files, many times, and count what did not hold (`make soak`).

`python -m bench.soak --trials 100 --seed 7`; a violation names its fault, database, trial and
seed, and `--only` with the same numbers repeats it. Loopback only; nothing outside a temporary
folder is touched.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

SUPPORT = Path(__file__).resolve().parents[1] / "tests" / "support"
TRIALS = 16
"""Of each fault, of those at named places twice as many: all 28 of them; in all about 300."""
_ROW = "{:<36} {:<11} {:>7} {:>11} {:>9}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table; 1 when anything did not hold."""
    options = _options(arguments)
    sys.path.insert(0, str(SUPPORT))  # the trials are the test suite's own, only more of them
    from private_postgres import PrivatePostgres  # type: ignore[import-not-found]

    programs = None if options.sqlite else _programs()
    server = PrivatePostgres(programs) if programs else None
    try:
        if server:
            server.start()
        return _soak(server, options)
    finally:
        if server:
            server.stop()


def _soak(server: Any, options: argparse.Namespace) -> int:  # noqa: ANN401 (a helper of the tests)
    from soaking import soak  # type: ignore[import-not-found]

    print(_ROW.format("fault", "database", "trials", "violations", "seconds"))
    violations = trials = 0
    struck: Counter[tuple[str, str]] = Counter()
    with tempfile.TemporaryDirectory(prefix="sourcenote-soak-") as folder:
        for line in soak(Path(folder), server, options.trials, options.seed, options.only):
            trials += line.trials
            violations += len(line.violations)
            struck.update({(line.database, where): n for where, n in line.struck.items()})
            numbers = (line.trials, len(line.violations), f"{line.seconds:.0f}")
            print(_ROW.format(line.fault, line.database, *numbers), flush=True)
            for violation in line.violations:
                print(f"    {violation}", flush=True)
    _show_places(struck)
    print(f"{trials} trials, {violations} violations, seed {options.seed}")
    if server is None:
        print("SKIPPED: PostgreSQL")
    return 1 if violations else 0


def _show_places(struck: Counter[tuple[str, str]]) -> None:
    """Where the trials struck: by flow, and by place where one is named."""
    print()
    databases = sorted({database for database, _ in struck}, reverse=True)
    for where in sorted({where for _, where in struck}):
        counted = ", ".join(f"{database} {struck[database, where]}" for database in databases)
        print(f"  {where:<34} {counted}")


def _programs() -> Path | None:
    from machine_parts import postgres_programs  # type: ignore[import-not-found]

    found: Path | None = postgres_programs()
    return found


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.soak", description=__doc__)
    add = parser.add_argument
    add("--trials", type=int, default=TRIALS, help="of each fault on each database")
    add("--seed", type=int, default=1, help="everything random is drawn from it")
    add("--only", default="", metavar="TEXT", help="faults whose name holds this")
    add("--sqlite", action="store_true", help="without PostgreSQL")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
