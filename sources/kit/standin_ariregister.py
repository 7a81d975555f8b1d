"""A local stand-in for the open data of Estonia's e-Business Register: one zip a day."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime

from sources.kit import sample_ariregister, standin_faults
from sources.kit.sample_firm import Contact, Firm
from sources.kit.standin_api import Reply
from sources.kit.standin_register import Asked, file_reply, morning
from sources.kit.standin_zips import wrong_crc

PATH = "/sites/default/files/avaandmed/ettevotja_rekvisiidid__yldandmed.json.zip"


class Ariregister:
    """The register: entries, and the file as it was built from them.

    The file is dated; there is no change feed and no look-up.
    """

    paths: tuple[str, ...] = ("/sites/default/files/avaandmed/",)

    def __init__(self, firms: Iterable[Firm], as_of: date) -> None:
        self.firms = {firm.number: firm for firm in firms}
        self._lock = threading.RLock()
        self.publish(morning(as_of))

    def publish(self, built: datetime, *, share: float = 1.0) -> None:
        """Build the file of what is held now; `share` below 1 leaves the last ones out of it."""
        with self._lock:
            listed = list(self.firms.values())
            self.archive = sample_ariregister.archive(listed[: round(len(listed) * share)])
            self.built = built

    def publish_bytes(self, archive: bytes, built: datetime) -> None:
        """Publish these bytes as the file, whatever they are."""
        with self._lock:
            self.archive, self.built = archive, built

    def truncate(self) -> None:
        """Cut the file's bytes off at 60 %: it was published so, and its length fits."""
        with self._lock:
            self.archive = self.archive[: len(self.archive) * 6 // 10]

    def break_checksum(self) -> None:
        """Give the member a checksum that does not fit."""
        with self._lock:
            self.archive = wrong_crc(self.archive)

    def change(self, number: str, *contacts: Contact) -> None:
        """Give an entry other contact points; the next file tells."""
        with self._lock:
            self.firms[number] = replace(self.firms[number], contacts=contacts)

    def drop(self, *numbers: str) -> None:
        """Take entries out of the register; the next file does not have them."""
        with self._lock:
            for number in numbers:
                del self.firms[number]

    def answer(self, asked: Asked) -> Reply:
        """The reply to a GET or HEAD."""
        if asked.path != PATH:
            return Reply(404, standin_faults.HTML, {"Content-Type": "text/html"})
        with self._lock:
            return file_reply(asked, self.archive, self.built, "application/zip")

    def error_200(self) -> Reply:
        """Status 200 with the site's page about maintenance."""
        return Reply(200, standin_faults.HTML, {"Content-Type": "text/html; charset=UTF-8"})
