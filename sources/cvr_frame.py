"""One drawer of CVR's rows as a frame: each company with its name, addresses, form and flag."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sources.cvr_names import (
    ADDRESS,
    AUTHORITY,
    EMAIL_ADDRESS,
    FORM,
    HOME,
    NAME,
    PLACE,
    TELEPHONE,
    UNSTATED_FORM,
    Entity,
)
from sources.cvr_sites import NO_SITES, Strictness
from sources.cvr_tables import Drawer, digits
from sources.kit import nested, register_days
from sources.kit.flat import flat
from sources.kit.register_frame import (
    EMAIL,
    PHONE,
    Points,
    RegisterFrame,
    address,
    coded,
    either,
    ended_or,
    legal_form,
    register_frame,
    unlisted,
)

BUSINESS, POSTAL = "beliggenhedsadresse", "postadresse"


@dataclass(frozen=True)
class Joined:
    """Where companies stand in the file Virksomhed, and which of its rows were misshapen."""

    places: np.ndarray
    broken: np.ndarray = field(default_factory=lambda: np.empty(0, np.int64))

    @property
    def misshapen(self) -> tuple[tuple[int, int], ...]:
        """(row, 0) of each misshapen row, counted on from the frame's own."""
        return tuple((len(self.places) + row, 0) for row in range(len(self.broken)))

    @property
    def row_count(self) -> int:
        """All rows, the misshapen ones included."""
        return len(self.places) + len(self.broken)

    def row_offsets(self) -> np.ndarray:
        """Byte offset in Virksomhed of each company (int64)."""
        return self.places

    def misshapen_offsets(self) -> np.ndarray:
        """Byte offset in Virksomhed of each misshapen row (int64)."""
        return self.broken


def company_frame(
    drawer: Drawer,
    broken: np.ndarray,
    dropped: Mapping[str, int],
    unknown: frozenset[str],
    sites: Strictness = NO_SITES,
) -> RegisterFrame:
    """The drawer's companies; `broken` are the offsets of Virksomhed's misshapen rows (int64)."""
    number = digits(drawer.column("CVRNummer"))
    business, postal = _addresses(drawer)
    end = drawer.column("virksomhedOphoersdato")
    stated = drawer.column("status")
    status = coded("cvr", "statuses", pc.utf8_lower(stated))
    found = {
        "source_key": number,
        "legal_name": _name(drawer),
        **address("legal_", either(business, postal), HOME),
        # Letters go to the headquarters address: where the register has a postal one, there.
        **address("headquarters_", either(postal, business), HOME),
        "registration_authority": pa.repeat(AUTHORITY, len(number)),
        "registration_number": number,
        "legal_jurisdiction": pa.repeat(HOME, len(number)),
        **legal_form("cvr", _form(drawer)),
        "entity_status": ended_or(end, status),
        "creation_published": drawer.column("virksomhedStartdato"),
        "expiration_published": end,
    }
    flags = drawer.protection()
    points = [
        _points(drawer, entity, kind, number, flags, sites)
        for entity, kind in ((EMAIL_ADDRESS, EMAIL), (TELEPHONE, PHONE))
    ]
    origin = Joined(drawer.column(PLACE).to_numpy(), broken)
    counts = {
        **dropped,
        **unlisted(stated, status),
        "protection_unreadable": drawer.unreadable_protection(),
    }
    return register_frame(
        found, points, origin, home=HOME, dropped=counts, names=unknown, ad_protected=flags
    )


def _points(
    drawer: Drawer,
    entity: Entity,
    kind: str,
    number: pa.Array,
    flags: pa.Array,
    sites: Strictness,
) -> Points:
    of, table = drawer.rows(entity)
    values, places = flat(table["vaerdi"]), pa.array(of)
    return Points(
        kind,
        of,
        values,
        register_days.days(nested.filled(flat(table["virkningFra"]))),
        None,
        sites.applied(entity, number.take(places), values, flags.take(places)),
    )


def _name(drawer: Drawer) -> pa.Array:
    """The name with the lowest sequence (0 is the current main one), the newest of these."""
    of, table = drawer.rows(NAME)
    order = pc.sort_indices(
        pa.table({"sekvens": _numbers(flat(table["sekvens"])), "since": table["virkningFra"]}),
        sort_keys=[("sekvens", "ascending"), ("since", "descending")],
    ).to_numpy()
    ordered = table.take(pa.array(order))
    return drawer.first(of[order], ordered, np.ones(len(of), dtype=bool))["vaerdi"]


def _numbers(texts: pa.Array) -> pa.Array:
    whole = pc.if_else(pc.match_substring_regex(texts, r"^[0-9]{1,9}$"), texts, None)
    return pc.cast(whole, pa.int64())


def _form(drawer: Drawer) -> pa.Array:
    of, table = drawer.rows(FORM)
    code = drawer.first(of, table, np.ones(len(of), dtype=bool))["vaerdi"]
    plain = pc.utf8_ltrim(nested.filled(code), "0")
    return pc.if_else(pc.equal(plain, UNSTATED_FORM), pa.scalar(None, pa.string()), plain)


def _addresses(drawer: Drawer) -> tuple[dict[str, pa.Array], dict[str, pa.Array]]:
    of, table = drawer.rows(ADDRESS)
    use = pc.utf8_lower(nested.filled(flat(table["AdresseringAnvendelse"])))
    business, postal = (
        _address(drawer.first(of, table, nested.is_true(pc.equal(use, word))))
        for word in (BUSINESS, POSTAL)
    )
    return business, postal


def _address(row: Mapping[str, pa.Array]) -> dict[str, pa.Array]:
    """An address in the house's words, as Danish letters are addressed: `Åstvej 1-3, 2. tv`."""
    part = {name: nested.filled(column) for name, column in row.items()}
    house = nested.words(
        part["CVRAdresse_husnummerFra"], part["CVRAdresse_husnummerTil"], between="-"
    )
    storey = pc.binary_join_element_wise(part["CVRAdresse_etagebetegnelse"], ".", "")
    unit = nested.words(storey, part["CVRAdresse_doerbetegnelse"])
    street = nested.words(part["CVRAdresse_vejnavn"], house)
    box = pc.binary_join_element_wise("Postboks", part["CVRAdresse_postboks"], " ")
    return {
        "address_line": pc.coalesce(
            nested.words(street, unit, between=", "), part["CVRAdresse_adresseFritekst"]
        ),
        "address_line_1": box,
        "address_line_2": part["CVRAdresse_supplerendeBynavn"],
        "address_line_3": pc.binary_join_element_wise("c/o", part["coNavn"], " "),
        "postal_code": part["CVRAdresse_postnummer"],
        "city": part["CVRAdresse_postdistrikt"],
        "country": part["CVRAdresse_landekode"],
    }
