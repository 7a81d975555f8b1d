"""Registration numbers in one form, so that a number typed two ways is one number."""

from __future__ import annotations

import unicodedata

from sources.kit.number_spaces import NOT_A_REGISTER, key_of


def register_key(authority: str | None, number: str | None) -> str | None:
    """`RA000472:999999999` for a register's code and a number as typed; None when it joins nothing.

    The code is that of the number space: two registers can share one (`register_numbers.toml`).
    What does not have its register's shape is told apart by its capitals, letters and digits.
    """
    if not authority or not number or authority in NOT_A_REGISTER:
        return None
    if key := key_of(authority, number):
        return ":".join(key)
    text = unicodedata.normalize("NFKC", number).upper()
    plain = "".join(sign for sign in text if sign.isalnum())
    return f"{authority}:{plain}" if plain.strip("0") else None
