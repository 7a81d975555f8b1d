"""The kinds of value the owner's decisions are made of, each refused with what to write instead."""

from __future__ import annotations

import contextlib
import re
from datetime import date, datetime
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints

from sources.kit.countries import COUNTRY_CODES
from sources.kit.period import parse_period

Language = Literal["da", "en", "de", "sv", "nb", "fi", "et", "lv", "lt"]
Channel = Literal["post", "email", "phone"]
RecipientKind = Literal["legal_person", "role_mailbox", "named_person", "sole_trader"]
Outcome = Literal["opt_in", "opt_out", "forbidden"]


def _known_country(code: str) -> str:
    if code not in COUNTRY_CODES:
        message = "write a country as its two capital letters (ISO 3166-1), such as DK"
        raise ValueError(message)
    return code


def _plain_id(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]*", text):
        message = "write a short name of letters, digits, `_`, `-` or `.`"
        raise ValueError(message)
    return text


def _mailbox(text: str) -> str:
    if not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", text):
        message = "write an e-mail address"
        raise ValueError(message)
    return text


def _readable_period(text: str) -> str:
    parse_period(text)
    return text


def _calendar_day(value: object) -> date:
    # A bare number would otherwise pass as seconds since 1970: an approval nobody gave.
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    if isinstance(value, str):
        with contextlib.suppress(ValueError):
            return date.fromisoformat(value)
    message = "write a date such as 2026-11-01"
    raise ValueError(message)


def _blank_is_none(value: object) -> object:
    return None if value == "" else value


def _web_address(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        message = "write a web address that begins with https:// (or http:// on this machine)"
        raise ValueError(message)
    if parts.username or parts.password or parts.query or parts.fragment:
        message = "write scheme, host, port and path only, without a login, `?` or `#`"
        raise ValueError(message)
    return url.rstrip("/")


def _warehouse_address(url: str) -> str:
    # SQLAlchemy reads a bare postgresql:// as psycopg2, which is not installed.
    for short in ("postgresql://", "postgres://"):
        if url.startswith(short):
            return f"postgresql+psycopg://{url.removeprefix(short)}"
    if not re.match(r"sqlite:///.|postgresql\+psycopg://.", url):
        message = "write sqlite:///FILE or postgresql://LOGIN@HOST/DATABASE"
        raise ValueError(message)
    return url


def one_as_many(value: object) -> object:
    """Let a single word stand where a list is meant."""
    return (value,) if isinstance(value, str) else value


Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
Id = Annotated[str, AfterValidator(_plain_id)]
Country = Annotated[str, AfterValidator(_known_country)]
PeriodText = Annotated[str, AfterValidator(_readable_period)]
OptionalPeriod = Annotated[PeriodText | None, BeforeValidator(_blank_is_none)]
Day = Annotated[date, BeforeValidator(_calendar_day)]
WarehouseAddress = Annotated[str, AfterValidator(_warehouse_address)]
WebAddress = Annotated[str, AfterValidator(_web_address)]
Mailbox = Annotated[str, AfterValidator(_mailbox)]
Texts = Annotated[dict[Language, Text], Field(min_length=1)]
Words = tuple[Text, ...]
