"""Which entry is awkward in which way, and its contact points; decided by its place in the list.

`role`, `named`, `free`, `agent`, `messy` and `none` are the classes of its e-mail; `ended` has one
that is no longer valid and no other, `secret` one that must not be passed on. `sole` is a natural
person, `moved` has another address than in GLEIF, `ceased` is no longer there, `renamed` has a
former name beside the current one, `branch` is a foreign company's, with its number at home.
`protected` wants no advertising, `unit_protected` and `unit_open` disagree with their production
unit, `flagless` has no row that says so. `personal_number` has one in a field where none belongs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from sources.kit.sample_firm import Contact, Firm, Register
from sources.kit.sample_numbers import (
    cpr_number,
    fodselsnummer,
    henkilotunnus,
    isikukood,
    registration_number,
)
from sources.kit.sample_registers_words import domain, local_part, person, plain, words
from sources.kit.sample_world import AUTHORITIES, world

_PERSONAL: Mapping[Register, Callable[[int], str]] = {
    "brreg": lambda n: fodselsnummer(n, is_d_number=n % 3 == 1),
    "cvr": lambda n: cpr_number(n, has_hyphen=n % 2 == 0),
    "ariregister": isikukood,
    "prh": henkilotunnus,
}
_BRANCH_RUNNING = 7_900_000
"""Running numbers that the sample of GLEIF does not reach: branches have numbers of their own."""
_BRANCHES = 2
_HAS_FLAG = ("cvr",)
"""Registers that publish a marketing-protection flag (CVR-loven § 19)."""


def arranged(firms: Mapping[Register, list[Firm]], as_of: date) -> dict[Register, tuple[Firm, ...]]:
    """The entries with their contact points and cases, in the order of their numbers."""
    made = {
        register: [_arranged(firm, n, as_of) for n, firm in enumerate(found)]
        for register, found in firms.items()
    }
    made["brreg"] += _branches(made["cvr"])
    return {
        register: tuple(sorted(found, key=lambda firm: firm.number))
        for register, found in made.items()
    }


def _arranged(firm: Firm, n: int, as_of: date) -> Firm:
    steps = (_with_contacts, _with_changes, _with_protection, _with_personal_number)
    for step in steps:
        firm = step(firm, n, as_of)
    return replace(firm, activity=firm.activity or f"{' '.join(plain(firm.name)[:2])}.")


def _class(firm: Firm, n: int) -> str:
    listed: list[str] = words()["contact"][firm.register]["classes"]
    return ("free", "named")[n % 2] if firm.is_person else listed[n % len(listed)]


def _with_contacts(firm: Firm, n: int, as_of: date) -> Firm:
    kind, said = _class(firm, n), words()["contact"][firm.register]
    parts = _parts(firm, n, said["country"])
    contacts = []
    email = _email(kind, n, said, parts)
    if email is not None:
        ended = as_of - timedelta(days=200 + n) if kind == "ended" else None
        contacts.append(Contact("email", email, firm.registered, ended, kind == "secret"))
    if kind != "none":
        contacts += _numbers(firm, n, said, parts)
    site = _website(kind, n, parts)
    if site is not None:
        contacts.append(Contact("website", site, firm.registered))
    cases = (kind, *(["sole"] if firm.is_person else []))
    return replace(firm, contacts=tuple(_published(contacts, said)), cases=cases)


def _published(contacts: list[Contact], said: Mapping[str, Any]) -> list[Contact]:
    """Those of the kinds that the register publishes; ended ones where it keeps them."""
    return [
        contact
        for contact in contacts
        if contact.kind in said["kinds"] and (said["has_history"] or contact.ended is None)
    ]


def _parts(firm: Firm, n: int, country: str) -> dict[str, str]:
    own = domain(firm.name, firm.number)
    return {
        "d": own,
        "D": own.upper(),
        "l": own.removesuffix(".example"),
        "p": local_part(person(country, 31 * n + 7)),
        "n": str(n),
        "a": f"{n // 100 % 100:02d}",
        "b": f"{n % 100:02d}",
        "c": f"{n % 1000:03d}",
    }


def _email(kind: str, n: int, said: Mapping[str, Any], parts: Mapping[str, str]) -> str | None:
    role = said["roles"][n % len(said["roles"])]
    messy = words()["messy"]["emails"]
    patterns: dict[str, str | None] = {
        "named": "{p}@{d}",
        "free": said["free"][n % len(said["free"])],
        "agent": said["agent"],
        "messy": messy[n // 10 % len(messy)],
        "none": None,
    }
    pattern = patterns.get(kind, "{r}@{d}")
    return pattern and pattern.format(r=role, R=role.upper(), **parts)


def _numbers(
    firm: Firm, n: int, said: Mapping[str, Any], parts: Mapping[str, str]
) -> list[Contact]:
    kinds = ("phone", "mobile") if n % 3 == 0 else ("phone",)
    found = [Contact(kind, said[kind].format(**parts), firm.registered) for kind in kinds]  # type: ignore[arg-type]
    if n % 4 == 1:  # an older number stays listed beside the one that holds
        gone = replace(found[0], value=found[0].value[:-2] + "99", ended=firm.registered)
        found.append(gone)
    return found


def _website(kind: str, n: int, parts: Mapping[str, str]) -> str | None:
    messy = words()["messy"]["websites"]
    own = {"role": ("www.{d}", "https://www.{d}/", "{d}")[n % 3], "named": "www.{d}"}
    pattern = messy[n // 10 % len(messy)] if kind == "messy" else own.get(kind)
    return pattern and pattern.format(**parts)


def _with_changes(firm: Firm, n: int, as_of: date) -> Firm:
    cases = list(firm.cases)
    if n % 7 == 3:  # noqa: PLR2004, one in seven
        cases.append("moved")
        firm = replace(firm, house=str(200 + n))
    if n % 6 == 2:  # noqa: PLR2004, one in six
        cases.append("renamed")
        firm = replace(firm, former_name=f"{plain(firm.name)[0].capitalize()} {firm.form} {n}")
    if firm.lei is None and n % 19 == 8:  # noqa: PLR2004, one in nineteen
        cases.append("ceased")
        firm = replace(firm, ceased=as_of - timedelta(days=40 + n))
    return replace(firm, cases=tuple(cases))


def _with_protection(firm: Firm, n: int, _as_of: date) -> Firm:
    """Every register's companies pass here, and those of one that has no flag keep None."""
    if firm.register not in _HAS_FLAG:
        return firm
    if n % 17 == 6:  # noqa: PLR2004, one in seventeen
        return replace(firm, cases=(*firm.cases, "flagless"))
    is_protected = n % 5 == 1
    unit, case = is_protected, "protected" if is_protected else ""
    if n % 10 == (1 if is_protected else 2):
        unit, case = not is_protected, case or "unit_protected"
    cases = [*firm.cases, *filter(None, [case]), *(["unit_open"] * (is_protected and not unit))]
    return replace(firm, is_protected=is_protected, unit_is_protected=unit, cases=tuple(cases))


