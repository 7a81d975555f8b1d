"""The verdicts behind the gates of an export, each a pure function of a frame of candidates."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from checks.departures_address import address_key, postal_addresses
from notices.address import deliverable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sources.kit.policy_values import Outcome

STRICTNESS: tuple[Outcome, ...] = ("opt_out", "opt_in", "forbidden")
"""Outcomes of a channel rule from the mildest; their place is how strict they are."""
_OPT_IN, _FORBIDDEN = STRICTNESS.index("opt_in"), STRICTNESS.index("forbidden")

RECIPIENT_KINDS = {"post": "legal_person", "phone": "legal_person", "email": "role_mailbox"}
"""Whom a channel reaches at a legal person, for the rule that applies; e-mail at its mildest."""
SOLE_TRADER = "sole_trader"


@dataclass(frozen=True)
class Terms:
    """What one export is held to.

    `rules`: recipient kind to country to outcome in force that day; a country without one is
    forbidden. `sender` is the sender's country, None where only the recipient's rules bind.
    `flagged`: countries whose register has a marketing protection, each with the sources that can
    say that a company is free of it. `known_sources`: sources whose card and deliveries are on
    record. `is_stopped`: LEIs (null: none) to bool, by the do-not-contact list;
    `is_register_stopped` the same for registers and numbers, None while there is no such stop.
    `is_notice_complete`: (headquarters country, legal country) to bool. `cooling`: company ids
    approached within the cool-off. `is_asking`: who would leave if every register said again what
    it said long ago; no address counts as taken then. `ours`: company
    ids of customers, and of what we manage. `heads_of`: LEIs (null: none) to the LEI that heads
    the group of each, its own where it has no parent; None while no group is known.
    """

    channel: str
    sender_country: str
    is_sender_bound: bool
    rules: Mapping[str, Mapping[str, Outcome]]
    flagged: Mapping[str, frozenset[str]]
    known_sources: frozenset[str]
    cooling: frozenset[int]
    is_stopped: Callable[[list[str | None]], np.ndarray]
    is_notice_complete: Callable[[str, str], bool]
    is_register_stopped: Callable[[list[str], list[str]], np.ndarray] | None = None
    is_asking: bool = False
    ours: frozenset[int] = frozenset()
    heads_of: Callable[[list[str | None]], list[str | None]] | None = None

    def recipient_kind(self) -> str:
        """Whom the channel reaches at a legal person."""
        return RECIPIENT_KINDS[self.channel]

    def strictness(self, kind: str, country: str) -> int:
        """How strict that country's rule is; without one it is forbidden."""
        outcome = self.rules.get(kind, {}).get(country, "forbidden")
        return STRICTNESS.index(outcome)


@dataclass
class State:
    """The terms, and what the list holds so far."""

    terms: Terms
    addresses: set[bytes] = field(default_factory=set)
    heads: set[str] = field(default_factory=set)
    undeliverable: Counter[str] = field(default_factory=Counter)


def suppressed(frame: pa.Table, state: State) -> np.ndarray:
    """Stopped: by a stop linked to the company, or by the keyed hash of its LEI or number."""
    found = _bools(frame["is_stopped"]) | state.terms.is_stopped(frame["lei"].to_pylist())
    ask = state.terms.is_register_stopped
    if ask is not None:
        register = ("registration_authority", "registration_number")
        found = found | ask(*(frame[name].to_pylist() for name in register))
    return np.asarray(found)


def protected(frame: pa.Table, _state: State) -> np.ndarray:
    """The register says: no marketing."""
    return _bools(frame["is_protected"])


def protection_unknown(frame: pa.Table, state: State) -> np.ndarray:
    """A register of the legal or the headquarters country could say so, and has not said no lately.

    Asked once a combination of countries and of sources that have said no.
    """
    said = [frame[name] for name in ("legal_country", "headquarters_country", "cleared_by")]
    combined = pc.binary_join_element_wise(*said, "/", null_handling="replace", null_replacement="")
    flagged = state.terms.flagged

    def is_unknown(text: str | None) -> bool:
        *countries, names = (text or "//").split("/")
        clear = set(names.split(","))
        return any(clear.isdisjoint(flagged[one]) for one in countries if one in flagged)

    return _each_distinct(combined, is_unknown).astype(bool)


def natural(frame: pa.Table, state: State) -> np.ndarray:
    """Natural persons whom no rule in force for sole traders allows."""
    is_forbidden = _strictest(frame, state.terms, SOLE_TRADER) == _FORBIDDEN
    return np.asarray(_is_kind(frame, "natural") & is_forbidden)


def possible(frame: pa.Table, _state: State) -> np.ndarray:
    """Possibly named after a person: never without a person's review."""
    return _is_kind(frame, "possible")


def forbidden(frame: pa.Table, state: State) -> np.ndarray:
    """No rule, none accepted and in force, or one that forbids."""
    return np.asarray(_outcome(frame, state.terms) == _FORBIDDEN)


def no_consent(frame: pa.Table, state: State) -> np.ndarray:
    """The strictest rule asks for a consent; no consent is held yet, of anyone."""
    return np.asarray(_outcome(frame, state.terms) == _OPT_IN)


def undeliverable(frame: pa.Table, state: State) -> np.ndarray:
    """No letter can reach the headquarters address; only asked for the post."""
    if state.terms.channel != "post":
        return _none(frame)
    reasons = [deliverable(address) for address in postal_addresses(frame)]
    state.undeliverable.update(reason for reason in reasons if reason is not None)
    return np.array([reason is not None for reason in reasons], dtype=bool)


