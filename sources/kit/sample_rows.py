"""From a draw to CSV lines in the published layout, one group of columns at a time."""

from __future__ import annotations

from datetime import date, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from sources.kit import sample_draw, sample_lei
from sources.kit.sample_blocks import (
    EMPTY,
    ENDINGS,
    event_blocks,
    other_names,
    romanised_addresses,
    romanised_names,
    spare_addresses,
    successors,
)
from sources.kit.sample_numbers import registration_number
from sources.kit.sample_world import NUMBER_MARK, TRUSTS, World, world

if TYPE_CHECKING:
    from sources.kit.sample_draw import Draw

Lists = dict[str, list[int]]

_CONFORMITY = ("CONFORMING", "NON_CONFORMING", "NOT_APPLICABLE", "")
_CORROBORATION = ("FULLY_CORROBORATED", "PARTIALLY_CORROBORATED", "ENTITY_SUPPLIED_ONLY")
_ENTITY_STATUS = ("ACTIVE", "INACTIVE", "NULL")
_REASONS = ("DISSOLVED", "CORPORATE_ACTION", "OTHER")
_OTHER_FORMS = ("Exempt company", "Cooperative society", "Association", "Free zone company")
_LEVELS = ("CENTRAL_GOVERNMENT", "STATE_GOVERNMENT", "LOCAL_GOVERNMENT", "SOCIAL_SECURITY")
_SCRAMBLE = 271_828_182_845_904_529
"""No multiple of 2, 3 or 5: a running number times this repeats in no tail of k digits."""
_CHECKED = 9 * 10**5 * 9
"""Numbers of eight digits with a check digit: a leading one, five more, one that is usable."""


@lru_cache(maxsize=1)
def _days() -> list[str]:
    """ISO dates from 1900-01-01 to 2099."""
    first = date(1900, 1, 1)
    return [(first + timedelta(days=n)).isoformat() for n in range(73_000)]


def day_number(day: date) -> int:
    """Days since 1900-01-01, the unit of every day in a draw."""
    return (day - date(1900, 1, 1)).days


def _name(w: World, d: Lists, n: int) -> str:
    """The legal name of company `n`, escaped for a quoted field."""
    category, trust, person = d["category"][n], d["trust"][n], w.people[d["person"][n]]
    stem, trade = w.stems[d["stem"][n]], w.trades[d["trade"][n]]
    if category == sample_draw.SOLE_PROPRIETOR:
        return w.soles[d["country"][n]][0] % (person, stem)
    if trust:
        return w.trusts[d["country"][n] * TRUSTS + trust - 1] % person
    if category == sample_draw.FUND:
        return f"{stem} {trade} Fund"
    if category == sample_draw.GOVERNMENT:
        return f"Municipality of {stem}"
    if category == sample_draw.INTERNATIONAL:
        return f"International {stem} Organisation"
    return w.forms[d["form"][n]][0] % (stem, trade) + " (Branch)"


def _names(w: World, d: Lists) -> list[str]:
    names = [
        w.forms[form][0] % (w.stems[stem], w.trades[trade])
        for form, stem, trade in zip(d["form"], d["stem"], d["trade"], strict=True)
    ]
    for n in np.flatnonzero(np.array(d["category"]) + np.array(d["trust"])).tolist():
        names[n] = _name(w, d, n)
    return [name.upper() if up else name for name, up in zip(names, d["upper"], strict=True)]


def _address(line: str, routing: str, extra: str, tail: str, number: str = "") -> str:
    """The eleven columns of an address after its language."""
    return f'{line}","{number}","","{routing}","{extra}","","","{tail}'


def _line(street: str, house: int, up: int) -> str:
    line = street.replace(NUMBER_MARK, str(house))
    return line.upper() if up else line


def _extra(w: World, d: Lists, n: int) -> tuple[str, str]:
    """(mail routing, first additional line): a care-of person, a unit, or nothing."""
    care, person = d["care"][n], w.people[d["person"][n]]
    if care == sample_draw.CARE_EXTRA:
        return "", f"C/O {person}"
    if care == sample_draw.CARE_ROUTING:
        return f"c/o {person}", ""
    return "", ("", w.stems[d["stem"][n]] + " 2", f"Unit {d['house'][n] % 40}")[d["extra"][n]]


def _legal(w: World, d: Lists) -> list[str]:
    lines = [
        _line(w.streets[street], house, up)
        for street, house, up in zip(d["street"], d["house"], d["upper"], strict=True)
    ]
    for n in np.flatnonzero(np.array(d["care"]) == sample_draw.CARE_FIRST).tolist():
        lines[n] = f"C/O {w.people[d['person'][n]]}, {lines[n]}"
    rests = [
        f'{line}","","","","","","","{w.tails[tail]}'
        for line, tail in zip(lines, d["tail"], strict=True)
    ]
    busy = np.array(d["care"]) + np.array(d["extra"]) + np.array(d["numbered"])
    for n in np.flatnonzero(busy).tolist():
        number = ("", str(d["house"][n]), f"KM {d['house'][n]}")[d["numbered"][n]]
        rests[n] = _address(lines[n], *_extra(w, d, n), w.tails[d["tail"][n]], number)
    return rests


def _headquarters(w: World, d: Lists, legal: list[str]) -> list[str]:
    rests = list(legal)
    for n in np.flatnonzero(d["hq"]).tolist():
        line = _line(w.streets[d["hq_street"][n]], d["hq_house"][n], d["upper"][n])
        rests[n] = _address(line, "", "", w.tails[d["hq_tail"][n]])
    return rests


