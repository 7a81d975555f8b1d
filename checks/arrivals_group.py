"""Before loading: relationships and reporting exceptions against their rules, vectorised."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from checks import arrivals, codes, lei
from checks.arrivals import EARLIEST, listed, or_absent, readable
from sources.kit import tidy
from sources.kit.flat import flat, truths

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from checks.arrivals import Verdicts

_NODE_TYPE = "LEI"
_ONE_REASON = "(?:" + "|".join(codes.EXCEPTION_REASON) + ")"
_REASONS = f"^{_ONE_REASON}(?:; {_ONE_REASON})*$"


def judge_relationships(table: pa.Table, texts: pa.Array) -> Verdicts:
    """One boolean array a row rule; True where the rule holds.

    `table` is a frame of `sources.gleif_group` with the node types. A retraction is only held to
    the rules of its key and its date: what it takes back need not be whole.
    """
    stated = {
        "nodes_are_leis": listed(table["start_node_type"], (_NODE_TYPE,))
        & listed(table["end_node_type"], (_NODE_TYPE,)),
        "relationship_status_is_known": listed(
            table["relationship_status"], codes.RELATIONSHIP_STATUS
        ),
        "registration_status_is_known": listed(
            table["registration_status"], codes.RELATIONSHIP_REGISTRATION
        ),
        "dates_are_readable": _plausible(table, "last_update", is_needed=True)
        & _plausible(table, "initial_registration", is_needed=True)
        & _plausible(table, "next_renewal"),
        "managing_lou_is_an_lei": lei.few_hold(table["managing_lou"]),
        "codes_are_listed": listed(
            table["validation_sources"], codes.VALIDATION_SOURCES, absent=True
        ),
        "period_is_in_order": truths(
            or_absent(
                pc.greater_equal(table["relationship_end_date"], table["relationship_start_date"])
            )
        ),
        "nodes_differ": truths(or_absent(pc.not_equal(table["start_lei"], table["end_lei"]))),
    }
    ends = ("start_lei", "end_lei")
    known = listed(table["relationship_type"], codes.RELATIONSHIP_TYPE)
    return _verdicts(table, texts, ends, {"relationship_type_is_known": known}, stated)


def judge_exceptions(table: pa.Table, texts: pa.Array) -> Verdicts:
    """One boolean array a row rule; True where the rule holds, as `judge_relationships`."""
    reasons = pc.match_substring_regex(table["exception_reasons"].fill_null(""), _REASONS)
    known = listed(table["exception_category"], codes.EXCEPTION_CATEGORY)
    return _verdicts(
        table,
        texts,
        ("start_lei",),
        {"exception_category_is_known": known},
        {"exception_reasons_are_known": truths(reasons)},
    )


JUDGES: dict[str, Callable[[pa.Table, pa.Array], Verdicts]] = {
    "entity": arrivals.judge_rows,
    "relationship": judge_relationships,
    "exception": judge_exceptions,
}
"""Who judges a frame, by its source's shape (`sources.kit.shapes`)."""


def _verdicts(
    table: pa.Table, texts: pa.Array, ends: Sequence[str], key: Verdicts, stated: Verdicts
) -> Verdicts:
    is_retraction = truths(pc.is_valid(table["retracted_published"]))
    formed = [lei.well_formed(flat(table[name])) for name in ends]
    holds = [
        lei.check_digits_hold(flat(table[name]), good)
        for name, good in zip(ends, formed, strict=True)
    ]
    # A retraction may leave out whom the relationship led to: the key is its start and its type.
    needed = [truths(formed[0]), *(truths(good) | is_retraction for good in formed[1:])]
    dates = stated.pop("dates_are_readable", np.ones(table.num_rows, dtype=bool))
    return {
        "text_is_readable": readable(texts),
        "lei_is_well_formed": np.logical_and.reduce(needed),
        "lei_check_digits_hold": np.logical_and.reduce(holds),
        "key_is_unique": np.ones(table.num_rows, dtype=bool),
        **key,
        **{rule: verdict | is_retraction for rule, verdict in stated.items()},
        "dates_are_readable": (dates | is_retraction) & _plausible(table, "retracted"),
    }


def _plausible(table: pa.Table, stem: str, *, is_needed: bool = False) -> np.ndarray:
    moments = table[f"{stem}_at"]
    within = pc.and_(pc.greater_equal(moments, EARLIEST), pc.less(moments, tidy.LATEST))
    given = truths(pc.fill_null(within, False))  # noqa: FBT003 (pyarrow's signature)
    if is_needed:
        return given
    verdict: np.ndarray = given | truths(pc.is_null(table[f"{stem}_published"]))
    return verdict
