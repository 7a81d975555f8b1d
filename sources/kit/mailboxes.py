"""Whose mailbox an address is: a role's at the company's own domain, or treated as a person's.

Words, services and the bound of shared domains are data (`mailboxes.toml`). Nothing is guessed in
the company's favour: what is not shown to be a role's mailbox of its own is `unknown`, as named.
"""

from __future__ import annotations

import tomllib
from functools import cache
from importlib import resources
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sources.kit import names
from sources.kit.flat import flat, truths

ROLE, NAMED, FREE_MAIL, AGENT, UNKNOWN = "role", "named", "free-mail", "agent", "unknown"
_COMPACT_AFTER = 16
"""Frames whose domains are kept apart before they are added up."""
_NAMED = r"^\pL[\pL'-]*(?:[._]\pL[\pL'-]*){1,2}$"
_NAMED_IN_ASCII = r"^[A-Za-z][A-Za-z'-]*(?:[._][A-Za-z][A-Za-z'-]*){1,2}$"
"""The same of plain letters: making ready for all letters takes longer than reading a frame."""
_NO_DOMAINS = pa.array([], pa.string())
_TALLY = pa.schema([("domain", pa.string()), ("companies", pa.int64())])


class DomainTally:
    """How many companies of a delivery use each mail domain; frames are added as they come.

    A company stands in one frame of a delivery, so the frames' numbers add up.
    """

    def __init__(self) -> None:
        self._pieces = [_TALLY.empty_table()]

    def add(self, points: pa.Table) -> None:
        """Count a frame's normalised contact points (`ordinal`, `kind`, `value`)."""
        emails = points.filter(pc.equal(points["kind"], "email"))
        domains = domains_of(flat(emails["value"]))
        pairs = pa.table({"ordinal": emails["ordinal"], "domain": domains})
        pairs = pairs.group_by(["ordinal", "domain"]).aggregate([])
        counted = pairs.group_by("domain").aggregate([([], "count_all")])
        self._pieces.append(counted.rename_columns(["domain", "companies"]))
        if len(self._pieces) > _COMPACT_AFTER:
            self._pieces = [self._added_up()]

    def shared(self, more_than: int | None = None) -> pa.Array:
        """Domains of more companies than `more_than` (of the data unless given), sorted."""
        bound = _rules()["shared"]["more_than"] if more_than is None else more_than
        found = self._added_up()
        many = found.filter(pc.greater(found["companies"], bound))
        return flat(many.sort_by("domain")["domain"])

    def _added_up(self) -> pa.Table:
        joined = pa.concat_tables(self._pieces)
        added = joined.group_by("domain").aggregate([("companies", "sum")])
        return added.rename_columns(["domain", "companies"])


def classify(points: pa.Table, shared: pa.Array | None = None) -> pa.Table:
    """Normalised contact points with `mailbox_class`, `recipient_kind` and `person_kind`.

    `points` has `ordinal`, `kind`, `value`, `country`, and may have `legal_name` and `own_domain`
    (a host); websites of the same company say its own domains too. `shared` are the domains of the
    delivery that `DomainTally.shared` found; a delta or a single answer is judged by those of the
    last full file. `recipient_kind` is of the channel rules. Phones and websites have no mailbox:
    the first two are null, and the person kind is none.
    """
    is_email = pc.equal(points["kind"], "email")
    rows = np.flatnonzero(is_email.to_numpy())
    found = _classes(points.take(pa.array(rows)), points, shared)
    mask = flat(is_email)
    classes = pc.replace_with_mask(pa.nulls(points.num_rows, pa.string()), mask, found)
    for name, other in (("recipient_kind", None), ("person_kind", "none")):
        words = pc.coalesce(_following(classes, name), pa.scalar(other, pa.string()))
        points = points.append_column(name, words)
    return points.append_column("mailbox_class", classes)


def domains_of(addresses: pa.Array) -> pa.Array:
    """What stands behind the last @ of each address."""
    return pc.replace_substring_regex(addresses, "^.*@", "")


@cache
def _rules() -> dict[str, Any]:
    text = resources.files("sources.kit").joinpath("mailboxes.toml").read_text("utf-8")
    return tomllib.loads(text)


def _words(table: str) -> pa.Array:
    """Every word of a table of lists, whatever its language or country."""
    lists = (words for words in _rules()[table].values() if isinstance(words, list))
    return pa.array(sorted({word for words in lists for word in words}))


@cache
def _role_pattern() -> str:
    roles = "|".join(_words("roles").to_pylist())
    return rf"^(?:{roles})(?:[._-]?[0-9]{{1,4}}|[._-](?:{roles}))*$"


