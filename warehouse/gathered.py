"""One number a row, or a few, gathered frame by frame while a delivery streams by."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

_PART = 1 << 22


class Gathered:
    """A growing array; its memory comes in parts of four million numbers, a page when it is filled.

    Many small arrays between the frames' large ones would leave memory in splinters.
    """

    def __init__(self, dtype: npt.DTypeLike, width: int | None = None) -> None:
        """`width`: numbers a row, for an array of two dimensions."""
        self._dtype, self._row = np.dtype(dtype), () if width is None else (width,)
        self._parts: list[np.ndarray] = []
        self._free = 0

    def append(self, numbers: np.ndarray) -> None:
        """Put them behind those that are there."""
        while len(numbers):
            if not self._free:
                self._parts.append(np.empty((_PART, *self._row), self._dtype))
                self._free = _PART
            start = _PART - self._free
            count = min(len(numbers), self._free)
            self._parts[-1][start : start + count] = numbers[:count]
            self._free -= count
            numbers = numbers[count:]

    def whole(self) -> np.ndarray:
        """All of them; nothing may be appended afterwards."""
        if self._free:
            self._parts[-1] = self._parts[-1][: _PART - self._free]
        self._free = 0
        if len(self._parts) != 1:
            self._parts = [np.concatenate([np.empty((0, *self._row), self._dtype), *self._parts])]
        return self._parts[0]
