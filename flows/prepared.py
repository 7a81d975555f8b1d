"""One frame on its way to the load, and what is gathered while frames stream by."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from sources.kit.mailboxes import DomainTally
from warehouse.gathered import Gathered

if TYPE_CHECKING:
    import pyarrow as pa

    from sources.kit.frames import Frame
    from sources.kit.register_frame import RegisterFrame
    from warehouse.sorting import Arrived


@dataclass(frozen=True)
class Prepared:
    """One frame after everything that needs no other frame; made in a worker thread.

    `told` counts, by what happened, contact points mended and kept out and whatever was dropped
    before storage; `mailboxes` are a register's e-mail addresses, to count their domains.
    """

    frame: Frame | RegisterFrame
    arrived: Arrived
    personal: pa.Table
    verdicts: np.ndarray
    care_of: int = 0
    told: Counter[str] = field(default_factory=Counter)
    mailboxes: pa.Table | None = field(default=None, repr=False)


@dataclass
class Tally:
    """What is gathered while frames stream by."""

    verdicts: Gathered = field(default_factory=partial(Gathered, np.uint32))
    by_rule: dict[str, int] = field(default_factory=dict)
    rows: int = 0
    care_of: int = 0
    told: Counter[str] = field(default_factory=Counter)
    domains: DomainTally = field(default_factory=DomainTally)

    def count(self, rule: str, rows: int = 1) -> None:
        """So many more rows broke the rule."""
        self.by_rule[rule] = self.by_rule.get(rule, 0) + rows

    def take(self, prepared: Prepared) -> None:
        """Count one frame, in the delivery's order."""
        self.verdicts.append(prepared.verdicts)
        self.rows += prepared.frame.origin.row_count
        self.care_of += prepared.care_of
        self.told.update(prepared.told)
        if prepared.mailboxes is not None:
            self.domains.add(prepared.mailboxes)
