"""One array out of a chunked column, without the copy `combine_chunks` makes of a single chunk."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pyarrow as pa


def flat(column: pa.ChunkedArray | pa.Array) -> pa.Array:
    """The column as one array; a single chunk is handed on as it is."""
    if not hasattr(column, "num_chunks"):
        return column
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def truths(column: pa.ChunkedArray | pa.Array) -> np.ndarray:
    """A boolean column without nulls as a NumPy array."""
    return np.asarray(flat(column).to_numpy(zero_copy_only=False), dtype=bool)
