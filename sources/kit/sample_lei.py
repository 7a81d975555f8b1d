"""LEIs of invented companies: a prefix no issuer uses here, a running body, valid check digits."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]

PREFIXES = (
    "1099", "2483", "3407", "4192", "5036", "6271", "6983", "7714", "8320", "9261",
)  # fmt: skip
"""Ten invented issuers, ascending: a golden copy is sorted by LEI, and so is the sample."""

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_BODY_LENGTH = 12
_COMPANIES_A_PREFIX = 4_000_000
STRIDE = 36**_BODY_LENGTH // _COMPANIES_A_PREFIX
"""Distance between two companies' bodies: LEIs rise with the company's number and never repeat."""


def check_digits(first_18: str) -> str:
    """The two check digits of an LEI (ISO 17442: A..Z are 10..35, the whole number mod 97 is 1)."""
    return f"{98 - int(''.join(str(int(c, 36)) for c in first_18) + '00') % 97:02d}"


def is_valid(lei: str) -> bool:
    """Whether `lei` is 18 capitals or digits and two check digits that fit."""
    is_formed = len(lei) == 20 and set(lei) <= set(_ALPHABET) and lei[18:].isdigit()  # noqa: PLR2004, as ISO 17442 has it
    return is_formed and int("".join(str(int(c, 36)) for c in lei)) % 97 == 1


def issuer(prefix: str) -> str:
    """The LEI of the invented issuer that hands out `prefix`."""
    first_18 = f"{prefix}00SOURCENOTE{'00'}"
    return first_18 + check_digits(first_18)


def leis(prefix: str, bodies: Ints) -> list[str]:
    """One LEI a body (0 <= body < 36**12), in the same order, with the prefix's 18 characters."""
    values = np.zeros((len(bodies), 18), dtype=np.int64)
    values[:, :6] = [int(c, 36) for c in f"{prefix}00"]
    rest = bodies.copy()
    for place in range(17, 5, -1):
        rest, values[:, place] = np.divmod(rest, 36)
    remainder = np.zeros(len(bodies), dtype=np.int64)
    for place in range(18):
        digit = values[:, place]
        remainder = (remainder * np.where(digit > 9, 100, 10) + digit) % 97  # noqa: PLR2004, a letter counts as two digits
    check = 98 - remainder * 100 % 97
    letters = np.frombuffer(_ALPHABET.encode(), dtype=np.uint8)
    text = np.empty((len(bodies), 20), dtype=np.uint8)
    text[:, :18] = letters[values]
    text[:, 18], text[:, 19] = letters[check // 10], letters[check % 10]
    found: list[str] = text.view("S20").ravel().astype("U20").tolist()
    return found
