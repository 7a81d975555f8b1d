"""Before export: every candidate through the gates in their order, to exactly one outcome."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pyarrow as pa

from checks import departures_gates as gates
from checks.departures_gates import Terms

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np

    Catches = Callable[[pa.Table, gates.State], np.ndarray]

__all__ = ["GATES", "REASONS", "Departures", "Gate", "Terms"]

COOL_OFF = "P90D"
"""How long a company that was approached is left alone by that channel (privacy/channel-rules)."""


@dataclass(frozen=True)
class Gate:
    """One reason why a candidate stays at home; `catches` is True for those it holds back.

    Without `catches` nothing here can tell yet, or the export as a whole is refused earlier; the
    place in the order is kept. Gates of the post or of the other channels only ask for theirs.
    """

    reason: str
    meaning: str
    catches: Catches | None = None


GATES: tuple[Gate, ...] = (
    Gate("suppressed", "the company is on the do-not-contact list", gates.suppressed),
    Gate("objected", "an objection is being handled"),
    Gate("restricted", "processing is restricted"),
    Gate("erased", "erasure was asked for"),
    Gate("advertising_protected", "its register protects it from marketing", gates.protected),
    Gate(
        "protection_unknown",
        "its register has a protection from marketing, and has not said lately that it is not set",
        gates.protection_unknown,
    ),
    Gate("natural_person", "a natural person, and no rule in force allows it", gates.natural),
    Gate("person_review", "possibly named after a person: nobody has looked yet", gates.possible),
    Gate(
        "channel_forbidden",
        "the strictest of the rules of sender and both countries forbids it, or there is none",
        gates.forbidden,
    ),
    Gate("no_consent", "it needs a consent, and none is on file", gates.no_consent),
    Gate("undeliverable", "no letter can reach the headquarters address", gates.undeliverable),
    Gate("no_contact_point", "no source brings a contact point for it", gates.no_contact_point),
    Gate("no_provenance", "a value has no recorded origin", gates.no_provenance),
    Gate("incomplete_notice", "its notice would not be complete", gates.incomplete_notice),
    Gate("inactive", "inactive by the retention policy", gates.inactive),
    Gate(
        "entity_inactive",
        "the entity has ceased, by its LEI or its register",
        gates.entity_inactive,
    ),
    Gate("lei_retired", "the LEI is retired", gates.with_status("RETIRED")),
    Gate("lei_merged", "the LEI was merged into another", gates.with_status("MERGED")),
    Gate("lei_annulled", "the LEI is annulled", gates.with_status("ANNULLED")),
    Gate("lei_duplicate", "the LEI is a duplicate", gates.with_status("DUPLICATE")),
    Gate(
        "lei_pending_archival",
        "the LEI is about to be archived",
        gates.with_status("PENDING_ARCHIVAL"),
    ),
    Gate("own_customer", "already a customer, or its LEI is managed by us", gates.own_customer),
    Gate("recipient_without_contract", "the whole export is refused before"),
    Gate("purpose_not_approved", "the whole export is refused before"),
    Gate(
        "same_address",
        "another company at the same address, or of the same group, goes before it",
        gates.same_address,
    ),
    Gate("recently_contacted", "approached within the cool-off", gates.recently_contacted),
)
"""In the order in which the first that holds is the outcome (privacy/channel-rules)."""

REASONS = tuple(gate.reason for gate in GATES)


@dataclass
class Departures:
    """One list's candidates on their way out: feed it frames in the order of their company ids.

    `candidates` and `excluded` count rows; `undeliverable` counts why letters would not arrive.
    """

    terms: Terms
    candidates: int = 0
    excluded: Counter[str] = field(default_factory=Counter)
    state: gates.State = field(init=False)

    def __post_init__(self) -> None:
        """Start with no address and no group in the list."""
        self.state = gates.State(self.terms)

    @property
    def undeliverable(self) -> Counter[str]:
        """Why the undeliverable ones are."""
        return self.state.undeliverable

    def judge(self, frame: pa.Table) -> pa.Table:
        """The rows of the frame that may leave; the others are counted under their reason.

        Columns are those of `warehouse.export_candidates`. Gates that look at single addresses
        see only the rows that every earlier gate let pass.
        """
        self.candidates += frame.num_rows
        rest = frame
        for gate in GATES:
            if gate.catches is None or not rest.num_rows:
                continue
            caught = gate.catches(rest, self.state)
            if caught.any():
                self.excluded[gate.reason] += int(caught.sum())
                rest = rest.filter(pa.array(~caught))
        return rest

    def drop(self, reason: str, count: int, *, is_candidate: bool = False) -> None:
        """Count rows held back outside `judge`; `is_candidate` when it never saw them."""
        if count:
            self.candidates += count if is_candidate else 0
            self.excluded[reason] += count
