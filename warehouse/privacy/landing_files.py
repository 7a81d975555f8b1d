"""Publishers' files as received: removed when their source's period is over; digests stay."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import sqlalchemy as sa

from sources.kit.period import add_to_date
from warehouse.engine import reading
from warehouse.schema import delivery

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date
    from pathlib import Path

    from sqlalchemy.engine import Engine


def due(engine: Engine, root: Path, as_of: date, periods: Mapping[str, str]) -> list[Path]:
    """Landed files whose newest delivery is older than its source's period.

    A file that no delivery knows, because its run died, counts from its last change, by the
    longest of the periods: it may be another warehouse's.
    """
    with reading(engine) as connection:
        rows = connection.execute(
            sa.select(
                delivery.c.sha256,
                delivery.c.source_id,
                sa.func.max(delivery.c.retrieved_at).label("newest"),
            ).group_by(delivery.c.sha256, delivery.c.source_id)
        ).all()
    found = []
    for row in rows:
        path = root / row.sha256[:2] / f"{row.sha256}.bin"
        if add_to_date(row.newest.date(), periods[row.source_id]) <= as_of and path.exists():
            found.append(path)
    longest = max(periods.values(), key=lambda period: add_to_date(as_of, period))
    known = {row.sha256 for row in rows}
    unknown = (path for path in sorted(root.glob("??/*.bin")) if path.stem not in known)
    return found + [path for path in unknown if add_to_date(_changed_on(path), longest) <= as_of]


def of_source(engine: Engine, root: Path, source_id: str, *, is_refused_kept: bool) -> list[Path]:
    """Files of the source's deliveries that are still there, refused ones only where wanted."""
    query = sa.select(delivery.c.sha256).where(delivery.c.source_id == source_id).distinct()
    if is_refused_kept:
        query = query.where(delivery.c.status != "refused")
    with reading(engine) as connection:
        digests = connection.scalars(query).all()
    paths = (root / digest[:2] / f"{digest}.bin" for digest in digests)
    return [path for path in paths if path.is_file()]


def _changed_on(path: Path) -> date:
    return datetime.fromtimestamp(path.stat().st_mtime, UTC).date()


def remove_due(engine: Engine, root: Path, as_of: date, periods: Mapping[str, str]) -> int:
    """Remove them; returns how many went. The delivery and its digest stay as the proof."""
    found = due(engine, root, as_of, periods)
    for path in found:
        path.unlink(missing_ok=True)
    return len(found)
