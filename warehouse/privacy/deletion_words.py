"""What is due for deletion, and in whose name it goes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime

from sources.kit.keys import Keys


@dataclass(frozen=True)
class Due:
    """One company, or one personal value, whose time has come."""

    company_id: int
    record_ids: tuple[int, ...]
    policy_id: str
    reason: str
    delete_after: date
    field: str | None = None
    contact_id: int | None = None


@dataclass(frozen=True)
class Act:
    """Who deletes, when, under which policy version."""

    actor: str
    now: datetime
    policy_version: str
    keys: Keys
    new_subject: Callable[[], str]
    """A fresh random id for each act: it says nothing about whom."""
