"""The do-not-contact list: keyed hashes, checked at load, at selection and at writing.

A stop outlives the data it stops. Content: scope, reason, date and an HMAC-SHA-256 of the
canonical value under a key kept outside the database; no e-mail, no name.
"""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, Any, Literal

import sqlalchemy as sa

from sources.kit.errors import Refused
from sources.kit.period import add_to_date
from warehouse.numbering import take_numbers
from warehouse.privacy import audit, following
from warehouse.schema import (
    company,
    company_record,
    company_stop,
    letter,
    record,
    suppression,
)

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.engine import Connection

    from sources.kit.keys import Keys

Kind = Literal["lei", "email", "phone", "domain"]
KEY_PURPOSE = following.KEY_PURPOSE
REVIEW_AFTER = "P5Y"
"""When a person looks at a stop again (notice element N17); it stays in force meanwhile."""
_SCOPE = {
    "lei": "company",
    "register": "company",
    "email": "value",
    "phone": "value",
    "domain": "domain",
}


def canonical(kind: Kind, value: str) -> str:
    """The one form of a value that is hashed; raises `Refused` when it is not of its kind."""
    text = unicodedata.normalize("NFKC", value).strip()
    if kind == "lei":
        text = text.upper()
        if len(text) == 20 and text.isalnum():  # noqa: PLR2004 (ISO 17442)
            return text
    elif kind == "email":
        found = _email(text)
        if found:
            return found
    elif kind == "phone":
        found = _phone(text)
        if found:
            return found
    else:
        text = text.lower().removeprefix("@").rstrip(".")
        if "." in text and not any(character.isspace() for character in text):
            return text.encode("idna").decode()
    raise Refused(
        f"value of kind {kind}",
        "it does not have the form of one",
        "Give an LEI of 20 characters, an e-mail address, a phone number with country code, "
        "or a domain",
    )


def _email(text: str) -> str | None:
    from email_validator import EmailNotValidError, validate_email

    try:
        # `test_environment` takes addresses at .test too: a stop is never refused for its domain.
        found = validate_email(text, check_deliverability=False, test_environment=True)
        return found.normalized.casefold()
    except EmailNotValidError:
        return None


def _phone(text: str) -> str | None:
    import phonenumbers

    try:
        number = phonenumbers.parse(text, None)
    except phonenumbers.NumberParseException:
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def subject_hash(keys: Keys, kind: Kind, value: str) -> tuple[int, str]:
    """(key version, HMAC-SHA-256 hex) of a canonical value under the newest key."""
    return keys.mac(KEY_PURPOSE, f"{kind}:{canonical(kind, value)}")


def add(  # noqa: PLR0913 (a stop has this many sides)
    connection: Connection,
    keys: Keys,
    kind: Kind,
    value: str,
    *,
    reason: str,
    origin: str,
    actor: str,
    now: datetime,
) -> bool:
    """Put a value on the list; False when it stood there already. In force with the commit."""
    text = canonical(kind, value)
    version, digest = subject_hash(keys, kind, text)
    held = keys.macs(KEY_PURPOSE, f"{kind}:{text}").values()
    suppression_id, is_new = _insert(
        connection, kind, version, digest, tuple(held), reason=reason, origin=origin, now=now
    )
    if kind == "lei":
        _link(connection, suppression_id, _companies_of(connection, text))
        rows = following.held_rows(connection, [text])
        roots = {text: suppression_id}
        found = following.closure(connection, rows, roots, roots.__contains__)
        following.write(connection, keys, found, now)
    if is_new:
        _account(connection, actor, suppression_id, {"kind": kind, "origin": origin}, now)
    return is_new


def sent_letter(connection: Connection, token_digest: str) -> sa.Row[Any] | None:
    """The letter a signed link was printed on, or None for a link we never made."""
    return connection.execute(
        sa.select(letter).where(letter.c.token_digest == token_digest)
    ).first()


def stop_by_link(connection: Connection, token_digest: str, *, now: datetime) -> bool:
    """Put the company a letter went to on the list; False for a link we never made.

    Works after the company is deleted: the letter keeps the keyed hash.
    """
    sent = sent_letter(connection, token_digest)
    if sent is None:
        return False
    suppression_id, is_new = _insert(
        connection,
        sent.subject_kind,
        sent.key_version,
        sent.subject_hash,
        (sent.subject_hash,),
        reason="objected by the link in a letter",
        origin="link",
        now=now,
    )
    _link(connection, suppression_id, _still_held(connection, sent.company_id))
    if is_new:
        _account(connection, "recipient of a letter", suppression_id, {"origin": "link"}, now)
    return True


def _account(
    connection: Connection,
    actor: str,
    suppression_id: int,
    detail: dict[str, str],
    now: datetime,
) -> None:
    subject = f"suppression {suppression_id}"
    audit.record_event(connection, actor, "suppress", now, subject=subject, detail=detail)


def _insert(  # noqa: PLR0913 (a stop has this many sides)
    connection: Connection,
    kind: str,
    version: int,
    digest: str,
    all_digests: tuple[str, ...],
    *,
    reason: str,
    origin: str,
    now: datetime,
) -> tuple[int, bool]:
    held = connection.scalar(
        sa.select(suppression.c.suppression_id).where(
            suppression.c.kind == kind, suppression.c.subject_hash.in_(all_digests)
        )
    )
    if held is not None:
        return held, False
    suppression_id = take_numbers(connection, "suppression", 1)
    connection.execute(
        suppression.insert().values(
            suppression_id=suppression_id,
            scope=_SCOPE[kind],
            kind=kind,
            key_version=version,
            subject_hash=digest,
            reason=reason,
            origin=origin,
            added_at=now,
            review_on=add_to_date(now.date(), REVIEW_AFTER),
        )
    )
    return suppression_id, True


def _companies_of(connection: Connection, lei: str) -> list[int]:
    return list(
        connection.scalars(
            sa.select(company_record.c.company_id)
            .join(record, record.c.record_id == company_record.c.record_id)
            .where(record.c.source_id == "gleif", record.c.source_key == lei)
        )
    )


def _still_held(connection: Connection, company_id: int) -> list[int]:
    return list(
        connection.scalars(
            sa.select(company.c.company_id).where(company.c.company_id == company_id)
        )
    )


def _link(connection: Connection, suppression_id: int, companies: list[int]) -> None:
    for company_id in companies:
        pair = {"company_id": company_id, "suppression_id": suppression_id}
        held = connection.scalar(sa.select(company_stop.c.company_id).filter_by(**pair))
        if held is None:
            connection.execute(company_stop.insert().values(**pair))
