"""What chance decides about a block of invented companies, drawn for thousands at once.

Nothing is random after this: rendering a draw is a pure function, so the same seed gives the same
companies whatever the file's length, and a changed company differs only in what was changed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sources.kit import sample_lei, sample_world
from sources.kit.sample_lei import Ints

Flags = npt.NDArray[np.bool_]
Draw = dict[str, Ints]
"""One array a question, one entry a company."""

BLOCK = 4096
"""Companies drawn at once from one random stream."""

GENERAL, FUND, BRANCH, SOLE_PROPRIETOR, GOVERNMENT, INTERNATIONAL = range(6)
CATEGORIES = (
    "GENERAL", "FUND", "BRANCH", "SOLE_PROPRIETOR",
    "RESIDENT_GOVERNMENT_ENTITY", "INTERNATIONAL_ORGANIZATION",
)  # fmt: skip
CATEGORY_SHARES = (0.866, 0.08, 0.01, 0.039, 0.004, 0.001)
"""SOLE_PROPRIETOR: 130,065 of 3,457,357 records on 2026-10-09 (docs of the source)."""

ISSUED, LAPSED, RETIRED, PENDING_ARCHIVAL, PENDING_TRANSFER, DUPLICATE, ANNULLED, MERGED = range(8)
STATUSES = (
    "ISSUED", "LAPSED", "RETIRED", "PENDING_ARCHIVAL",
    "PENDING_TRANSFER", "DUPLICATE", "ANNULLED", "MERGED",
)  # fmt: skip
STATUS_SHARES = (0.567, 0.366, 0.055, 0.004, 0.003, 0.002, 0.002, 0.001)
"""GENERAL entities: ISSUED 56.7 %, LAPSED 36.6 %; the rest as rare as they are."""

ACTIVE, INACTIVE, NULL = range(3)
FIRST_LEI_DAY = 41060
"""2012-06-02, days since 1900-01-01: no LEI is older."""

AT_HOME, ELSEWHERE, ABROAD = range(3)
"""Where the headquarters are: at the legal address, at another one, in another country."""

NO_CARE, CARE_EXTRA, CARE_ROUTING, CARE_FIRST = range(4)
"""Where a care-of line stands."""

FULLY, PARTIALLY, SUPPLIED_ONLY = range(3)
"""How an issuer corroborated what it was told."""

_RENEWED, _LAPSED, _RENAMED, _MOVED = range(4)


@dataclass(frozen=True)
class Mix:
    """Shares of countries (by code; None for the usual ones), statuses and categories.

    `trusts` is the share of GENERAL entities that are named as a person's trust or estate.
    """

    countries: Mapping[str, int] | None = None
    statuses: Sequence[float] = STATUS_SHARES
    categories: Sequence[float] = CATEGORY_SHARES
    trusts: float = 0.01

    def weights(self, world: sample_world.World) -> Sequence[int]:
        """One weight a country of the world; raises ValueError for a country it does not have."""
        if self.countries is None:
            return world.weights
        unknown = sorted(set(self.countries) - set(world.codes))
        if unknown:
            message = f"the sample has no companies in {unknown}; it knows {world.codes}"
            raise ValueError(message)
        return [self.countries.get(code, 0) for code in world.codes]


def _pick(rng: np.random.Generator, shares: Sequence[float]) -> Ints:
    """One choice a company, by shares that need not add up to 1."""
    steps = np.cumsum(shares) / np.sum(shares)
    return np.searchsorted(steps, rng.random(BLOCK), side="right").astype(np.int64)


def _chance(rng: np.random.Generator, share: float) -> Flags:
    return rng.random(BLOCK) < share


def _part(rng: np.random.Generator, country: Ints, size: int) -> Ints:
    """A part from each company's block of a pool."""
    return country * size + rng.integers(0, size, BLOCK)


def _which(rng: np.random.Generator, world: sample_world.World, mix: Mix) -> Draw:
    """Country, name and kind."""
    country, category = _pick(rng, mix.weights(world)), _pick(rng, mix.categories)
    is_trust = _chance(rng, mix.trusts) & (category == GENERAL)
    is_upper = rng.random(BLOCK) < np.array(world.upper)[country]
    return {
        "country": country,
        "stem": _part(rng, country, sample_world.STEMS),
        "trade": _part(rng, country, sample_world.TRADES),
        "form": _part(rng, country, sample_world.FORMS),
        "upper": is_upper.astype(np.int64),
        "person": _part(rng, country, sample_world.PEOPLE),
        "category": category,
        "trust": is_trust * (1 + rng.integers(0, sample_world.TRUSTS, BLOCK)),
        "authority": _part(rng, country, sample_world.AUTHORITIES),
        "validation": _pick(rng, (0.94, 0.03, 0.03)),
        "conformity": _pick(rng, (0.68, 0.15, 0.03, 0.14)),
        "other_form": rng.integers(0, 4, BLOCK),
    }


