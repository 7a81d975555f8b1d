"""How alike two companies' names are, for a person who reviews a join; nothing is joined by it."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from functools import cache
from importlib import resources

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sources.kit.code_words import built_in
from sources.kit.flat import truths

_SIGNS = r"[^\pL\pN]+"
_PLAIN_SIGNS = r"[\x00-/:-@\[-`{-\x7f]+"
"""The same in ASCII, which most names have no others than."""


def core(name: str, country: str | None) -> str:
    """The name without its country's legal forms: lower case, words by single blanks."""
    found: str = cores(pa.array([name], pa.string()), country)[0].as_py()
    return found


def cores(names: pa.Array, country: str | None) -> pa.Array:
    """`core` of a column of names of companies of one country (ISO 3166-1); null stays null.

    A name that is nothing but legal forms keeps its words. Of an unknown country none is a form.
    """
    words = _words(names)
    pattern = _forms(country)
    if not pattern:
        return words
    bare = words
    # Neighbours share the blank between them, and RE2 looks at each sign once: again until at rest.
    while (found := _truths(pc.match_substring_regex(bare, pattern))).any():
        less = pc.replace_substring_regex(bare.filter(pa.array(found)), pattern, " ")
        bare = pc.replace_with_mask(bare, pa.array(found), pc.utf8_trim_whitespace(less))
    return pc.if_else(pc.equal(bare, ""), words, bare)


def likeness(one: str, other: str, country: str | None) -> int:
    """0 (nothing alike) to 100 (the same words, in any order), legal forms of `country` apart.

    Accents do not count. By rapidfuzz's `token_sort_ratio`, which has no sides. A hint for the
    reader and no more: two companies can bear one name.
    """
    from rapidfuzz import fuzz  # a name's core is wanted by every load, its likeness by a reader

    left, right = (_plain(core(name, country)) for name in (one, other))
    if not left or not right:
        return 0
    return round(fuzz.token_sort_ratio(left, right))


def _words(names: pa.Array) -> pa.Array:
    folded = pc.utf8_lower(pc.utf8_normalize(names, form="NFKC"))
    words = pc.replace_substring_regex(folded, _PLAIN_SIGNS, " ")
    # To make the pattern of all letters ready takes longer than to read a thousand names.
    odd = ~_truths(pc.utf8_is_alnum(pc.replace_substring(words, " ", "a")))
    if odd.any():
        mask = pa.array(odd)
        rest = pc.replace_substring_regex(folded.filter(mask), _SIGNS, " ")
        words = pc.replace_with_mask(words, mask, rest)
    return pc.utf8_trim_whitespace(words)


def _truths(column: pa.Array) -> np.ndarray:
    return truths(pc.fill_null(column, False))  # noqa: FBT003 (pyarrow's signature)


@cache
def _forms(country: str | None) -> str:
    """A pattern of the country's forms as whole words of a name that `_words` has made."""
    text = resources.files("sources.kit").joinpath("names.toml").read_text("utf-8")
    forms = list(tomllib.loads(text)["forms"].get(country or "", ()))
    listed = [form for form in built_in().codes.forms if form.country == country]
    for name in (name for form in listed for name in form.names):
        forms += [name.local_name, *(name.abbreviations or "").split(";")]
    plain = _words(pa.array([form for form in forms if form], pa.string())).to_pylist()
    ordered = sorted({form for form in plain if form}, key=lambda form: (-len(form), form))
    return rf"(?:^| )(?:{'|'.join(map(re.escape, ordered))})(?: |$)" if ordered else ""


def _plain(text: str) -> str:
    """The letters without their accents."""
    decomposed = unicodedata.normalize("NFKD", text)
    return "".join(sign for sign in decomposed if not unicodedata.combining(sign))
