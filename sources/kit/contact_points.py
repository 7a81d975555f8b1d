"""Raw contact points of registers made one form each, with what was mended and what was kept out.

A frame's contact points go through `normalise`; whose mailboxes they are is said by
`sources.kit.mailboxes`, once the delivery's domains have been counted.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sources.kit.contact_readings import KINDS, read_column
from sources.kit.contact_rules import REPEATED, UNKNOWN_KIND
from sources.kit.flat import flat

_KEPT = pa.schema(
    [("ordinal", pa.int64()), ("kind", pa.string()), ("rule", pa.string())],
)


@dataclass(frozen=True)
class Counts:
    """What became of the fields: received + split_off = usable + the sum of kept_out, always.

    `split_off` are the contact points beyond the first of a field. `repairs` counts fields by
    `kind.repair`, `kept_out` contact points by `kind.rule`. No value is in any of them.
    """

    received: int = 0
    split_off: int = 0
    usable: int = 0
    repairs: Counter[str] = field(default_factory=Counter)
    kept_out: Counter[str] = field(default_factory=Counter)

    def __add__(self, other: Counts) -> Counts:
        """Both together, for the frames of a delivery."""
        return Counts(
            self.received + other.received,
            self.split_off + other.split_off,
            self.usable + other.usable,
            self.repairs + other.repairs,
            self.kept_out + other.kept_out,
        )


@dataclass(frozen=True)
class Normalised:
    """A frame's contact points in one form each.

    `points` has the columns it came with and `value`, one row a usable contact point; the same
    value twice of one company and kind is one row. `kept_out` says of the others `ordinal`, `kind`
    and the `rule`, and nothing of the value.
    """

    points: pa.Table = field(repr=False)
    kept_out: pa.Table = field(repr=False)
    counts: Counts


def normalise(raw: pa.Table) -> Normalised:
    """Normalise raw contact points; unreadable ones are kept out and counted by rule.

    `raw` has `ordinal` (int64, which company of the frame), `kind` (email, phone, website),
    `original` (as published), `country` (ISO 3166-1 of the company, null unknown), and any other
    columns, which stay. Values: an address in lower case with its domain in Unicode; E.164; a URL
    with scheme and an ASCII host. What holds a personal identity number is kept out whole.
    """
    raw = raw.combine_chunks()
    kinds = flat(raw["kind"])
    places, values, rules = [], [], []
    repairs: Counter[str] = Counter()
    for kind in KINDS:
        rows = np.flatnonzero(_equal(kinds, kind))
        taken = pa.array(rows)
        texts, countries = (flat(raw[name]).take(taken) for name in ("original", "country"))
        parts = read_column(kind, texts, countries)
        places.append(rows[parts.rows])
        values.append(parts.values)
        rules.append(parts.rules)
        repairs.update({f"{kind}.{name}": count for name, count in parts.repairs.items()})
    unknown = np.flatnonzero(~np.isin(np.arange(len(kinds)), np.concatenate(places)))
    places.append(unknown)
    values.append(pa.nulls(len(unknown), pa.string()))
    rules.append(pa.array([UNKNOWN_KIND] * len(unknown), pa.string()))
    return _sorted_out(raw, places, values, rules, repairs)


def _sorted_out(
    raw: pa.Table,
    places: list[np.ndarray],
    values: list[pa.Array],
    rules: list[pa.Array],
    repairs: Counter[str],
) -> Normalised:
    """Usable ones and the others apart, in the order of the fields."""
    rows = np.concatenate(places)
    order = pa.array(np.argsort(rows, kind="stable"))
    found = raw.take(pa.array(rows).take(order))
    found = found.append_column("value", pa.concat_arrays(values).take(order))
    rule = pa.concat_arrays(rules).take(order)
    repeated = _repeated(found)
    rule = pc.if_else(pa.array(repeated), REPEATED, rule)
    is_out = pc.is_valid(rule)
    points = found.filter(pc.invert(is_out))
    kept_out = found.select(["ordinal", "kind"]).append_column("rule", rule).filter(is_out)
    # A kind nobody knows may be a value in the wrong column: it is not repeated.
    kinds = pc.if_else(pc.equal(kept_out["rule"], UNKNOWN_KIND), None, kept_out["kind"])
    kept_out = kept_out.set_column(1, "kind", kinds)
    names = pc.binary_join_element_wise(kinds, kept_out["rule"], ".", null_handling="skip")
    tally = {row["values"]: row["counts"] for row in flat(names).value_counts().to_pylist()}
    counts = Counts(
        raw.num_rows, len(rows) - raw.num_rows, points.num_rows, repairs, Counter(tally)
    )
    return Normalised(points, kept_out.cast(_KEPT), counts)


def _equal(texts: pa.Array, text: str) -> np.ndarray:
    found = pc.fill_null(pc.equal(texts, text), False)  # noqa: FBT003 (pyarrow's signature)
    return np.asarray(found.to_numpy(zero_copy_only=False), dtype=bool)


def _repeated(found: pa.Table) -> np.ndarray:
    """Which rows say what another row of the same company and kind says (bool).

    The one that stays is that whose original sorts first, so that the order of fields is nothing.
    """
    known = np.flatnonzero(found["value"].is_valid().to_numpy())
    # Most companies have one contact point of a kind: there nothing need be compared.
    known = known[_are_many(_codes(found, ("ordinal", "kind"), known))]
    codes = _codes(found, ("ordinal", "kind", "value"), known)
    doubtful = np.flatnonzero(_are_many(codes))
    repeated = np.zeros(found.num_rows, dtype=bool)
    originals = flat(found["original"].take(pa.array(known[doubtful]))).to_pylist()
    first: dict[int, tuple[str, int]] = {}
    for place, code, original in zip(
        known[doubtful].tolist(), codes[doubtful].tolist(), originals, strict=True
    ):
        repeated[place] = True
        first[code] = min(first.get(code, (original, place)), (original, place))
    repeated[[place for _, place in first.values()]] = False
    return repeated


def _are_many(codes: np.ndarray) -> np.ndarray:
    """Which codes stand more than once (bool)."""
    _, inverse, counts = np.unique(codes, return_inverse=True, return_counts=True)
    many: np.ndarray = counts[inverse] > 1
    return many


def _codes(table: pa.Table, names: tuple[str, ...], rows: np.ndarray) -> np.ndarray:
    """One number (int64) a row of `rows`, the same for rows alike in all the columns."""
    codes = np.zeros(len(rows), dtype=np.int64)
    for name in names:
        column = flat(table[name].take(pa.array(rows))).dictionary_encode()
        _, codes = np.unique(codes, return_inverse=True)
        codes = codes.astype(np.int64) * max(len(column.dictionary), 1)
        codes += column.indices.to_numpy(zero_copy_only=False)
    return codes
