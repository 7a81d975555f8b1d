"""The house's refusals: each names the thing, the cause and the cure, and never a contact value."""

from __future__ import annotations

from typing import Any


class SourcenoteError(Exception):
    """Something was refused or failed; nothing is left half-done.

    `thing` is what it happened to, `cause` why, `cure` what the reader can do about it.
    Callers never put a contact value or a person's name into any of the three.
    """

    exit_code = 1

    def __init__(self, thing: str, cause: str, cure: str) -> None:
        super().__init__(thing, cause, cure)
        self.thing = thing
        self.cause = cause
        self.cure = cure

    def __str__(self) -> str:
        return f"{self.thing}: {self.cause}. {self.cure}"


class DeliveryRefused(SourcenoteError):
    """What a publisher sent cannot be loaded as a whole; the warehouse is as it was.

    `landed` is what was received (`sources.kit.card.Landed`), where its bytes came whole.
    """

    landed: Any = None


class DiskFull(DeliveryRefused):
    """The disk did not take what was sent: the delivery itself may be as it should."""


class SourceUnavailable(SourcenoteError):
    """The publisher did not answer in a usable way after every allowed attempt.

    `status` is the HTTP status it refused with, where it did.
    """

    status: int | None = None


class NotThere(SourceUnavailable):
    """The publisher answers, and says that there is nothing at an address it lists.

    `landed` is what was asked for (`sources.kit.card.Landed`), where it was a delivery.
    """

    landed: Any = None


class Refused(SourcenoteError):
    """A command will not do what was asked; nothing was begun."""


class Busy(SourcenoteError):
    """Another run is writing to this warehouse."""


class SettingsInvalid(SourcenoteError):
    """The configuration has errors; all of them are named at once."""

    def __init__(self, where: str, errors: list[str]) -> None:
        super().__init__(where, "; ".join(errors), "Correct every line named here and try again")
        self.errors = errors
