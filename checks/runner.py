"""Judges a delivery once, with Great Expectations, over its verdict table; the one GX context."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from checks.rules import BY_NAME, DELIVERY_RULES, NOTES, QUARANTINE, ROW_RULES, Rule
from checks.verdicts import BIT

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

_PATTERN = "pattern"
_TALKATIVE = ("great_expectations", "great_expectations.data_context.types.base")
"""Its loggers; the second sets a level of its own."""


@dataclass(frozen=True)
class Judgement:
    """What the suite said: delivery rules that stop it, rows to quarantine, and counted notes.

    `quarantined` maps each quarantine rule that failed to the ordinals it concerns (int64),
    `notes` each failed note rule to a number of rows. `checked` is the number of rows judged.
    """

    stops: tuple[Rule, ...]
    quarantined: dict[str, np.ndarray]
    notes: dict[str, int]
    checked: int


def judge(packed: np.ndarray, delivery: Mapping[str, bool]) -> Judgement:
    """Judge the whole delivery, every row of it.

    `packed` holds each row's verdicts (`checks.verdicts.pack`), `delivery` each delivery rule's.
    Rows with the same verdicts stand in the verdict table once, so the time does not grow with the
    delivery: about 0.3 s, after the six or seven seconds of importing Great Expectations.
    """
    patterns, sizes = np.unique(packed, return_counts=True)
    if not len(patterns):
        patterns = np.zeros(1, dtype=np.uint32)
    failed = _failed_patterns(_verdict_table(patterns, delivery))
    weight = dict(zip(patterns.tolist(), sizes.tolist(), strict=False))
    return Judgement(
        stops=tuple(BY_NAME[rule.name] for rule in DELIVERY_RULES if rule.name in failed),
        quarantined={
            rule: np.flatnonzero(np.isin(packed, np.array(failed[rule], dtype=np.uint32)))
            for rule in QUARANTINE
            if rule in failed
        },
        notes={
            rule: sum(weight[pattern] for pattern in failed[rule])
            for rule in NOTES
            if rule in failed
        },
        checked=len(packed),
    )


def _verdict_table(patterns: np.ndarray, delivery: Mapping[str, bool]) -> pd.DataFrame:
    """One row for each set of verdicts that occurs; a column a rule, True where it holds."""
    import pandas as pd

    columns: dict[str, Any] = {rule.name: (patterns & BIT[rule.name]) == 0 for rule in ROW_RULES}
    columns |= {name: np.full(len(patterns), verdict) for name, verdict in delivery.items()}
    return pd.DataFrame({_PATTERN: patterns.astype(np.int64), **columns})


def _failed_patterns(table: pd.DataFrame) -> dict[str, list[int]]:
    """Rule to the verdict patterns its expectation names; rules that hold are not in it."""
    import great_expectations as gx
    from great_expectations.data_context.types.base import ProgressBarsConfig

    from checks.expectations import suite

    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(logging.WARNING)
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    asset = context.data_sources.add_pandas("delivery").add_dataframe_asset("verdicts")
    definition = gx.ValidationDefinition(
        name="arrivals",
        data=asset.add_batch_definition_whole_dataframe("whole"),
        suite=context.suites.add(suite("arrivals", ROW_RULES + DELIVERY_RULES)),
    )
    outcome = context.validation_definitions.add(definition).run(
        batch_parameters={"dataframe": table},
        result_format={
            "result_format": "COMPLETE",
            "unexpected_index_column_names": [_PATTERN],
        },
    )
    failed: dict[str, list[int]] = {}
    for result in outcome.results:
        if not result.success and result.expectation_config is not None:
            rows = result.result["unexpected_index_list"]
            failed[result.expectation_config.kwargs["column"]] = [
                int(row[_PATTERN]) for row in rows
            ]
    return failed
