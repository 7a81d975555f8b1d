"""What one measurement is, and what several of them come to."""

from __future__ import annotations

from dataclasses import dataclass, field
from statistics import median

BARE = "bare load limit"
FIRST = "first load"
UNCHANGED = "unchanged repeat"
CHANGED = "repeat, 1 % changed"
LOADS = (FIRST, UNCHANGED, CHANGED)
DELTA = "delta"
SMALL_FIRST = "first load beside the peers"
SMALL_DELTA = "the same delta, small warehouse"
DLT = "dlt, Arrow tables merged on the LEI"
PANDAS = "pandas chunks and to_sql"
PEERS = (DLT, PANDAS)


@dataclass(frozen=True)
class Measured:
    """One run of one load: seconds from first byte to commit, memory in MB.

    `phases` are seconds and `peaks_mb` the peak so far at the end of each phase; `imported_mb`
    is what the process held before it began. Load averages are those just before and after. `held`
    is how many records the warehouse has afterwards, `disk_mb` its size on disk where it was asked.
    """

    database: str
    load: str
    round: int
    seconds: float
    rows: int
    cpu_seconds: float
    load_before: float
    load_after: float
    imported_mb: float
    peak_mb: float
    status: str = ""
    held: int = 0
    disk_mb: float = 0.0
    counts: dict[str, int] = field(default_factory=dict)
    phases: dict[str, float] = field(default_factory=dict)
    peaks_mb: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Series:
    """Every measurement of a run, in the order taken."""

    measured: tuple[Measured, ...]

    def of(self, database: str, load: str) -> list[Measured]:
        """One load on one database, by round."""
        return [one for one in self.measured if (one.database, one.load) == (database, load)]

    def databases(self) -> list[str]:
        """The databases measured, in their order."""
        return list(dict.fromkeys(one.database for one in self.measured))

    def seconds(self, database: str, load: str) -> float:
        """The median time."""
        return median(one.seconds for one in self.of(database, load))

    def ratio(self, database: str, load: str, other: str) -> float:
        """The median, over the rounds, of the load's time by that of `other` in the same round."""
        pairs = zip(self.of(database, load), self.of(database, other), strict=True)
        return median(one.seconds / two.seconds for one, two in pairs)

    def peak_mb(self, database: str, load: str) -> float:
        """The highest peak of any round."""
        return max(one.peak_mb for one in self.of(database, load))
