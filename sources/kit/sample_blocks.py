"""The wide groups of columns that are mostly empty: other names, addresses, events, successors."""

from __future__ import annotations

from datetime import date, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from sources.kit import sample_draw

if TYPE_CHECKING:
    from sources.kit.sample_world import World

Lists = dict[str, list[int]]

EMPTY = tuple('","'.join([""] * max(n, 1)) for n in range(100))
"""`EMPTY[n]`: n empty columns in a row."""

_NAME_KINDS = (
    "TRADING_OR_OPERATING_NAME",
    "PREVIOUS_LEGAL_NAME",
    "ALTERNATIVE_LANGUAGE_LEGAL_NAME",
)
_EVENT_TYPES = (
    "CHANGE_LEGAL_ADDRESS", "CHANGE_HQ_ADDRESS", "CHANGE_LEGAL_NAME", "CHANGE_LEGAL_FORM",
    "CHANGE_OTHER_NAMES", "DISSOLUTION", "LIQUIDATION", "ABSORPTION",
)  # fmt: skip
_DOCUMENTS = ("SUPPORTING_DOCUMENTS", "OTHER_OFFICIAL_DOCUMENTS", "REGULATORY_FILING")


def _endings() -> list[str]:
    """Four issuers' ways of writing the end of a timestamp, 256 of each, as mixed in one file."""
    rng = np.random.default_rng(11)
    times = [
        f"T{h:02d}:{m:02d}:{s:02d}"
        for h, m, s in rng.integers((0, 0, 0), (24, 60, 60), (256, 3)).tolist()
    ]
    milliseconds = rng.integers(0, 1000, 256).tolist()
    midnight = ["T00:00:00+02:00", "T00:00:00+01:00", "T00:00:00Z", "T00:00:00+00:00"]
    return (
        [midnight[n % 4] for n in range(256)]
        + [f"{time}.{milli:03d}Z" for time, milli in zip(times, milliseconds, strict=True)]
        + [f"{time}Z" for time in times]
        + [f"{time}+00:00" for time in times]
    )


ENDINGS = _endings()
"""`T…` endings; `issuer % 4 * 256 + n` is the n-th in that issuer's way."""


def _events(rng: np.random.Generator) -> str:
    """One to five events, 19 columns each, of years long gone (95 columns in all)."""
    parts = []
    count = int(rng.choice(5, p=(0.6, 0.3, 0.06, 0.02, 0.02))) + 1
    for n in range(count):
        effective = date(2014, 1, 1) + timedelta(days=int(rng.integers(0, 3000)))
        status = "IN_PROGRESS" if rng.random() < 0.04 else "COMPLETED"  # noqa: PLR2004, as rare as in a delta
        is_grouped = count > 1 and rng.random() < 0.1  # noqa: PLR2004, likewise
        head = (
            ("CHANGE_LEGAL_FORM_AND_NAME", status, str(effective.toordinal()), str(n + 1))
            if is_grouped
            else ("STANDALONE", status, "", "")
        )
        kind = _EVENT_TYPES[int(rng.choice(8, p=(0.48, 0.27, 0.13, 0.05, 0.02, 0.02, 0.02, 0.01)))]
        days = (f"{effective}T00:00:00Z", f"{effective + timedelta(days=9)}T08:15:00.001Z")
        documents = _DOCUMENTS[int(rng.integers(0, 3))]
        parts += [*head, kind, *days, documents, "", EMPTY[10]]
    return '","'.join([*parts, *[EMPTY[19]] * (5 - count)])


@lru_cache(maxsize=1)
def event_blocks() -> list[str]:
    """512 blocks of events; the first one is empty."""
    rng = np.random.default_rng(13)
    return [EMPTY[95]] + [_events(rng) for _ in range(511)]


def other_names(w: World, d: Lists, languages: list[str]) -> list[str]:
    """Up to five other names: name, language, kind (15 columns)."""
    rows = [EMPTY[15]] * len(languages)
    for n in np.flatnonzero(d["others"]).tolist():
        block, parts = d["stem"][n] - d["stem"][n] % 4096, []
        for k in range(d["others"][n]):
            kind = _NAME_KINDS[(d["other_kind"][n] + k) % 3]
            text = (
                f"{w.stems[block + (d['stem'][n] + 97 * k + 31) % 4096]} {w.trades[d['trade'][n]]}"
            )
            is_english = kind.startswith("ALTERNATIVE")
            parts += [text.translate(w.ascii) if is_english else text]
            parts += ["en" if is_english else languages[n], kind]
        rows[n] = '","'.join([*parts, *[""] * (15 - len(parts))])
    return rows


def romanised_names(w: World, d: Lists, names: list[str], languages: list[str]) -> list[str]:
    """The legal name in plain ASCII where it is not (15 columns, at most one filled)."""
    kinds = (
        "",
        "AUTO_ASCII_TRANSLITERATED_LEGAL_NAME",
        "PREFERRED_ASCII_TRANSLITERATED_LEGAL_NAME",
    )
    return [
        EMPTY[15]
        if not romanised or name.isascii()
        else f'{name.translate(w.ascii)}","{language}","{kinds[romanised]}","{EMPTY[12]}'
        for name, language, romanised in zip(names, languages, d["romanised"], strict=True)
    ]


def spare_addresses(w: World, d: Lists, legal: list[str]) -> list[str]:
    """The legal address in English letters (65 columns, at most one address filled)."""
    rows = [EMPTY[65]] * len(legal)
    for n in np.flatnonzero(d["other_address"]).tolist():
        text = legal[n].translate(w.ascii)
        rows[n] = f'en","ALTERNATIVE_LANGUAGE_LEGAL_ADDRESS","{text}","{EMPTY[52]}'
    return rows


def romanised_addresses(
    w: World, d: Lists, legal: list[str], headquarters: list[str], languages: list[str]
) -> list[str]:
    """Both addresses in plain ASCII where they are not (65 columns)."""
    rows = []
    for here, there, language, kind in zip(
        legal, headquarters, languages, d["romanised"], strict=True
    ):
        if kind != 1 or here.isascii():
            rows.append(EMPTY[65])
            continue
        rows.append(
            f'{language}","AUTO_ASCII_TRANSLITERATED_LEGAL_ADDRESS","{here.translate(w.ascii)}",'
            f'"{language}","AUTO_ASCII_TRANSLITERATED_HEADQUARTERS_ADDRESS",'
            f'"{there.translate(w.ascii)}","{EMPTY[39]}'
        )
    return rows


def successors(d: Lists, leis: list[str], names: list[str], languages: list[str]) -> list[str]:
    """Who took over: the neighbour in the file (15 columns, at most one filled)."""
    status = np.array(d["status"])
    is_taken_over = np.isin(status, (sample_draw.RETIRED, sample_draw.MERGED)) & (
        np.array(d["reason"]) == 1
    )
    rows = [EMPTY[15]] * len(leis)
    for n in np.flatnonzero(is_taken_over | (status == sample_draw.DUPLICATE)).tolist():
        rows[n] = f'{leis[n - 1]}","{names[n - 1]}","{languages[n - 1]}","{EMPTY[12]}'
    return rows
