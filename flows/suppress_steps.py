"""The do-not-contact list from the command: a stop added, a value asked about."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from flows.shipped import shared_domains
from sources.kit.errors import Refused
from warehouse import read_status, read_stops, runs
from warehouse.engine import reading, writing
from warehouse.privacy import suppression

if TYPE_CHECKING:
    from flows.house import House
    from sources.kit.keys import Keys
    from warehouse.privacy.suppression import Kind

    Connection = Any  # only the warehouse names SQLAlchemy


@dataclass(frozen=True)
class Subject:
    """What a stop is about: one value of one kind, or the token of a letter's link."""

    kind: Literal["lei", "email", "phone", "domain", "token"]
    value: str


def add(house: House, subject: Subject, reason: str | None) -> dict[str, Any]:
    """Put one value on the list; in force with the commit, for every list written after it.

    Raises `Refused` for a value that is not of its kind, a domain that strangers share, a token
    that is none of ours, and a reason that is missing or holds an address: it is kept in clear.
    """
    if subject.kind == "token":
        return _add_by_link(house, subject.value)
    check_reason(reason)
    kind: Kind = subject.kind
    value = suppression.canonical(kind, subject.value)
    if kind == "domain":
        _check_domain(value)
    with writing(house.engine) as connection:
        is_new = suppression.add(
            connection,
            house.keys,
            kind,
            value,
            reason=str(reason),
            origin="command",
            actor=runs.actor(house.engine),
            now=house.now(),
        )
        stop = read_stops.stop_on(connection, house.keys, kind, value)
        return _added(connection, stop, is_new=is_new)


def check(house: House, subject: Subject) -> dict[str, Any]:
    """Say whether a value is on the list, since when and why; an address by its domain too."""
    if subject.kind == "token":
        raise Refused("--token", "only `suppress add` takes one", "Check the company's LEI")
    with reading(house.engine) as connection:
        stop = read_stops.stop_on(connection, house.keys, subject.kind, subject.value)
    return {"is_stopped": stop is not None, "stop": stop}


def link_keys(keys: Keys) -> list[bytes]:
    """Return the keys that sign the links of letters, oldest first, as `notices.tokens` wants."""
    from flows.export_rows import LINK_KEYS

    derived = keys.derive(LINK_KEYS).by_version
    return [derived[number] for number in sorted(derived)]


def _add_by_link(house: House, token: str) -> dict[str, Any]:
    """Stop the company a letter went to, as if its recipient had pressed the button."""
    from notices.tokens import token_digest, verify_token

    secret = verify_token(token.strip(), link_keys(house.keys))
    if secret is None:
        raise _not_ours()
    with writing(house.engine) as connection:
        held = read_status.stops_held(connection)
        if not suppression.stop_by_link(connection, token_digest(secret), now=house.now()):
            raise _not_ours()
        is_new = read_status.stops_held(connection) > held
        stop = read_stops.stop_by_token(connection, token_digest(secret))
        return _added(connection, stop, is_new=is_new)


def _added(connection: Connection, stop: dict[str, Any] | None, *, is_new: bool) -> dict[str, Any]:
    covered = read_stops.companies_covered(connection, stop["suppression_id"]) if stop else 0
    return {"is_new": is_new, "companies_covered": covered, "stop": stop}


def _not_ours() -> Refused:
    return Refused(
        "link token",
        "it is not one of this installation's",
        "Copy the whole text after /u/ in the letter's link, or stop the company by its LEI",
    )


def check_reason(reason: str | None) -> None:
    """`Refused` for a reason that is missing or cannot be kept in clear."""
    if not (reason or "").strip():
        raise Refused("--reason", "it is missing", "Say in a few words why, such as 'by phone'")
    if "@" in str(reason):
        raise Refused(
            "--reason", "it holds an e-mail address", "Reasons are kept in clear: leave it out"
        )


def _check_domain(domain: str) -> None:
    if domain in shared_domains():
        raise Refused(
            f"domain {domain}",
            "many strangers have their mail there",
            "Stop the one address instead, with --email",
        )