def _with_personal_number(firm: Firm, n: int, _as_of: date) -> Firm:
    if n % 13 != 5 or firm.ceased:  # noqa: PLR2004, one in thirteen
        return firm
    places = words()["planted"][firm.register]
    place, number = places[n // 13 % len(places)], _PERSONAL[firm.register](n)
    planted: dict[str, str] = {
        "care_of": f"c/o {person(words()['contact'][firm.register]['country'], n)} {number}",
        "activity": f"{number} {firm.name}",
        "name": f"{firm.name} {number}",
        "street": f"{firm.street} {number}",
    }
    if place in planted:
        changed: dict[str, Any] = {place: planted[place]}
        firm = replace(firm, **changed)
    else:
        typed = {"email": f"{number}@{domain(firm.name, firm.number)}", "phone": number}
        value = typed.get(place, f"www.{domain(firm.name, firm.number)}/{number}")
        kept = [contact for contact in firm.contacts if contact.kind != place]
        contacts = (*kept, Contact(place, value, firm.registered))
        firm = replace(firm, contacts=contacts)
    cases = (*firm.cases, "personal_number")
    return replace(firm, personal_number=number, planted_in=place, cases=cases)


def _branches(abroad: list[Firm]) -> list[Firm]:
    """Branches in one register of companies in another, with other contact points than at home."""
    at_home = [
        firm
        for firm in abroad
        if firm.lei and firm.is_protected is False and firm.cases[0] == "role"
    ]
    register = words()["form"]["brreg"]["authorities"][-1]
    authority = next(
        one
        for one in world().authorities[: len(world().codes) * AUTHORITIES]
        if one.code == register
    )
    return [_branch(firm, n, authority) for n, firm in enumerate(at_home[:_BRANCHES])]


def _branch(firm: Firm, n: int, authority: Any) -> Firm:  # noqa: ANN401 (a register of the world)
    own = domain(firm.name, firm.number)
    return replace(
        firm,
        register="brreg",
        number=registration_number(authority.shape, authority.check, _BRANCH_RUNNING + n),
        form="NUF",
        form_text="Norskregistrert utenlandsk foretak",
        street="Brokaia",
        house=str(11 + n),
        postal_code="0150",
        city="OSLO",
        lei=None,
        contacts=(
            Contact("email", f"norge@{own}", firm.registered),
            Contact("phone", f"22 00 98 {n:02d}", firm.registered),
        ),
        cases=("role", "branch"),
        home_number=firm.number,
        is_protected=None,
        unit_is_protected=None,
    )
