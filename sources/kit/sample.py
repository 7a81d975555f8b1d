"""Invented companies in GLEIF's published layout: a file of any length, and the bundled sample.

No name, number or address is taken from real records; the codes (registers, legal forms,
regions) are real. `sample_world.toml` holds the invented parts, `sample_draw` what chance decides,
`sample_rows` and `sample_blocks` the columns, `sample_file` the file, `sample_bundle` the sample.
"""

from sources.kit.sample_bundle import (
    SAMPLE_DAY,
    BadRow,
    BundledSample,
    OddRow,
    bundled_sample,
)
from sources.kit.sample_draw import Mix
from sources.kit.sample_file import SampleFacts, columns, header, write_full

__all__ = [
    "SAMPLE_DAY",
    "BadRow",
    "BundledSample",
    "Mix",
    "OddRow",
    "SampleFacts",
    "bundled_sample",
    "columns",
    "header",
    "write_full",
]
