"""One frame of a national register: judged, joined by number, minimised, its contacts read."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from checks.arrivals_register import judge_entries
from checks.drift import filled
from checks.quarantine import JOIN_LEIS
from checks.verdicts import QUARANTINED, pack
from flows.no_lei import is_wanted
from flows.prepared import Prepared
from sources.kit import mailboxes
from sources.kit.columns import NATURAL
from sources.kit.contact_points import normalise
from sources.kit.digest import canonical_texts, kept_texts, key_print, row_digests
from sources.kit.flat import flat, truths
from sources.kit.identity import minimise
from sources.kit.register_frame import INACTIVE
from sources.kit.register_numbers import keys_of
from sources.kit.retold_register import told_contacts
from sources.kit.shapes import CONTACT_POINTS, REGISTER
from warehouse.sorting import Arrived

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from flows.house import House
    from flows.registers import Joins
    from sources.kit.identity import Minimised
    from sources.kit.register_frame import RegisterFrame

_EMAIL = "email"


def prepare_entries(house: House, frame: RegisterFrame, joins: Joins) -> Prepared:
    """Judge, join, minimise and fingerprint one frame, its contact points among its content.

    What nobody with an LEI is and `[scope]` does not ask for is counted and nothing more: it is
    neither quarantined nor are its contact points read.
    """
    found = judged(frame, joins)
    table, texts, verdicts = found.table, found.texts, found.verdicts
    has_ended = truths(pc.fill_null(pc.equal(table["entity_status"], INACTIVE), False))  # noqa: FBT003 (pyarrow's signature)
    in_scope = is_wanted(house.settings.scope, frame, table, joins.card.source_id)
    wanted = found.is_stated | (in_scope & ~has_ended)
    verdicts[~wanted] &= ~QUARANTINED
    is_sound = (verdicts & QUARANTINED) == 0
    least = minimise(table, keep_natural=house.settings.scope.natural_persons == "full")
    kept = kept_texts(texts, least.table, least.touched, REGISTER.published)
    contacts, told = _contacts(frame, least, wanted & is_sound, joins)
    told.update({f"dropped.{reason}": count for reason, count in frame.dropped.items()})
    arrived = Arrived(
        table=least.table,
        texts=kept,
        key=key_print(flat(least.table["source_key"].fill_null(""))),
        digest=row_digests(kept, _told_apart(least.personal, contacts)),
        is_sound=is_sound,
        in_scope=wanted,
        has_ended=has_ended,
        filled=filled(table, REGISTER.published),
        contacts=contacts,
    )
    rejected = np.flatnonzero(verdicts & QUARANTINED).tolist()
    shown = as_rejected(frame, table, rejected, _leis(table, found.is_ambiguous, joins))
    return Prepared(
        shown, arrived, least.personal, verdicts, least.care_of_count, told, _addresses(frame)
    )


@dataclass(frozen=True)
class JudgedEntries:
    """Entries under their number in its one form, with their canonical texts and packed verdicts.

    `is_stated`, `is_ambiguous` (bool): an LEI record states the number; those of several companies.
    """

    table: pa.Table
    texts: pa.Array
    verdicts: np.ndarray
    is_stated: np.ndarray
    is_ambiguous: np.ndarray


def judged(frame: RegisterFrame, joins: Joins) -> JudgedEntries:
    """Every entry by the present rules, wanted or not, and by what LEI records state now."""
    table, are_checked = _keyed(frame)
    place = pc.index_in(flat(table["source_key"]), value_set=joins.known.numbers)
    is_stated = truths(pc.is_valid(place))
    is_ambiguous = _ambiguous(place, is_stated, joins)
    texts = canonical_texts(table, REGISTER.published)
    verdicts = pack(judge_entries(table, texts, are_checked=are_checked, is_ambiguous=is_ambiguous))
    return JudgedEntries(table, texts, verdicts, is_stated, is_ambiguous)


def _keyed(frame: RegisterFrame) -> tuple[pa.Table, pa.Array]:
    """(the companies under their number in its one form, whether its check digits hold).

    What cannot be a number of the register has no key.
    """
    table = frame.table
    keys = keys_of(table["registration_authority"], table["source_key"])
    place = table.schema.get_field_index("source_key")
    table = table.set_column(place, "source_key", keys.numbers)
    words = pc.if_else(frame.ad_protected, "true", "false")
    return table.append_column("ad_protected", words), keys.are_checked


def _ambiguous(place: pa.Array, is_stated: np.ndarray, joins: Joins) -> np.ndarray:
    found = np.zeros(len(place), dtype=bool)
    if is_stated.any():
        found[is_stated] = joins.known.is_ambiguous[place.drop_null().to_numpy()]
    return found


def _leis(table: pa.Table, is_ambiguous: np.ndarray, joins: Joins) -> dict[int, str]:
    """By row the LEIs an entry could be of, where they are of several companies."""
    rows = np.flatnonzero(is_ambiguous).tolist()
    return {row: ", ".join(joins.known.leis[table["source_key"][row].as_py()]) for row in rows}


def as_rejected(
    frame: RegisterFrame,
    table: pa.Table | None = None,
    rows: Sequence[int] = (),
    leis: Mapping[int, str] | None = None,
) -> RegisterFrame:
    """The frame as its `rows` are quarantined: under their numbers, whole, with the LEIs they fit.

    `table` are its companies under their numbers, where that is known already.
    """
    if table is None:
        table, _ = _keyed(frame)
    keys = pc.coalesce(flat(table["source_key"]), flat(frame.table["source_key"]))
    named = table.set_column(table.schema.get_field_index("source_key"), "source_key", keys)
    beside = ((JOIN_LEIS, leis or {}), (CONTACT_POINTS, told_contacts(frame, rows)))
    for name, by_row in beside:
        texts: list[str | None] = [None] * table.num_rows
        for row, text in by_row.items():
            texts[row] = text
        named = named.append_column(name, pa.array(texts, pa.string()))
    return replace(frame, table=named)


def _contacts(
    frame: RegisterFrame, least: Minimised, taken: np.ndarray, joins: Joins
) -> tuple[pa.Table, Counter[str]]:
    """The taken companies' contact points in one form each, and what was mended or kept out."""
    natural = truths(pc.equal(least.table["person_kind"], NATURAL))
    rows = flat(frame.contacts["ordinal"]).to_numpy()
    raw = frame.contacts.filter(pa.array((taken & ~natural)[rows])).combine_chunks()
    rows = pa.array(flat(raw["ordinal"]).to_numpy())
    home = pa.repeat(pa.scalar(joins.card.home, pa.string()), raw.num_rows)
    raw = raw.append_column("country", home)
    for name in ("legal_name", "source_key"):
        raw = raw.append_column(name, least.table[name].take(rows))
    found = normalise(raw)
    points = mailboxes.classify(found.points, joins.shared_domains)
    is_email = pc.equal(points["kind"], _EMAIL)
    domain = pc.if_else(is_email, mailboxes.domains_of(flat(points["value"])), None)
    points = points.append_column("mail_domain", domain)
    told = Counter({f"mended.{name}": count for name, count in found.counts.repairs.items()})
    told.update({f"kept_out.{name}": count for name, count in found.counts.kept_out.items()})
    return _with_own_flags(points, frame), told


