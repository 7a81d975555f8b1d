"""The bytes as received, kept by digest: whole or not there at all."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, BinaryIO

from sources.kit.errors import DeliveryRefused, NotThere, Refused
from sources.kit.partial import SUFFIX, Partial, disk_faults, remove_dead

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path

    from sources.kit.partial import Wanted

_PIECE = 1024 * 1024


def local_file(path: Path) -> BinaryIO:
    """Open a local file to be read; `Refused` when there is no such readable file."""
    if not path.is_file():
        raise Refused(f"File {path.name}", "there is no such file", "Check the path")
    try:
        return path.open("rb")
    except OSError as error:
        raise Refused(
            f"File {path.name}",
            f"it cannot be read ({error.strerror})",
            "Check its permissions",
        ) from error


class Landing:
    """A folder of deliveries as received: `root/<first two of SHA-256>/<SHA-256>.bin`.

    Files are 0600 and folders 0700: deliveries hold personal data.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        with disk_faults(root):
            root.mkdir(mode=0o700, parents=True, exist_ok=True)
            root.chmod(0o700)

    @contextmanager
    def partial(self, wanted: Wanted | None = None) -> Iterator[Partial]:
        """Open a place to write a delivery piece by piece; it is gone on leaving unless kept.

        With `wanted` it continues what an earlier run received of that file, and stays for a later
        one: unless it was refused, because then its bytes are never continued. What is left of
        another file of the same source goes: it was listed before, and is not asked for again.
        """
        with disk_faults(self.root):
            partial = Partial(self.root, wanted)
        try:
            if wanted is not None:
                for path in self.root.glob(f"{wanted.source_id}.*{SUFFIX}"):
                    remove_dead(path)
            yield partial
        except (DeliveryRefused, NotThere):
            partial.discard()
            raise
        finally:
            partial.leave()

    def receive(self, stream: BinaryIO) -> tuple[Path, str, int]:
        """Land everything `stream` still holds; (path, SHA-256 in hex, length in bytes)."""
        with self.partial() as partial:
            while piece := stream.read(_PIECE):
                partial.write(piece)
            return partial.keep()

    def adopt(self, path: Path) -> tuple[Path, str, int]:
        """Land a copy of a local file; the file itself is left alone.

        Raises `Refused` when there is no such readable file.
        """
        with local_file(path) as stream:
            return self.receive(stream)

    def sweep_partials(self, now: datetime) -> int:
        """Remove what dead processes left behind and no run can continue; how many.

        Nothing of a living process is touched, and nothing within `CONTINUED_WITHIN` that says
        what it is a part of.
        """
        return sum(remove_dead(path, now) for path in self.root.glob(f"*{SUFFIX}"))
