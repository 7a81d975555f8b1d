"""E-mail addresses of registers, brought to one form; what no listed repair mends is kept out."""

from __future__ import annotations

import unicodedata

import pyarrow as pa
import pyarrow.compute as pc

from sources.kit.contact_rules import (
    EMPTY,
    PERSONAL_NUMBER,
    SPLIT,
    Part,
    Reading,
    between,
    is_stable,
    plain,
    repaired,
)
from sources.kit.identity_numbers import holds_personal_number
from sources.kit.personal_numbers import held_in

KIND = "email"
NO_AT, UNREADABLE = "no_at_sign", "unreadable"
_CLEAN = (
    r"^[a-z0-9](?:[a-z0-9_+-]*(?:\.[a-z0-9_+-]+)?)*"
    r"@(?:[a-z0-9]+(?:-[a-z0-9]+)*\.)+[a-z]{2,24}$"
)
_SPECIAL = r"\.(?:arpa|invalid|local|localhost|onion)$"
"""Names that mail cannot have (RFC 6761, 6762, 7686); left to email-validator to refuse."""
_SHORT = 64
"""So short that neither the local part (64) nor any label of the domain (63) can be too long."""


def clean(originals: pa.Array, countries: pa.Array) -> tuple[pa.Array, pa.Array]:
    """(values, which are certain) of addresses that need no repair: the validator agrees on them.

    Capitals and blanks around are no fault. What holds a personal number is left to `read`.
    """
    values = pc.ascii_lower(pc.utf8_trim_whitespace(originals))
    certain = pc.and_(
        pc.match_substring_regex(values, _CLEAN),
        pc.less_equal(pc.binary_length(values), _SHORT),
    )
    doubtful = pc.match_substring_regex(values, _SPECIAL)
    certain = pc.fill_null(pc.and_not(certain, doubtful), False)  # noqa: FBT003 (pyarrow's signature)
    return values, pc.and_not(certain, pa.array(held_in((originals, values), countries)))


def read(original: str, country: str | None) -> Reading:
    """One field: its address or addresses in their one form (lower case, Unicode domain).

    Lower case because no register's mailbox is told from another by it. Domains for tests (.test)
    pass, as they do on the do-not-contact list.
    """
    text = plain(original)
    if not text:
        return Reading((Part(None, EMPTY),), ())
    if holds_personal_number(text, country):
        return Reading((Part(None, PERSONAL_NUMBER),), ())
    whole, used = repaired(KIND, text)
    first = _part(whole, country)
    pieces = [piece for piece in between(KIND).split(text) if piece]
    if first.value is not None or len(pieces) == 1 or not all("@" in one for one in pieces):
        return Reading((first,), used)
    mended = [repaired(KIND, piece) for piece in pieces]
    names = dict.fromkeys(name for _, each in mended for name in each)
    return Reading(tuple(_part(piece, country) for piece, _ in mended), (SPLIT, *names))


def _part(text: str, country: str | None) -> Part:
    from email_validator import EmailNotValidError, validate_email

    if "@" not in text:
        return Part(None, NO_AT)
    try:
        found = validate_email(_lower(text), check_deliverability=False, test_environment=True)
        # Lower case can undo the normal form, and the normal form lower case: both must hold.
        again = validate_email(
            _lower(found.normalized), check_deliverability=False, test_environment=True
        )
    except EmailNotValidError:
        return Part(None, UNREADABLE)
    value = again.normalized
    if holds_personal_number(value, country):
        return Part(None, PERSONAL_NUMBER)
    return Part(value, None) if is_stable(KIND, value) else Part(None, UNREADABLE)


def _lower(text: str) -> str:
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).lower())
