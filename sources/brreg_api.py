"""Entities asked for by number: in batches, and one by one what a batch does not answer.

A search leaves deleted entities out, so a number it does not answer is looked up: a deleted entity
answers 200 with its `slettedato`, an unknown number 404 without a body, and one that was removed
for legal reasons 410. Source: `sources.brreg_pages`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sources.brreg_answers import Answers
from sources.brreg_pages import ENTITIES_URL, entities_of, number_of, refused
from sources.kit.card import Landed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sources.kit.landing import Landing
    from sources.kit.session import PoliteSession

BATCH = 100
"""Numbers in one search: an address of a good 1,000 characters, where 2,000 pass everywhere."""
FOUND, WRONG, UNKNOWN, GONE = 200, 400, 404, 410
"""Statuses of a look-up; 400: no number can be this one, as its check digit says."""


def fetch_keys(session: PoliteSession, numbers: Sequence[str], landing: Landing) -> Landed | None:
    """Land what the register says on at most `BATCH` numbers; None when it knows none of them.

    Raises `DeliveryRefused` for an answer about other numbers than those asked for.
    """
    if not 0 < len(numbers) <= BATCH:
        message = f"a batch holds 1 to {BATCH} numbers, not {len(numbers)}"
        raise ValueError(message)
    with landing.partial() as partial:
        retrieved_at = session.now()
        statuses = look_up(session, numbers, Answers(partial, retrieved_at), may_be_wrong=True)
        if not {FOUND, GONE} & {*statuses.values()}:
            return None
        path, sha256, byte_count = partial.keep()
    return Landed(
        path=path,
        sha256=sha256,
        byte_count=byte_count,
        url=session.address(ENTITIES_URL),
        retrieved_at=retrieved_at,
        # The register dates no answer: it is of the moment in which it was given.
        published_at=retrieved_at,
        kind="api",
        record_count=rows_in(statuses),
        member="enheter.json",
        is_publisher_host=session.is_publisher_host,
        asked=tuple(numbers),
    )


def look_up(
    session: PoliteSession,
    numbers: Sequence[str],
    answers: Answers,
    *,
    may_be_wrong: bool = False,
) -> dict[str, int]:
    """Ask for every number, each answer into `answers`; the status of each number's last answer.

    `may_be_wrong`: numbers that somebody else wrote, of which the register may say that there can
    be none such. Raises `DeliveryRefused` for answers about other numbers.
    """
    also = (WRONG, UNKNOWN, GONE) if may_be_wrong else (UNKNOWN, GONE)
    statuses: dict[str, int] = {}
    for start in range(0, len(numbers), BATCH):
        batch = numbers[start : start + BATCH]
        found = _search(session, batch, answers, also[:-2])
        statuses |= dict.fromkeys(found, FOUND)
        for number in batch:
            if number not in found:
                statuses[number] = _look_up_one(session, number, answers, also)
    return statuses


def rows_in(statuses: dict[str, int]) -> int:
    """How many entities the answers hold."""
    return sum(status == FOUND for status in statuses.values())


def _search(
    session: PoliteSession, batch: Sequence[str], answers: Answers, also: tuple[int, ...]
) -> list[str]:
    """Which of these numbers a search answered; one wrong number refuses all of them."""
    url = f"{ENTITIES_URL}?organisasjonsnummer={','.join(batch)}&size={len(batch)}"
    status, body, document = session.ask(url, also=also)
    if status == WRONG:
        return []
    found = [number_of(one) or "" for one in entities_of(document)]
    if strange := {*found} - {*batch}:
        raise refused(f"{len(strange)} of {len(found)} entities it answers were not asked for")
    if len({*found}) < len(found):
        raise refused("it answers a number twice in one search")
    answers.add("entities", batch, status, body)
    return found


def _look_up_one(
    session: PoliteSession, number: str, answers: Answers, also: tuple[int, ...]
) -> int:
    status, body, document = session.ask(f"{ENTITIES_URL}/{number}", also=also)
    if not _is_about(number, status, document):
        raise refused("a look-up is answered with something else than the entity asked for")
    answers.add("entity", (number,), status, body)
    return status


def _is_about(number: str, status: int, document: Any) -> bool:  # noqa: ANN401 - JSON is any of its types
    """An entity, or the trace of a removed one, names its number; other refusals need no body."""
    if status == FOUND:
        return number_of(document) == number
    return status != GONE or document is None or number_of(document) == number
