"""Websites of registers in one form: https where no scheme is stated, and nothing that tracks."""

from __future__ import annotations

import re
from urllib.parse import SplitResult, urlsplit

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
    rules_of,
)
from sources.kit.identity_numbers import holds_personal_number
from sources.kit.personal_numbers import held_in

KIND = "website"
NO_HOST, MAILBOX, UNREADABLE = "no_host", "mailbox", "unreadable"
SCHEME_ADDED, TRACKING = "scheme_added", "tracking"
_HOST = r"(?:[a-z0-9]+(?:-[a-z0-9]+)*\.)+[a-z]{2,24}"
_BARE = rf"^{_HOST}/?$"
_STATED = rf"^https?://{_HOST}/?$"
_PUNYCODE = "xn--"
_SHORT = 63
_LONGEST = 2000
"""No browser's bar takes more, and no register means more."""
_DOMAIN = re.compile(
    r"(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+(?:[a-z]{2,24}|xn--[a-z0-9-]+)", re.ASCII
)
_PLAIN_HOST = re.compile(rf"(?!.*(?:xn--|[^.]{{64}}|.{{254}})){_HOST}", re.ASCII)
_SCHEME = re.compile("^[A-Za-z]+(?=:)")
_PORTS = {"http": 80, "https": 443}


def clean(originals: pa.Array, countries: pa.Array) -> tuple[pa.Array, pa.Array]:
    """(values, which are certain) of plain hosts with their scheme, without a path.

    A bare host is not among them: adding a scheme is a repair, and repairs are counted.
    """
    values = pc.ascii_lower(pc.utf8_trim_whitespace(originals))
    certain = pc.and_(
        pc.match_substring_regex(values, _STATED), pc.less_equal(pc.binary_length(values), _SHORT)
    )
    values = pc.utf8_rtrim(values, "/")
    return values, _without_doubt(certain, originals, values, countries)


def bare(originals: pa.Array, countries: pa.Array) -> tuple[pa.Array, pa.Array]:
    """(values, which are certain) of plain hosts without scheme or path: `www.firma.example`."""
    hosts = pc.ascii_lower(pc.utf8_trim_whitespace(originals))
    certain = pc.and_(
        pc.match_substring_regex(hosts, _BARE), pc.less_equal(pc.binary_length(hosts), _SHORT)
    )
    values = pc.binary_join_element_wise("https://", pc.utf8_rtrim(hosts, "/"), "")
    return values, _without_doubt(certain, originals, values, countries)


def _without_doubt(
    certain: pa.Array, originals: pa.Array, values: pa.Array, countries: pa.Array
) -> pa.Array:
    """Those of the certain ones that are not in punycode and hold no personal number."""
    doubtful = pc.match_substring(values, _PUNYCODE)
    certain = pc.fill_null(pc.and_not(certain, doubtful), False)  # noqa: FBT003 (pyarrow's signature)
    return pc.and_not(certain, pa.array(held_in((originals, values), countries)))


def read(original: str, country: str | None) -> Reading:
    """One field: its address or addresses in their one form (RFC 3986 section 6).

    Host in lower case and ASCII (IDNA), default port, fragment, tracking parameters and an empty
    path gone; path and other parameters as published. `http` stays where the register says so.
    """
    text = _SCHEME.sub(lambda scheme: scheme.group().lower(), plain(original))
    if not text:
        return Reading((Part(None, EMPTY),), ())
    if holds_personal_number(text, country):
        return Reading((Part(None, PERSONAL_NUMBER),), ())
    whole, used = repaired(KIND, text)
    part, added = _part(whole, country)
    pieces = [piece for piece in between(KIND).split(text) if piece]
    if part.value is not None or len(pieces) == 1 or not all("." in one for one in pieces):
        return Reading((part,), (*used, *added))
    found = [repaired(KIND, piece) for piece in pieces]
    parts = [_part(piece, country) for piece, _ in found]
    names = dict.fromkeys(name for _, each in (*found, *parts) for name in each)
    return Reading(tuple(part for part, _ in parts), (SPLIT, *names))


def _part(text: str, country: str | None) -> tuple[Part, tuple[str, ...]]:
    added: tuple[str, ...] = ()
    if "://" not in text:
        text, added = f"https://{text}", (SCHEME_ADDED,)
    try:
        split = urlsplit(text)
        port = split.port
    except ValueError:
        return Part(None, UNREADABLE), ()
    if "@" in split.netloc:
        return Part(None, MAILBOX), ()
    host = _host(split.hostname or "")
    if split.scheme not in _PORTS or host is None:
        return Part(None, NO_HOST), ()
    query, dropped = _without_tracking(split)
    place = host if port in (None, _PORTS[split.scheme]) else f"{host}:{port}"
    path = "" if split.path == "/" and not query else split.path
    value = f"{split.scheme}://{place}{path}{f'?{query}' if query else ''}"
    rule = _fault(value, country)
    return (Part(None, rule), ()) if rule else (Part(value, None), (*added, *dropped))


def _fault(value: str, country: str | None) -> str | None:
    """The rule that keeps a readable address out after all."""
    if holds_personal_number(value, country):
        return PERSONAL_NUMBER
    has_blank = any(sign.isspace() for sign in value)
    is_kept = not has_blank and len(value) <= _LONGEST and is_stable(KIND, value)
    return None if is_kept else UNREADABLE


def _host(text: str) -> str | None:
    """The host in ASCII lower case, or None where it cannot be a company's."""
    import idna

    host = text.rstrip(".")
    if not _PLAIN_HOST.fullmatch(host):
        try:
            host = idna.encode(host, uts46=True).decode("ascii")
        except (idna.IDNAError, UnicodeError):
            return None
    return host if _DOMAIN.fullmatch(host) else None


def _without_tracking(split: SplitResult) -> tuple[str, tuple[str, ...]]:
    dropped = frozenset(rules_of(KIND)["tracking"])
    pairs = split.query.split("&") if split.query else []
    kept = [pair for pair in pairs if pair.partition("=")[0].lower() not in dropped]
    return "&".join(kept), (TRACKING,) if len(kept) < len(pairs) else ()
