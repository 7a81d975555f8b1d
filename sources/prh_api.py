"""PRH's YTJ open data company by company: business IDs asked for one by one, landed as one file.

Each answer stands in it as received, after a line of our own (JSON) that says which number was
asked for: an answer that knows none does not repeat it. The first line has the moment, so that the
same answers on two days are two deliveries. Source: avoindata.prh.fi, opendata-ytj-api v3.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from sources.kit.card import Landed
from sources.kit.errors import DeliveryRefused
from sources.kit.strict_json import document

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from sources.kit.landing import Landing
    from sources.kit.partial import Partial
    from sources.kit.session import PoliteSession

URL = "https://avoindata.prh.fi/opendata-ytj-api/v3/companies"
BATCH = 20
"""Business IDs in one delivery: each is a request of its own, in a minute shared by all users."""
MEMBER = "companies.json"
_BUSINESS_ID = re.compile(r"[0-9]{7}-[0-9]")
_FORM = "answers of PRH's YTJ open data, one after the other, as received"
_MARK = f'{{"landed": "{_FORM}"'.encode()
_LONGEST_LINE = 1024


@dataclass(frozen=True)
class Answer:
    """What was answered on the number `asked`; its `body` stands `offset` bytes into the file."""

    asked: str
    body: bytes
    offset: int = 0

    def companies(self) -> list[dict[str, Any]]:
        """The one company of that number, or none. `DeliveryRefused` for anything else."""
        try:
            found = document(self.body)
        except ValueError as error:
            raise refused(str(error)) from None
        return _companies(found, self.asked)


def fetch_keys(session: PoliteSession, numbers: Sequence[str], landing: Landing) -> Landed | None:
    """Land what the API says on at most `BATCH` business IDs; None when it knows none of them.

    What cannot be a business ID is not asked for. Raises `DeliveryRefused` for an answer of another
    form (an error with status 200 too) or about another company than was asked for.
    """
    if not 0 < len(numbers) <= BATCH:
        message = f"a batch holds 1 to {BATCH} business IDs, not {len(numbers)}"
        raise ValueError(message)
    askable = [number for number in numbers if _BUSINESS_ID.fullmatch(number)]
    answers = [Answer(number, session.get_answer(_address(number))[0]) for number in askable]
    record_count = sum(len(answer.companies()) for answer in answers)
    if not record_count:
        return None
    retrieved_at = session.now()
    with landing.partial() as partial:
        _line(partial, landed=_FORM, retrieved=retrieved_at.isoformat())
        for answer in answers:
            _line(partial, asked=answer.asked, bytes=len(answer.body))
            partial.write(answer.body + b"\n")
        path, sha256, byte_count = partial.keep()
    return Landed(
        path=path,
        sha256=sha256,
        byte_count=byte_count,
        url=session.address(URL),
        retrieved_at=retrieved_at,
        published_at=retrieved_at,
        kind="api",
        record_count=record_count,
        member=MEMBER,
        is_publisher_host=session.is_publisher_host,
        asked=tuple(numbers),
    )


def _address(number: str) -> str:
    return f"{URL}?businessId={quote(number, safe='')}"


def _line(partial: Partial, **said: str | int) -> None:
    partial.write(json.dumps(said).encode() + b"\n")


def are_answers(path: Path) -> bool:
    """Whether a landed delivery is answers of the API rather than the whole file."""
    with path.open("rb") as stream:
        return stream.read(len(_MARK)) == _MARK


def landed_answers(path: Path) -> Iterator[Answer]:
    """The answers in their order; `DeliveryRefused` where it is not what `fetch_keys` wrote."""
    with path.open("rb") as stream:
        stream.readline(_LONGEST_LINE)
        while line := stream.readline(_LONGEST_LINE):
            try:
                said = json.loads(line)
                asked, length = str(said["asked"]), int(said["bytes"])
            except (ValueError, KeyError, TypeError):
                raise refused("what was landed of it is damaged") from None
            offset, body = stream.tell(), stream.read(length)
            if len(body) != length or stream.read(1) != b"\n":
                raise refused("what was landed of it is cut off")
            yield Answer(asked, body, offset)


def _companies(found: Any, asked: str) -> list[dict[str, Any]]:  # noqa: ANN401 (JSON is any of its types)
    """The companies of a page, held to what was asked for."""
    page = found if isinstance(found, dict) else {}
    companies, total = page.get("companies"), page.get("totalResults")
    if not isinstance(companies, list) or not isinstance(total, int):
        code = page.get("errorcode")
        told = f" (errorcode {code})" if isinstance(code, int) else ""
        raise refused(f"it is not a page of companies{told}")
    if total != len(companies) or [_number(one) for one in companies] not in ([], [asked]):
        raise refused(f"it lists {total} companies where one business ID was asked for")
    return companies


def _number(company: Any) -> Any:  # noqa: ANN401 (JSON is any of its types)
    named = company.get("businessId") if isinstance(company, dict) else None
    return named.get("value") if isinstance(named, dict) else None


def refused(cause: str) -> DeliveryRefused:
    """Make the refusal of an answer."""
    return DeliveryRefused(
        "the answer of PRH's open data", cause, "Nothing of it was loaded. Try again, or tell PRH"
    )
