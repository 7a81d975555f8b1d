"""Days as registers write them become days as everybody does, whatever stands beside them."""

from __future__ import annotations

import pyarrow as pa
import pytest

from sources.kit.register_days import iso


@pytest.mark.parametrize(
    ("given", "found"),
    [
        (["05.06.2023", "31.12.1999"], ["2023-06-05", "1999-12-31"]),
        ([None, "05.06.2023", None, "01.01.2001"], [None, "2023-06-05", None, "2001-01-01"]),
        (["05.06.2023", "2023-06-05"], ["2023-06-05", "2023-06-05"]),
        (["05.06.2023", " 05.06.2023 ", ""], ["2023-06-05", "2023-06-05", ""]),
        (["05.06.2023", "5.6.2023"], ["2023-06-05", "5.6.2023"]),
        (["05.06.2023", "aa.bb.cccc"], ["2023-06-05", "aa.bb.cccc"]),
        (["05.06.2023", "05/06/2023"], ["2023-06-05", "05/06/2023"]),
        (["05.06.20231", "5.06.2023"], ["05.06.20231", "5.06.2023"]),
        ([None, None], [None, None]),
        ([], []),
    ],
)
@pytest.mark.parametrize("skipped", [0, 1])
def test_a_dotted_day_is_turned_and_any_other_text_stays(given, found, skipped) -> None:
    column = pa.array([*["99.99.9999"] * skipped, *given], pa.string()).slice(skipped)
    assert iso(column).to_pylist() == found
    iso(column).validate(full=True)
