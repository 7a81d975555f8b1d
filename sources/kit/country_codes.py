"""Countries' three-letter codes as the two letters that every frame uses."""

from __future__ import annotations

from functools import cache

import pyarrow as pa
import pyarrow.compute as pc

from sources.kit.countries import COUNTRY_CODES


@cache
def _listed() -> tuple[pa.Array, pa.Array]:
    """(three letters, two letters) of ISO 3166-1, from CLDR's territory aliases."""
    from babel.core import get_global

    pairs = [
        (long, short[0])
        for long, short in get_global("territory_aliases").items()
        if len(long) == 3 and long.isalpha() and len(short) == 1 and short[0] in COUNTRY_CODES  # noqa: PLR2004 (alpha-3)
    ]
    return pa.array([long for long, _ in pairs]), pa.array([short for _, short in pairs])


def alpha2(codes: pa.Array) -> pa.Array:
    """`EST` as `EE`; what is no such code stays as it is, for the arrival checks to see."""
    long, short = _listed()
    return pc.coalesce(short.take(pc.index_in(codes, value_set=long)), codes)