def _where(rng: np.random.Generator, country: Ints) -> Draw:
    """Legal and headquarters address, and what stands in their odder columns."""
    hq = _pick(rng, (0.87, 0.11, 0.02))
    hq_country = np.where(hq == ABROAD, np.roll(country, 1), country)
    return {
        "street": _part(rng, country, sample_world.STREETS),
        "house": rng.integers(1, 180, BLOCK),
        "tail": _part(rng, country, sample_world.TAILS),
        "hq": hq,
        "hq_street": _part(rng, hq_country, sample_world.STREETS),
        "hq_house": rng.integers(1, 180, BLOCK),
        "hq_tail": _part(rng, hq_country, sample_world.TAILS),
        "care": _pick(rng, (0.988, 0.006, 0.003, 0.003)),
        "extra": _pick(rng, (0.72, 0.2, 0.08)),
        "numbered": _pick(rng, (0.985, 0.01, 0.005)),
        "other_address": _pick(rng, (0.985, 0.015)),
    }


def _life(rng: np.random.Generator, as_of: int, shares: Sequence[float]) -> Draw:
    """Statuses and the days they happened on; nothing is later than the day before `as_of`."""
    status = _pick(rng, shares)
    is_current = np.isin(status, (ISSUED, PENDING_ARCHIVAL, PENDING_TRANSFER))
    ahead = 1 + rng.integers(0, 365, BLOCK) + 365 * _pick(rng, (0.95, 0.02, 0.01, 0.01, 0.01))
    behind = -1 - (rng.random(BLOCK) ** 1.5 * 3000).astype(np.int64)
    renewal = as_of + np.where(is_current, ahead, behind)
    newest = np.minimum(renewal - 365, as_of - 3) - FIRST_LEI_DAY
    initial = FIRST_LEI_DAY + (rng.random(BLOCK) ** 0.7 * newest).astype(np.int64)
    since = np.where(is_current, rng.integers(0, 365, BLOCK), rng.integers(0, 60, BLOCK))
    touched = np.where(is_current, as_of - 1 - since, np.minimum(renewal + 1 + since, as_of - 1))
    is_void = np.isin(status, (DUPLICATE, ANNULLED)) & _chance(rng, 0.8)
    is_over = np.isin(status, (RETIRED, MERGED)) | ((status == LAPSED) & _chance(rng, 0.03))
    return {
        "status": status,
        "entity_status": np.where(is_over, INACTIVE, np.where(is_void, NULL, ACTIVE)),
        "renewal": renewal,
        "initial": initial,
        "last": np.maximum(touched, initial + 1),
        "creation": initial - 1 - (rng.random(BLOCK) ** 2 * 15000).astype(np.int64),
        "has_creation": _chance(rng, 0.99).astype(np.int64),
        "expiry": np.where(is_over, np.maximum(touched - since, initial), 0),
        "reason": np.where(status == MERGED, 1, _pick(rng, (0.7, 0.22, 0.08))),
        "event": _chance(rng, 0.17) * (1 + rng.integers(0, 511, BLOCK)),
    }


def _habits(rng: np.random.Generator, prefix: int) -> Draw:
    """The issuer (one LEI in five changed it) and its ways, above all of writing a timestamp."""
    issuers = rng.integers(0, len(sample_lei.PREFIXES), BLOCK)
    issuer = np.where(_chance(rng, 0.2), issuers, prefix)
    return {
        "issuer": issuer,
        **{f"time_{n}": issuer % 4 * 256 + rng.integers(0, 256, BLOCK) for n in range(4)},
        "others": _pick(rng, (0.845, 0.12, 0.03, 0.004, 0.0, 0.001)),
        "other_kind": rng.integers(0, 3, BLOCK),
        "romanised": _pick(rng, (0.45, 0.4, 0.15)),
        "second_authority": _chance(rng, 0.12).astype(np.int64),
    }


def draw(seed: int, prefix: int, block: int, as_of: int, mix: Mix) -> Draw:
    """The companies `block * BLOCK …` of issuer number `prefix`; `as_of` in days since 1900."""
    rng = np.random.default_rng([seed, prefix, block])
    which = _which(rng, sample_world.world(), mix)
    number = np.arange(block * BLOCK, (block + 1) * BLOCK, dtype=np.int64)
    return {
        "body": number * sample_lei.STRIDE + rng.integers(0, sample_lei.STRIDE, BLOCK),
        "number": number * len(sample_lei.PREFIXES) + prefix,
        **which,
        **_where(rng, which["country"]),
        **_life(rng, as_of, mix.statuses),
        **_habits(rng, prefix),
    }


def changed(drawn: Draw, share: float, as_of: int, seed: Sequence[int]) -> tuple[Draw, Flags]:
    """The same companies with `share` of them updated on day `as_of`, and which they are.

    Every changed one gets a new LastUpdateDate and one of: renewed, lapsed, a new name, a move.
    """
    rng = np.random.default_rng([*seed, 1])
    flags = _chance(rng, share)
    kind = np.where(flags, rng.integers(0, 4, BLOCK), -1)
    is_issued = drawn["status"] == ISSUED
    renews, lapses = kind == _RENEWED, (kind == _LAPSED) & is_issued
    revives = renews & (drawn["status"] == LAPSED)
    start = drawn["country"] * sample_world.STEMS
    other = start + (drawn["stem"] - start + 1) % sample_world.STEMS
    return drawn | {
        "last": np.where(flags, as_of, drawn["last"]),
        "status": np.where(revives, ISSUED, np.where(lapses, LAPSED, drawn["status"])),
        "renewal": np.where(renews, as_of + 365, np.where(lapses, as_of, drawn["renewal"])),
        "stem": np.where(kind == _RENAMED, other, drawn["stem"]),
        "house": np.where(kind == _MOVED, drawn["house"] + 180, drawn["house"]),
    }, flags