def _with_own_flags(points: pa.Table, frame: RegisterFrame) -> pa.Table:
    """A contact point is protected by its own flag or by its company's, whichever says so."""
    company = frame.ad_protected.take(flat(points["ordinal"]))
    own = flat(points["ad_protected"])
    is_set = pc.fill_null(pc.or_kleene(own, company), False)  # noqa: FBT003 (pyarrow's signature)
    strictest = pc.if_else(is_set, is_set, pc.coalesce(own, company))
    place = points.schema.get_field_index("ad_protected")
    return points.set_column(place, "ad_protected", strictest)


def _told_apart(personal: pa.Table, contacts: pa.Table) -> pa.Table:
    """Everything that lives beside the record as `row_digests` takes it."""
    names = ("value", "ad_protected", "valid_from", "valid_until")
    parts = [flat(contacts[name]) for name in names]
    texts = [pc.fill_null(part.cast(pa.string()), "") for part in parts]
    field = pc.binary_join_element_wise("contact", flat(contacts["kind"]), texts[0], ":")
    points = pa.table(
        {
            "ordinal": contacts["ordinal"],
            "source_key": contacts["source_key"],
            "field": field,
            "value": pc.binary_join_element_wise(*texts, "|"),
        },
        schema=personal.schema,
    )
    return pa.concat_tables([personal, points])


def _addresses(frame: RegisterFrame) -> pa.Table:
    """Every company's e-mail addresses roughly, wanted or not: a domain is shared with anybody."""
    few = frame.contacts.filter(pc.equal(frame.contacts["kind"], _EMAIL))
    values = pc.utf8_lower(pc.utf8_trim(flat(few["original"]), " .,;<>"))
    return pa.table({"ordinal": few["ordinal"], "kind": few["kind"], "value": values})
