"""Registration numbers in one form, so that a number typed two ways is one number."""

from __future__ import annotations

import unicodedata

NOT_A_REGISTER = ("RA888888", "RA999999")
"""GLEIF's codes for "no register's code" and "no register": numbers under them cannot be joined."""


def register_key(authority: str | None, number: str | None) -> str | None:
    """`RA000472:999999999` for a register's code and a number as typed; None when it joins nothing.

    Capitals, and letters and digits only: Norway publishes both `999 999 999` and `999999999`.
    Leading zeros stay, because in some registers they tell numbers apart.
    """
    if not authority or not number or authority in NOT_A_REGISTER:
        return None
    text = unicodedata.normalize("NFKC", number).upper()
    plain = "".join(sign for sign in text if sign.isalnum())
    return f"{authority}:{plain}" if plain.strip("0") else None
