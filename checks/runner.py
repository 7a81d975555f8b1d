"""Judges a delivery once, with Great Expectations, over its verdict table; the one GX context."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from checks.rules import BY_NAME, DELIVERY_RULES, ROW_RULES, Rule

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd


@dataclass(frozen=True)
class Judgement:
    """What the suite said: delivery rules that stop it, rows to quarantine, and counted notes.

    `quarantined` maps each quarantine rule that failed to the ordinals it named (int64).
    `checked` is the number of rows every row rule looked at.
    """

    stops: tuple[Rule, ...]
    quarantined: dict[str, np.ndarray]
    notes: dict[str, int]
    checked: int

    def rows_quarantined(self) -> int:
        """Rows that at least one quarantine rule names."""
        named = list(self.quarantined.values())
        return len(np.unique(np.concatenate(named))) if named else 0


def judge(verdicts: Mapping[str, np.ndarray], delivery: Mapping[str, bool]) -> Judgement:
    """Judge the whole delivery: `verdicts` by row rule (all rows), `delivery` by delivery rule.

    Takes about half a second and a tenth of a second for each 100,000 rows; importing Great
    Expectations takes 6–7 s the first time, which is why it happens here and nowhere else.
    """
    import pandas as pd  # noqa: PLC0415 (heavy; only while judging)

    context = _context()
    whole = pd.DataFrame({name: [verdict] for name, verdict in delivery.items()})
    rows = pd.DataFrame(dict(verdicts), copy=False)
    rows["ordinal"] = np.arange(len(rows), dtype=np.int64)
    stops = _run(context, "delivery", DELIVERY_RULES, whole, name_rows=False)
    strict = tuple(rule for rule in ROW_RULES if rule.severity == "quarantine")
    noted = tuple(rule for rule in ROW_RULES if rule.severity == "note")
    failed = _run(context, "rows", strict, rows, name_rows=True)
    notes = _run(context, "notes", noted, rows, name_rows=False)
    return Judgement(
        stops=tuple(BY_NAME[name] for name, result in stops.items() if not result["success"]),
        quarantined={
            name: np.array(
                [row["ordinal"] for row in result["result"]["unexpected_index_list"]],
                dtype=np.int64,
            )
            for name, result in failed.items()
            if not result["success"]
        },
        notes={
            name: int(result["result"]["unexpected_count"])
            for name, result in notes.items()
            if not result["success"]
        },
        checked=len(rows),
    )


def _context() -> Any:  # noqa: ANN401 (Great Expectations' own type, imported late)
    import great_expectations as gx  # noqa: PLC0415 (6–7 s; only while judging)
    from great_expectations.data_context.types.base import ProgressBarsConfig  # noqa: PLC0415

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    return context


def _run(
    context: Any,  # noqa: ANN401 (as above)
    name: str,
    rules: tuple[Rule, ...],
    frame: pd.DataFrame,
    *,
    name_rows: bool,
) -> dict[str, dict[str, Any]]:
    """Each rule's result by its name."""
    if not len(frame):
        return {}
    import great_expectations as gx  # noqa: PLC0415 (6–7 s; only while judging)

    from checks.expectations import suite  # noqa: PLC0415 (imports Great Expectations)

    asset = context.data_sources.add_pandas(name).add_dataframe_asset(name)
    definition = gx.ValidationDefinition(
        name=name,
        data=asset.add_batch_definition_whole_dataframe(name),
        suite=context.suites.add(suite(name, rules)),
    )
    wanted: dict[str, Any] = {"result_format": "BASIC", "partial_unexpected_count": 0}
    if name_rows:
        wanted = {"result_format": "COMPLETE", "unexpected_index_column_names": ["ordinal"]}
    outcome = context.validation_definitions.add(definition).run(
        batch_parameters={"dataframe": frame}, result_format=wanted
    )
    if outcome.exception_info_found if hasattr(outcome, "exception_info_found") else False:
        raise RuntimeError(name)
    return {
        result.expectation_config.kwargs["column"]: result.to_json_dict()
        for result in outcome.results
    }
