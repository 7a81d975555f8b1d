"""CVR asked about single companies: all that the weekly files say of them, as it is now.

A company is found by its number, everything else by the units: its own and its production units'.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sources.cvr_answers import Written
from sources.cvr_graphql import MOST_IN_A_LIST, URL, Asker, Node, UnknownField
from sources.cvr_names import (
    ADDRESS,
    COMPANY,
    EMAIL_ADDRESS,
    ENDS,
    FORM,
    NAME,
    PROTECTION,
    SITE,
    TELEPHONE,
    Entity,
)
from sources.kit.card import Landed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sources.kit.landing import Landing
    from sources.kit.session import PoliteSession

NUMBER = "CVRNummer"
HOME_NUMBER = SITE.kept[0]
_DIGITS = 8
_OF_COMPANIES = (NAME, ADDRESS, FORM)
_OF_ALL = (EMAIL_ADDRESS, TELEPHONE, PROTECTION)
"""What a production unit may want otherwise than its company."""
_SPARED = frozenset({*ENDS, "virkningFra", "sekvens", "virksomhedStartdato"})
"""Fields beside the optional ones without which an answer can still be read."""
_MAY_BE_UNKNOWN = (FORM, SITE)
"""What an answer may lack altogether; never who is protected."""


def root_of(entity: Entity) -> str:
    """The entity's root field: `e-mailadresse` is `CVR_e_mailadresse`."""
    return f"CVR_{entity.name.replace('-', '_')}"


def fetch_keys(session: PoliteSession, numbers: Sequence[str], landing: Landing) -> Landed | None:
    """Land what CVR says now on at most 100 companies; None when it knows none of them.

    An answer with an error in it is refused as a whole: it does not say that nobody is protected.
    """
    if not 0 < len(numbers) <= MOST_IN_A_LIST:
        message = f"a batch holds 1 to {MOST_IN_A_LIST} numbers, not {len(numbers)}"
        raise ValueError(message)
    now = session.now()
    with landing.partial() as partial:
        found = LookUp(Asker(session, now), Written(partial)).companies(numbers)
        if not found:
            return None
        path, sha256, byte_count = partial.keep()
    return Landed(
        path=path,
        sha256=sha256,
        byte_count=byte_count,
        url=session.address(URL),
        retrieved_at=session.now(),
        published_at=now,
        kind="api",
        record_count=found,
        member="CVR answers",
        is_publisher_host=session.is_publisher_host,
        asked=tuple(numbers),
    )


@dataclass(frozen=True)
class LookUp:
    """Questions of one moment, and where their answers are written."""

    asker: Asker
    written: Written

    def companies(self, numbers: Sequence[str]) -> int:
        """Ask all about the companies of at most 100 numbers; how many rows of them hold.

        Rows in the same words count once: they are read as one.
        """
        self.written.begin(numbers)
        wanted = [int(number) for number in numbers if _is_number(number)]
        companies = self._all(COMPANY, NUMBER, wanted)
        units = _units(COMPANY, companies)
        if units:
            sites = _units(SITE, self._all(SITE, HOME_NUMBER, wanted))
            for entity in _OF_COMPANIES:
                self._all(entity, entity.unit, units)
            for entity in _OF_ALL:
                self._all(entity, entity.unit, [*units, *sites])
        self.written.end()
        held = (node for node in companies if not any(node.get(end) for end in ENDS))
        return len({json.dumps(node, sort_keys=True) for node in held})

    def numbers(self, units: Sequence[str]) -> list[str]:
        """The numbers of the companies that these units are, or belong to; any number of units."""
        found: dict[str, None] = {}
        for some in _chunks(units):
            nodes = self._some(COMPANY, (COMPANY.unit, NUMBER), (COMPANY.unit, some))
            found |= dict.fromkeys(str(node[NUMBER]) for node in nodes)
            companies = {node[COMPANY.unit] for node in nodes}
            others = [unit for unit in some if unit not in companies]
            if others:
                nodes = self._some(SITE, (SITE.unit, HOME_NUMBER), (SITE.unit, others))
                homes = (node[HOME_NUMBER] for node in nodes)
                found |= dict.fromkeys(str(home) for home in homes if home is not None)
        return [number.zfill(_DIGITS) for number in found]

    def _all(self, entity: Entity, name: str, values: Sequence[str | int]) -> list[Node]:
        fields = tuple(dict.fromkeys((*entity.read, name)))
        return [
            node for some in _chunks(values) for node in self._some(entity, fields, (name, some))
        ]

    def _some(
        self, entity: Entity, fields: Sequence[str], wanted: tuple[str, Sequence[str | int]]
    ) -> list[Node]:
        spared = (_SPARED | {*entity.optional}) - {wanted[0]}
        found: list[Node] = []
        try:
            for answer in self.asker.pages(root_of(entity), fields, wanted, spared):
                self.written.keep(answer)
                found += answer.nodes
        except UnknownField:
            if entity not in _MAY_BE_UNKNOWN:
                raise
        return found


def _units(entity: Entity, nodes: Sequence[Node]) -> list[str]:
    return list(dict.fromkeys(node[entity.unit] for node in nodes if node.get(entity.unit)))


def _is_number(text: str) -> bool:
    return len(text) == _DIGITS and text.isascii() and text.isdigit()


def _chunks(values: Sequence[str | int]) -> Iterator[Sequence[str | int]]:
    for start in range(0, len(values), MOST_IN_A_LIST):
        yield values[start : start + MOST_IN_A_LIST]