def no_contact_point(frame: pa.Table, state: State) -> np.ndarray:
    """No source brings e-mail addresses or phone numbers yet, so nobody has one."""
    return ~_none(frame) if state.terms.channel != "post" else _none(frame)


def no_provenance(frame: pa.Table, state: State) -> np.ndarray:
    """A source without a card on record, or a record without its first delivery."""
    known = pa.array(sorted(state.terms.known_sources), pa.string())
    has_source = pc.is_in(frame["source_id"], value_set=known)
    return ~_bools(pc.and_(has_source, pc.is_valid(frame["first_delivery_id"])))


def incomplete_notice(frame: pa.Table, state: State) -> np.ndarray:
    """The notice to that country cannot say everything it must, asked once a pair of countries."""
    pairs = pc.binary_join_element_wise(
        frame["headquarters_country"], frame["legal_country"], "/", null_handling="replace"
    )

    def lacks(pair: str | None) -> bool:
        headquarters, _, legal = (pair or "/").partition("/")
        return not state.terms.is_notice_complete(headquarters, legal)

    return _each_distinct(pairs, lacks).astype(bool)


def inactive(frame: pa.Table, _state: State) -> np.ndarray:
    """Inactive by the retention policy."""
    return _bools(pc.not_equal(frame["state"], "active"))


def entity_inactive(frame: pa.Table, _state: State) -> np.ndarray:
    """EntityStatus is not ACTIVE: INACTIVE, or the literal NULL of annulled and duplicate ones.

    A national register that has written the company off counts for as much as its LEI's record.
    """
    is_active = _bools(pc.equal(frame["entity_status"], "ACTIVE"))
    return np.asarray(~is_active | _bools(frame["has_ceased"]))


def with_status(status: str) -> Callable[[pa.Table, State], np.ndarray]:
    """A verdict that catches one RegistrationStatus."""

    def catches(frame: pa.Table, _state: State) -> np.ndarray:
        return _bools(pc.equal(frame["lei_status"], status))

    return catches


def own_customer(frame: pa.Table, state: State) -> np.ndarray:
    """A customer whose relationship goes on, or an LEI under our own management."""
    ours = pa.array(sorted(state.terms.ours), pa.int64())
    return _bools(pc.is_in(frame["company_id"], value_set=ours))


def same_address(frame: pa.Table, state: State) -> np.ndarray:
    """At the address, as laid out, or in the group of a company before it; lowest id first."""
    if state.terms.channel != "post" or state.terms.is_asking:
        return _none(frame)
    ask, leis = state.terms.heads_of, frame["lei"].to_pylist()
    heads = [None] * len(leis) if ask is None else ask(leis)
    caught = []
    for address, head in zip(postal_addresses(frame), heads, strict=True):
        key = address_key(address)
        is_taken = key in state.addresses or head in state.heads
        caught.append(is_taken)
        if not is_taken:
            state.addresses.add(key)
            state.heads.update(() if head is None else (head,))
    return np.array(caught, dtype=bool)


def recently_contacted(frame: pa.Table, state: State) -> np.ndarray:
    """In a list for this channel within the cool-off."""
    cooling = pa.array(sorted(state.terms.cooling), pa.int64())
    return _bools(pc.is_in(frame["company_id"], value_set=cooling))


def _outcome(frame: pa.Table, terms: Terms) -> np.ndarray:
    """How strict the rules are on each row, by who it is."""
    as_company = _strictest(frame, terms, terms.recipient_kind())
    as_person = _strictest(frame, terms, SOLE_TRADER)
    return np.where(_is_kind(frame, "natural"), as_person, as_company)


def _strictest(frame: pa.Table, terms: Terms, kind: str) -> np.ndarray:
    """The strictest of sender (where it binds), legal and headquarters country, as a number.

    A missing headquarters country adds nothing here: no letter reaches it, as its gate will say.
    """

    def of_country(country: str | None) -> int:
        return terms.strictness(kind, country) if country else 0

    legal = _each_distinct(frame["legal_country"], of_country)
    headquarters = _each_distinct(frame["headquarters_country"], of_country)
    sender = of_country(terms.sender_country) if terms.is_sender_bound else 0
    return np.asarray(np.maximum(np.maximum(legal, headquarters), sender))


def _each_distinct(column: pa.ChunkedArray, judge: Callable[[str | None], int]) -> np.ndarray:
    """`judge` of every value, asked once a distinct one."""
    encoded = pc.dictionary_encode(column, null_encoding="encode")
    flat = encoded.combine_chunks() if isinstance(encoded, pa.ChunkedArray) else encoded
    found = np.array([judge(value) for value in flat.dictionary.to_pylist()], dtype=np.int8)
    return np.asarray(found[flat.indices.to_numpy(zero_copy_only=False)])


def _is_kind(frame: pa.Table, kind: str) -> np.ndarray:
    return _bools(pc.equal(frame["person_kind"], kind))


def _none(frame: pa.Table) -> np.ndarray:
    return np.zeros(frame.num_rows, dtype=bool)


def _bools(column: pa.ChunkedArray) -> np.ndarray:
    """A boolean column as an array; null is False."""
    flat = pc.fill_null(column, False).combine_chunks()  # noqa: FBT003 (pyarrow's signature)
    return np.asarray(flat.to_numpy(zero_copy_only=False), dtype=bool)