def _numbers(w: World, d: Lists) -> list[str]:
    """Each company's number at its register, in that register's shape; no two are alike."""
    found = []
    for slot, number in zip(d["authority"], d["number"], strict=True):
        authority = w.authorities[slot]
        if authority.check:
            found.append(registration_number(authority.shape, authority.check, _scattered(number)))
            continue
        digits = f"{number * _SCRAMBLE + 57_721_566:018d}"[-authority.digits :]
        found.append(authority.shape.replace("#", "%s") % tuple(digits))
    return found


def _scattered(number: int) -> int:
    """`number` moved about among the numbers with check digits; no two meet below 8.1 million."""
    return (number * _SCRAMBLE + 57_721_566) % _CHECKED


def _registers(w: World, d: Lists) -> list[str]:
    """RA code, other authority, number: three columns, twice in a row."""
    rows = [
        f'{w.authorities[slot].code}","{w.authorities[slot].other}","{number}'
        for slot, number in zip(d["authority"], _numbers(w, d), strict=True)
    ]
    is_supplied_only = np.array(d["validation"]) == sample_draw.SUPPLIED_ONLY
    for n in np.flatnonzero(is_supplied_only).tolist():
        rows[n] = 'RA999999","","'
    return rows


def _forms(w: World, d: Lists) -> list[str]:
    """Legal form code, other legal form."""
    codes = [w.forms[form][1] for form in d["form"]]
    for n in np.flatnonzero(np.array(d["category"]) + np.array(d["trust"])).tolist():
        is_sole = d["category"][n] == sample_draw.SOLE_PROPRIETOR
        codes[n] = w.soles[d["country"][n]][1] if is_sole else "8888"
    return [
        f'{code}","{_OTHER_FORMS[other]}' if code == "8888" else f'{code}","'
        for code, other in zip(codes, d["other_form"], strict=True)
    ]


def _kinds(w: World, d: Lists) -> list[str]:
    """Jurisdiction, category, subcategory."""
    return [
        f'{w.jurisdictions[country]}","{sample_draw.CATEGORIES[category]}","'
        + (_LEVELS[other] if category == sample_draw.GOVERNMENT else "")
        for country, category, other in zip(
            d["country"], d["category"], d["other_form"], strict=True
        )
    ]


def _existence(d: Lists) -> list[str]:
    """Entity status, creation, expiration date and reason."""
    days, endings = _days(), ENDINGS
    rows = [
        f'{_ENTITY_STATUS[status]}","{days[day] + endings[ending] if has else ""}","","'
        for status, day, ending, has in zip(
            d["entity_status"], d["creation"], d["time_0"], d["has_creation"], strict=True
        )
    ]
    for n in np.flatnonzero(d["expiry"]).tolist():
        expired = days[d["expiry"][n]] + endings[d["time_1"][n]]
        rows[n] = f'{rows[n][:-3]}{expired}","{_REASONS[d["reason"][n]]}'
    return rows


def _registration(d: Lists) -> list[str]:
    """First registration, last update, status, next renewal, issuer, corroboration."""
    days, endings, statuses = _days(), ENDINGS, sample_draw.STATUSES
    issuers = [sample_lei.issuer(prefix) for prefix in sample_lei.PREFIXES]
    return [
        f'{days[first]}{endings[a]}","{days[last]}{endings[b]}","{statuses[status]}",'
        f'"{days[renewal]}{endings[c]}","{issuers[issuer]}","{_CORROBORATION[validation]}'
        for first, a, last, b, status, renewal, c, issuer, validation in zip(
            d["initial"], d["time_1"], d["last"], d["time_2"], d["status"],
            d["renewal"], d["time_3"], d["issuer"], d["validation"], strict=True,
        )
    ]  # fmt: skip


def _more_registers(w: World, d: Lists, numbers: list[str]) -> list[str]:
    """Five further validation authorities, of which at most one is filled."""
    rows = [EMPTY[15]] * len(numbers)
    for n in np.flatnonzero(d["second_authority"]).tolist():
        slot = d["authority"][n] - d["authority"][n] % 8
        rows[n] = f'{w.authorities[slot].code}","","{numbers[n][::-1]}","{EMPTY[12]}'
    return rows


def lines(drawn: Draw, prefix: str) -> list[str]:
    """One CSV line a company (338 quoted fields, no line end), in the order of the draw."""
    w = world()
    d = {key: values.tolist() for key, values in drawn.items()}
    languages = [w.languages[country] for country in d["country"]]
    leis, names = sample_lei.leis(prefix, drawn["body"]), _names(w, d)
    legal = _legal(w, d)
    headquarters, registers = _headquarters(w, d, legal), _registers(w, d)
    numbers = [register.rpartition('"')[2] for register in registers]
    events = event_blocks()
    groups = zip(
        leis, names, languages,
        other_names(w, d, languages), romanised_names(w, d, names, languages),
        languages, legal, languages, headquarters,
        spare_addresses(w, d, legal),
        romanised_addresses(w, d, legal, headquarters, languages),
        registers, _kinds(w, d), _forms(w, d), [EMPTY[4]] * len(leis), _existence(d),
        successors(d, leis, names, languages), [events[n] for n in d["event"]],
        _registration(d), registers, _more_registers(w, d, numbers),
        [_CONFORMITY[n] for n in d["conformity"]],
        strict=True,
    )  # fmt: skip
    return ['"' + '","'.join(group) + '"' for group in groups]