def _classes(emails: pa.Table, points: pa.Table, shared: pa.Array | None) -> pa.Array:
    """The first that holds, in the order of caution; what is settled is not asked any more."""
    addresses = flat(emails["value"])
    domains = domains_of(addresses)
    locals_ = pc.replace_substring_regex(addresses, r"(?:\+.*)?@[^@]*$", "")
    classes = np.full(len(addresses), UNKNOWN, dtype=object)
    is_agent = _truths(pc.is_in(domains, value_set=_NO_DOMAINS if shared is None else shared))
    is_free = _truths(pc.is_in(domains, value_set=_words("free_mail")))
    classes[is_agent] = AGENT
    classes[is_free] = FREE_MAIL
    is_open = ~is_agent & ~is_free
    is_role = is_open & _truths(pc.match_substring_regex(locals_, _role_pattern()))
    rows = np.flatnonzero(is_role)
    few, theirs = emails.take(pa.array(rows)), domains.take(pa.array(rows))
    is_own = _truths(pc.or_(_is_stated(few, theirs, points), _is_own_name(few, theirs)))
    classes[rows[is_own]] = ROLE
    is_open[rows[is_own]] = False
    rows = np.flatnonzero(is_open)
    classes[rows[_look_named(locals_.take(pa.array(rows)))]] = NAMED
    return pa.array(classes, pa.string())


def _look_named(locals_: pa.Array) -> np.ndarray:
    """Which are words between dots, none of them a role: `salg.oslo` names nobody."""
    found = _truths(pc.match_substring_regex(locals_, _NAMED_IN_ASCII))
    beyond = np.flatnonzero(~_truths(pc.string_is_ascii(locals_)))
    if len(beyond):
        found[beyond] = _truths(pc.match_substring_regex(locals_.take(pa.array(beyond)), _NAMED))
    rows = np.flatnonzero(found)
    if len(rows):
        roles = "|".join(_words("roles").to_pylist())
        pattern = rf"(?:^|[._])(?:{roles})(?:[._]|$)"
        found[rows] = ~_truths(pc.match_substring_regex(locals_.take(pa.array(rows)), pattern))
    return found


def _is_stated(emails: pa.Table, domains: pa.Array, points: pa.Table) -> pa.Array:
    """Whether a domain, or what it is a part of, is the company's by website or by statement."""
    own = _own_domains(points)
    ordinals = flat(emails["ordinal"]).cast(pa.string())
    found = pa.array(np.zeros(len(domains), dtype=bool))
    for _ in range(2):
        asked = pc.binary_join_element_wise(ordinals, domains, " ")
        found = pc.or_(found, pc.is_in(asked, value_set=own))
        domains = pc.replace_substring_regex(domains, r"^[^.]*\.", "")
    return found


def _own_domains(points: pa.Table) -> pa.Array:
    """`ordinal domain` of every domain that is a company's own."""
    sites = points.filter(pc.equal(points["kind"], "website"))
    hosts = pc.replace_substring_regex(flat(sites["value"]), "^https?://|[:/?].*$", "")
    stated = [(flat(sites["ordinal"]), hosts)]
    if "own_domain" in points.column_names:
        known = points.filter(pc.is_valid(points["own_domain"]))
        stated.append((flat(known["ordinal"]), pc.utf8_lower(flat(known["own_domain"]))))
    return pa.concat_arrays(
        pc.binary_join_element_wise(
            ordinals.cast(pa.string()),
            _in_unicode(pc.replace_substring_regex(host, r"^www\.", "")),
            " ",
        )
        for ordinals, host in stated
    )


def _in_unicode(hosts: pa.Array) -> pa.Array:
    """Hosts as e-mail domains are written; only those in punycode are touched."""
    coded = pc.match_substring(hosts, "xn--")
    if not pc.any(coded).as_py():
        return hosts
    import idna

    written = [idna.decode(host) for host in hosts.filter(coded).to_pylist()]
    return pc.replace_with_mask(hosts, coded, pa.array(written, pa.string()))


def _is_own_name(emails: pa.Table, domains: pa.Array) -> pa.Array:
    """Whether a domain of two parts is the company's legal name, letter by letter."""
    found = np.zeros(len(domains), dtype=bool)
    if "legal_name" not in emails.column_names:
        return pa.array(found)
    countries = flat(emails["country"])
    labels = pc.if_else(pc.match_substring_regex(domains, r"^[^.]+\.[^.]+$"), domains, "")
    labels = pc.replace_substring_regex(labels, r"\..*$|-", "")
    least = pc.greater_equal(pc.utf8_length(labels), _rules()["own_name"]["least_letters"])
    for country in pc.unique(countries).to_pylist():
        is_here = pc.is_null(countries) if country is None else pc.equal(countries, country)
        rows = np.flatnonzero(_truths(pc.and_(least, is_here)))
        taken = pa.array(rows)
        found[rows] = _is_name(labels.take(taken), flat(emails["legal_name"].take(taken)), country)
    return pa.array(found)


def _is_name(labels: pa.Array, legal_names: pa.Array, country: str | None) -> np.ndarray:
    bare = pc.replace_substring(names.cores(legal_names, country), " ", "")
    same = pc.equal(labels, bare)
    for folding in _rules()["own_name"]["folding"]:
        folded = bare
        for letter, ascii_letters in folding.items():
            folded = pc.replace_substring(folded, letter, ascii_letters)
        same = pc.or_(same, pc.equal(labels, folded))
    return _truths(same)


def _truths(column: pa.Array) -> np.ndarray:
    return truths(pc.fill_null(column, False))  # noqa: FBT003 (pyarrow's signature)


def _following(classes: pa.Array, what: str) -> pa.Array:
    """What the data says follows from each class."""
    rules = {name: row for name, row in _rules()["classes"].items() if isinstance(row, dict)}
    place = pc.index_in(classes, value_set=pa.array(list(rules)))
    return pa.array([row[what] for row in rules.values()]).take(place)
