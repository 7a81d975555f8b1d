"""How the stand-in can misbehave: every fault by name, what it does, and where it strikes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from sources.kit import standin_zips

Target = Literal["listing", "redirect", "file", "head", "any"]
TARGETS: tuple[Target, ...] = ("listing", "redirect", "file", "head", "any")

CONTENT = {
    "not_a_zip": "the file is text; the listing's size fits it",
    "truncated_zip": "the file is the first 60 % of the zip; the listing's size fits it",
    "bad_crc": "the member's checksum does not fit its content; the listing's size fits",
    "second_member": "the zip holds a second CSV; the listing's size fits",
    "parent_member": "the member is named ../ and leads out of the folder",
    "absolute_member": "the member has an absolute name",
    "symlink_member": "the member is a symbolic link to /etc/passwd",
    "encrypted_member": "the member says that it is encrypted",
    "nested_zip": "the member is itself a zip",
    "zero_bomb": "10 GiB of zeros in a zip of 10 MB, honestly labelled",
    "lying_bomb": "the same, but the headers claim one mebibyte",
    "html_200": "an HTML page with status 200 instead of the file; the listing is the true file's",
    "empty_200": "status 200 and no bytes instead of the file; the listing is the true file's",
}
"""Faults in the file's bytes."""

LISTING = {
    "wrong_size": "the listing's size is one byte too many",
    "wrong_record_count": "the listing's record_count is one too many",
    "wrong_delta_size": "the listed size of each delta is one byte too many",
    "wrong_delta_record_count": "the listed record_count of each delta is one too many",
    "no_deltas": "the listing has `delta_files: []`",
    "listing_not_json": "the listing is an HTML page with status 200",
    "listing_empty": "the listing names no publish at all",
}
"""Faults in what the listing says."""

TRANSPORT = {
    "rate_limited": "429 with Retry-After",
    "rate_limited_bare": "429 without Retry-After",
    "server_error": "500",
    "unavailable": "503",
    "missing": "404",
    "no_answer": "the request is read and never answered",
    "stall": "half of the body, then silence",
    "reset": "half of the body, then a TCP reset",
    "cut": "half of the body, then an ordinary close",
    "trickle": "the whole body, slowly",
    "redirect_foreign": "302 to another host (localhost instead of 127.0.0.1), which would answer",
    "redirect_scheme": "302 to an ftp URL",
    "redirect_loop": "302 to itself",
}
"""Faults on the way, whatever was asked for (by default, the file)."""

FAULTS: dict[str, str] = CONTENT | LISTING | TRANSPORT


@dataclass(frozen=True)
class Fault:
    """One way to misbehave: `times` requests long (None: always), at `on` (None: the usual place).

    Raises ValueError for a name or target that is not known.
    """

    name: str
    times: int | None = None
    on: Target | None = None

    def __post_init__(self) -> None:
        if self.name not in FAULTS:
            message = f"unknown fault {self.name!r}; known: {', '.join(FAULTS)}"
            raise ValueError(message)
        if self.on is not None and (self.on not in TARGETS or self.name not in TRANSPORT):
            message = f"fault {self.name!r} cannot strike at {self.on!r}"
            raise ValueError(message)

    def strikes(self, target: Target) -> bool:
        """Whether a request of this kind meets the fault. HEAD is spared unless asked for."""
        usual: Target = "listing" if self.name in LISTING else "file"
        place = self.on or usual
        return place == target or (place == "any" and target != "head")


HTML = b"<!DOCTYPE html>\n<html><head><title>Maintenance</title></head><body></body></html>\n"
_ROW = b'"LEI"\r\n"109900000000000000"\r\n'

_SPOILED: dict[str, Callable[[bytes, str], bytes]] = {
    "not_a_zip": lambda *_: b"this is no zip\n" * 64,
    "truncated_zip": lambda archive, _: archive[: len(archive) * 6 // 10],
    "bad_crc": lambda archive, _: standin_zips.wrong_crc(archive),
    "second_member": lambda _, name: standin_zips.packed({name: _ROW, f"more-{name}": _ROW}),
    "parent_member": lambda _, name: standin_zips.packed({f"../{name}": _ROW}),
    "absolute_member": lambda _, name: standin_zips.packed({f"/srv/{name}": _ROW}),
    "symlink_member": lambda _, name: standin_zips.symlink(name, "/etc/passwd"),
    "encrypted_member": lambda archive, _: standin_zips.encrypted(archive),
    "nested_zip": lambda archive, name: standin_zips.packed({name: archive}),
    "zero_bomb": lambda _, name: standin_zips.bomb(name),
    "lying_bomb": lambda _, name: standin_zips.bomb(name, claimed=1024**2),
    "html_200": lambda *_: HTML,
    "empty_200": lambda *_: b"",
}


def spoiled(name: str, archive: bytes, member: str) -> bytes:
    """The bytes that content fault `name` serves in place of `archive` (a zip of `member`)."""
    return _SPOILED[name](archive, member)
