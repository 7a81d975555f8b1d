"""Our named Great Expectations rules: each judges one verdict column, computed beforehand.

A verdict column holds True where the rule holds, for every row of the delivery; so the suite
checks all rows, and its result names the ones that fail.
"""

from __future__ import annotations

import great_expectations as gx
from great_expectations.expectations.core.expect_column_values_to_be_in_set import (
    ExpectColumnValuesToBeInSet,
)
from great_expectations.expectations.metadata_types import FailureSeverity

from checks.rules import DELIVERY_RULES, ROW_RULES, Rule


class ExpectVerdictToHold(ExpectColumnValuesToBeInSet):
    """Every verdict in the column is True; the rule's own words are its description."""

    value_set: list[bool] = [True]  # noqa: RUF012 (a pydantic field, as the library wants it)


def _expectation(rule: Rule) -> type[ExpectVerdictToHold]:
    """The rule as an expectation of its own name: `key_is_unique` → `ExpectKeyIsUnique`."""
    name = "Expect" + "".join(word.capitalize() for word in rule.name.split("_"))
    return type(
        name, (ExpectVerdictToHold,), {"__doc__": f"{rule.meaning}.", "__module__": __name__}
    )


BY_RULE = {rule.name: _expectation(rule) for rule in ROW_RULES + DELIVERY_RULES}
_SEVERITY = {
    "stop": FailureSeverity.CRITICAL,
    "quarantine": FailureSeverity.CRITICAL,
    "note": FailureSeverity.WARNING,
}


def suite(name: str, rules: tuple[Rule, ...]) -> gx.ExpectationSuite:
    """A suite with one expectation for each rule."""
    return gx.ExpectationSuite(
        name=name,
        expectations=[
            BY_RULE[rule.name](
                column=rule.name,
                description=rule.meaning,
                severity=_SEVERITY[rule.severity],
                meta={"severity": rule.severity},
            )
            for rule in rules
        ],
    )
