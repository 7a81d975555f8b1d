"""The suite judges every row, names exactly the rows that fail, and says what stops a delivery."""

from __future__ import annotations

import ingesting
import numpy as np
import pytest
from ingesting import company, plain_judge

from checks.arrivals import judge_rows
from checks.rules import BY_NAME, DELIVERY_RULES, NOTES, QUARANTINE, ROW_RULES
from checks.runner import Judgement, judge
from checks.verdicts import BIT, pack
from sources.kit import columns
from sources.kit.digest import canonical_texts

ALL_WELL = {rule.name: True for rule in DELIVERY_RULES}


def said(judgement: Judgement) -> tuple[object, ...]:
    """The judgement with its arrays as lists, to compare."""
    rows = {rule: ordinals.tolist() for rule, ordinals in judgement.quarantined.items()}
    return judgement.stops, rows, judgement.notes, judgement.checked


@pytest.mark.parametrize("seed", range(4))
def test_the_suite_says_what_a_plain_loop_says(seed) -> None:
    """What lets other tests judge by `plain_judge`."""
    random = np.random.default_rng(seed)
    rows = int(random.integers(1, 2000))
    holds = random.random((len(ROW_RULES), rows)) > 0.5 ** (1 + 3 * seed)
    packed = pack({rule.name: column for rule, column in zip(ROW_RULES, holds, strict=True)})
    delivery = {rule.name: bool(random.random() > 0.4) for rule in DELIVERY_RULES}
    assert said(judge(packed, delivery)) == said(plain_judge(packed, delivery))


def test_each_rule_is_judged_alone() -> None:
    """Row n breaks the n-th rule only; between them stand sound rows."""
    packed = np.zeros(2 * len(ROW_RULES), dtype=np.uint32)
    packed[1::2] = [BIT[rule.name] for rule in ROW_RULES]
    found = judge(packed, ALL_WELL)
    place = {rule.name: 2 * n + 1 for n, rule in enumerate(ROW_RULES)}
    assert said(found) == (
        (),
        {rule: [place[rule]] for rule in QUARANTINE},
        dict.fromkeys(NOTES, 1),
        len(packed),
    )


def test_real_rows_are_named_by_their_place() -> None:
    rows = [company(n) for n in range(30)]
    rows[7] = company(7, legal_name="")
    rows[11] = company(11, legal_name="", lei_status="SUSPENDED")
    rows[13] = company(13, legal_region="SE-AB")
    table = ingesting.tidied(*rows)
    packed = pack(judge_rows(table, canonical_texts(table, columns.PUBLISHED)))
    expected = {"legal_name_is_present": [7, 11], "lei_status_is_known": [11]}
    assert said(judge(packed, ALL_WELL)) == ((), expected, {"region_fits_country": 1}, 30)


def test_every_stop_is_named_even_without_rows() -> None:
    found = judge(np.zeros(0, dtype=np.uint32), {rule.name: False for rule in DELIVERY_RULES})
    assert found.stops == DELIVERY_RULES
    assert (found.quarantined, found.notes, found.checked) == ({}, {}, 0)


def test_the_suite_has_one_named_expectation_a_rule() -> None:
    from checks.expectations import suite

    found = suite("arrivals", ROW_RULES + DELIVERY_RULES).expectations
    assert [type(each).__name__ for each in found[:3]] == [
        "ExpectTextIsReadable",
        "ExpectLeiIsWellFormed",
        "ExpectLeiCheckDigitsHold",
    ]
    assert [each.column for each in found] == [rule.name for rule in ROW_RULES + DELIVERY_RULES]
    critical = {each.column for each in found if each.severity == "critical"}
    assert critical == {each.column for each in found} - set(NOTES)
    assert all(each.description == BY_NAME[each.column].meaning for each in found)
