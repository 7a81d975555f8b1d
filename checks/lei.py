"""LEI check digits for whole columns (ISO 17442-1, check character system of ISO/IEC 7064)."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sources.kit.flat import truths

LENGTH = 20
WELL_FORMED = r"^[0-9A-Z]{18}[0-9]{2}$"


def well_formed(leis: pa.Array) -> pa.Array:
    """Eighteen capitals or digits and two digits; false for null."""
    return pc.fill_null(pc.match_substring_regex(leis, WELL_FORMED), False)  # noqa: FBT003 (pyarrow's signature)


def check_digits_hold(leis: pa.Array, formed: pa.Array) -> np.ndarray:
    """Where the whole number, A..Z read as 10..35, leaves 1 modulo 97; true where not `formed`.

    What is not well formed is another rule's finding, so this one does not judge it.
    """
    verdict = np.ones(len(leis), dtype=bool)
    judged = formed.to_numpy(zero_copy_only=False)
    if not judged.any():
        return verdict
    fixed = pc.cast(pc.cast(leis.filter(formed), pa.binary()), pa.binary(LENGTH))
    characters = np.frombuffer(fixed.buffers()[1], dtype=np.uint8).reshape(-1, LENGTH)
    values = np.where(characters >= ord("A"), characters - (ord("A") - 10), characters - ord("0"))
    remainder = np.zeros(len(values), dtype=np.int64)
    for place in range(LENGTH):
        value = values[:, place].astype(np.int64)
        remainder = (remainder * np.where(value >= 10, 100, 10) + value) % 97  # noqa: PLR2004 (a letter is two digits)
    verdict[judged] = remainder == 1
    return verdict


def few_hold(column: pa.ChunkedArray) -> np.ndarray:
    """Which values are sound LEIs (bool), in a column of a few dozen that repeat."""
    distinct = pc.unique(column)
    formed = well_formed(distinct)
    sound = distinct.filter(pc.and_(formed, pa.array(check_digits_hold(distinct, formed))))
    return truths(pc.is_in(column, value_set=sound))
