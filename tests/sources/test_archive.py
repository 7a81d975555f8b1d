"""Opening what was delivered: .zip, .gz and plain by their bytes, and nothing that is a trap."""

from __future__ import annotations

import gzip
import io
import stat
import struct
import subprocess
import sys
import threading
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from isal import isal_zlib

from sources.kit.archive import contents, open_member
from sources.kit.errors import DeliveryRefused
from sources.kit.readahead import CHUNKS_AHEAD, ReadAhead

ROOT = Path(__file__).resolve().parents[2]
NAME = "20260516-1600-gleif-goldencopy-lei2-golden-copy.csv"
ROWS = b'"LEI","Entity.LegalName"\r\n' + b"".join(
    b'"INVENTED%012d","Opdigtet Handel %d ApS"\r\n' % (n, n * n) for n in range(120_000)
)


def zipped(*members: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", method) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return made.getvalue()


@pytest.fixture
def file(tmp_path: Path) -> Callable[[bytes], Path]:
    def write(data: bytes) -> Path:
        path = tmp_path / "landed.bin"
        path.write_bytes(data)
        return path

    return write


def read(path: Path) -> tuple[str, bytes]:
    with open_member(path) as (name, stream):
        return name, b"".join(stream.chunks())


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED])
def test_a_zip_is_read_as_it_was_packed(file: Callable[[bytes], Path], method: int) -> None:
    assert read(file(zipped((NAME, ROWS), method=method))) == (NAME, ROWS)


def test_a_streamed_zip_with_descriptor_and_zip64_is_read(tmp_path: Path) -> None:
    class Pipe(io.RawIOBase):
        """A file that cannot seek: zipfile then writes sizes after the data."""

        def __init__(self) -> None:
            self.data = bytearray()

        def writable(self) -> bool:
            return True

        def write(self, data: bytes) -> int:  # type: ignore[override]
            self.data += data
            return len(data)

    pipe = Pipe()
    with (
        zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open(NAME, "w", force_zip64=True) as member,
    ):
        member.write(ROWS)
    (tmp_path / "streamed").write_bytes(pipe.data)
    assert read(tmp_path / "streamed") == (NAME, ROWS)


def test_plain_and_gzip_are_told_by_their_bytes(tmp_path: Path) -> None:
    (tmp_path / "plain.zip").write_bytes(ROWS)
    assert read(tmp_path / "plain.zip") == ("plain.zip", ROWS)
    (tmp_path / "bom.csv").write_bytes(b"\xef\xbb\xbf" + ROWS)
    assert read(tmp_path / "bom.csv")[1] == b"\xef\xbb\xbf" + ROWS
    (tmp_path / "packed.csv").write_bytes(gzip.compress(ROWS))
    assert read(tmp_path / "packed.csv") == ("packed.csv", ROWS)


def test_gzip_of_several_members_padding_and_a_name(tmp_path: Path) -> None:
    with gzip.GzipFile(tmp_path / NAME, "wb") as packed:
        packed.write(ROWS)
    data = (tmp_path / NAME).read_bytes()
    (tmp_path / "landed.bin").write_bytes(data + gzip.compress(ROWS) + bytes(1000))
    assert contents(tmp_path / "landed.bin").name == NAME
    assert read(tmp_path / "landed.bin") == (NAME, ROWS + ROWS)


def test_it_reads_like_any_stream(file: Callable[[bytes], Path]) -> None:
    with open_member(file(zipped((NAME, ROWS)))) as (_, stream):
        assert stream.peek(5) == ROWS[:5]
        assert stream.read(10) == ROWS[:10]
        assert stream.read(2_000_000) == ROWS[10:2_000_010]
        assert stream.read(0) == b""
        buffer = bytearray(7)
        assert stream.readinto(buffer) == 7
        assert bytes(buffer) == ROWS[2_000_010:2_000_017]
        assert stream.readline() + stream.read() == ROWS[2_000_017:]
        assert stream.read(1) == b""
        assert list(stream.chunks()) == []
    with pytest.raises(ValueError, match="closed"):
        stream.read(1)


def test_leaving_early_stops_the_thread(file: Callable[[bytes], Path]) -> None:
    before = threading.active_count()
    with open_member(file(zipped((NAME, ROWS * 3)))) as (_, stream):
        stream.read(1)
    assert threading.active_count() == before
    with (
        pytest.raises(RuntimeError, match="reader"),
        open_member(file(zipped((NAME, ROWS * 3)))),
    ):
        raise RuntimeError("reader")
    assert threading.active_count() == before


def test_it_reads_only_a_little_ahead() -> None:
    made = []
    full = threading.Event()

    def endless() -> object:
        while True:
            made.append(1)
            if len(made) > CHUNKS_AHEAD:
                full.set()
            yield b"x"

    with ReadAhead(endless()) as stream:  # type: ignore[arg-type]
        assert full.wait(5)
        stream.read(1)
    assert len(made) <= CHUNKS_AHEAD + 3


FEW = ROWS[:50_000]
SOUND = zipped((NAME, FEW))


def renamed(name: str) -> bytes:
    """A member whose name zipfile itself would not write."""
    stand_in = "x" * len(name)
    return zipped((stand_in, FEW)).replace(stand_in.encode(), name.encode())


def patched(offset_in_directory: int, data: bytes, archive: bytes = SOUND) -> bytes:
    start = archive.rindex(b"PK\x01\x02") + offset_in_directory
    return archive[:start] + data + archive[start + len(data) :]


def linked() -> bytes:
    made = io.BytesIO()
    info = zipfile.ZipInfo(NAME)
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr(info, "/etc/passwd")
    return made.getvalue()


def with_many_names() -> bytes:
    return zipped(*((f"{n:06}.csv", b"") for n in range(30_000)))


@pytest.mark.parametrize(
    ("data", "cause"),
    [
        (b"", "is empty"),
        (b"<!DOCTYPE html><title>Maintenance</title>", "web page or XML"),
        (b"\xef\xbb\xbf \r\n<?xml version='1.0'?>", "web page or XML"),
        (b'{"records":[{"LEI":{"$":"', "JSON, not CSV"),
        (bytes(range(256)) * 8, "neither zip, gzip nor text"),
        (b"7z\xbc\xaf'\x1c", "a 7z archive"),
        ("LEI;Navn".encode("utf-16"), "UTF-16"),
        (zipped(), "holds no file"),
        (SOUND[: len(SOUND) // 2], "cut short"),
        (SOUND[:-30], "cut short"),
        (SOUND[:4] + bytes(500), "cut short"),
        (zipped((NAME, FEW), ("more.csv", FEW)), "holds 2 files where 1 is expected"),
        (with_many_names(), "not a sound zip"),
        (zipped(("../" + NAME, FEW)), "climbs out"),
        (zipped(("a/../../" + NAME, FEW)), "climbs out"),
        (renamed("..\\" + NAME), "climbs out"),
        (zipped(("/etc/" + NAME, FEW)), "absolute name"),
        (renamed("C:\\" + NAME), "absolute name"),
        (renamed("a\0.exe.csv"), "characters in its name"),
        (renamed("a\n.csv"), "characters in its name"),
        (zipped((NAME + "/", b"")), "is not a file"),
        (linked(), "symbolic link"),
        (patched(8, b"\x01\x00"), "is encrypted"),
        (zipped((NAME, FEW), method=zipfile.ZIP_BZIP2), "compressed by method 12"),
        (zipped((NAME, FEW), method=zipfile.ZIP_LZMA), "compressed by method 14"),
        (zipped(("inner.csv.zip", SOUND)), r"0 files that end in \.csv"),
        (zipped(("readme.txt", b"hello")), r"0 files that end in \.csv"),
        (zipped((NAME, SOUND)), "archive inside an archive"),
        (zipped((NAME, gzip.compress(FEW, mtime=0))), "archive inside an archive"),
        (gzip.compress(SOUND, mtime=0), "archive inside an archive"),
        (zipped((NAME, b"<html><body>503</body></html>")), "web page"),
        (zipped((NAME, b"")), "is empty"),
        (gzip.compress(b"", mtime=0), "is empty"),
        (patched(46, b"x"), "do not agree"),
        (patched(42, b"\x07"), "cut short|do not agree"),
        (patched(20, b"\xff\xff\xff\x7f"), "reaches past its end"),
    ],
)  # fmt: skip
def test_what_is_not_the_delivery_is_refused(
    file: Callable[[bytes], Path], data: bytes, cause: str
) -> None:
    with pytest.raises(DeliveryRefused, match=cause) as raised:
        read(file(data))
    assert raised.value.thing
    assert raised.value.cure


def test_several_members_only_where_they_are_expected(file: Callable[[bytes], Path]) -> None:
    both = file(zipped(("readme.txt", b"hello"), (NAME, ROWS)))
    with open_member(both, max_members=2) as (name, stream):
        assert (name, stream.read()) == (NAME, ROWS)
    with (
        pytest.raises(DeliveryRefused, match="2 files that end in"),
        open_member(file(zipped(("a.csv", ROWS), (NAME, ROWS))), max_members=2),
    ):
        pass
    with pytest.warns(UserWarning, match="Duplicate"):
        twice = zipped((NAME, FEW), (NAME, FEW))
    with (
        pytest.raises(DeliveryRefused, match="repeats a name"),
        open_member(file(twice), max_members=2),
    ):
        pass


LARGE = zipped((NAME, ROWS))
MIDDLE = len(LARGE) // 2
GZIP = gzip.compress(ROWS)


@pytest.mark.parametrize(
    "data",
    [
        LARGE[:MIDDLE] + bytes([LARGE[MIDDLE] ^ 0xFF]) + LARGE[MIDDLE + 1 :],
        patched(16, b"\x00\x00\x00\x00", LARGE),
        patched(24, struct.pack("<L", len(ROWS) - 1), LARGE),
        patched(24, struct.pack("<L", len(ROWS) + 1), LARGE),
        patched(20, struct.pack("<L", len(LARGE) // 3), LARGE),
        GZIP[:-4],
        GZIP[: len(GZIP) // 2],
        GZIP[:-5] + b"\x00" + GZIP[-4:],
        GZIP[: len(GZIP) // 2] + b"\xff\x00\xff" + GZIP[len(GZIP) // 2 + 3 :],
        GZIP + b"garbage",
        GZIP + GZIP[:100],
    ],
    ids=[
        "flipped bit", "false checksum", "false length, short", "false length, long",
        "false packed length", "gzip without end", "gzip cut", "gzip checksum", "gzip damaged",
        "gzip garbage", "gzip second member cut",
    ],
)  # fmt: skip
def test_damage_is_met_while_reading_and_the_end_is_never_shown(
    file: Callable[[bytes], Path], data: bytes
) -> None:
    with open_member(file(data)) as (_, stream):
        with pytest.raises(DeliveryRefused) as raised:
            for _ in iter(lambda: stream.read(65536), b""):
                pass
        assert raised.value.cure == "Fetch the file again; if it stays, tell the publisher"
        with pytest.raises(DeliveryRefused):
            stream.read(1)


def test_every_truncation_of_an_archive_is_refused(file: Callable[[bytes], Path]) -> None:
    small = zipped((NAME, ROWS[:5000]))
    # One or two letters are a text file like any other; its missing header is the parser's.
    for length in (0, *range(3, len(small))):
        with pytest.raises(DeliveryRefused):
            read(file(small[:length]))


@settings(max_examples=300)
@given(st.binary(max_size=8), st.integers(min_value=0), st.sampled_from(["zip", "gz"]))
@example(noise=b"k", place=22460, kind="zip")  # a directory that points before the beginning
def test_no_change_of_bytes_goes_unseen_or_ends_in_another_error(
    tmp_path_factory: pytest.TempPathFactory, noise: bytes, place: int, kind: str
) -> None:
    small = zipped((NAME, ROWS[:2000])) if kind == "zip" else gzip.compress(ROWS[:2000])
    start = 3 + place % (len(small) - 3)
    path = tmp_path_factory.getbasetemp() / "noisy"
    path.write_bytes(small[:start] + noise + small[start + len(noise) :])
    try:
        assert read(path)[1] == ROWS[:2000]
    except DeliveryRefused as refused:
        assert refused.cause  # noqa: PT017 - either outcome is right, no other is


def repeated_block(block: bytes, times: int) -> tuple[bytes, int]:
    """Deflate data that holds `block` `times` over, and its CRC-32, made without all the work."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    once = packer.compress(block) + packer.flush(zlib.Z_FULL_FLUSH)
    crc = block_crc = zlib.crc32(block)
    for _ in range(times - 1):
        crc = isal_zlib.crc32_combine(crc, block_crc, len(block))
    return once * times + b"\x03\x00", crc


def large_zip(path: Path, block: bytes, times: int, *, byte_count: int | None = None) -> None:
    """Write a ZIP64 archive of one deflated member without holding what it unpacks to."""
    packed, crc = repeated_block(block, times)
    size = len(block) * times if byte_count is None else byte_count
    name, far = NAME.encode(), 0xFFFFFFFF
    extra = struct.pack("<HHQQ", 1, 16, size, len(packed))
    local = struct.pack("<4s5H3L2H", b"PK\3\4", 45, 0, 8, 0, 0x21, crc, far, far, len(name), 20)
    entry = struct.pack(
        "<4s6H3L5H2L", b"PK\1\2", 45, 45, 0, 8, 0, 0x21, crc, far, far, len(name), 20, 0, 0, 0, 0, 0
    )
    with path.open("wb") as file:
        file.write(local + name + extra + packed)
        start = file.tell()
        file.write(entry + name + extra)
        length = file.tell() - start
        tail = struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, 1, 1, length, start)
        locator = struct.pack("<4sLQL", b"PK\6\7", 0, start + length, 1)
        file.write(
            tail + locator + struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 1, 1, length, start, 0)
        )


def test_more_than_four_gigabytes_are_read(tmp_path: Path) -> None:
    block = b"0" * (16 * 1024 * 1024)
    times = 257
    large_zip(tmp_path / "large", block, times)
    with open_member(tmp_path / "large", max_ratio=1e9) as (_, stream):
        byte_count = sum(len(chunk) for chunk in stream.chunks())
    assert byte_count == len(block) * times > 4 * 1024**3


BOMB_READER = """
import sys, time
from pathlib import Path
from sources.kit.archive import open_member
from sources.kit.errors import DeliveryRefused
started, seen = time.process_time(), 0
try:
    with open_member(Path(sys.argv[1])) as (_, stream):
        for chunk in stream.chunks():
            seen += len(chunk)
except DeliveryRefused as refused:
    print(refused.cause)
print(seen, round(time.process_time() - started, 2))
peak = [line for line in Path("/proc/self/status").read_text().splitlines() if "VmHWM" in line]
print(int(peak[0].split()[1]) // 1024)
"""


@pytest.mark.parametrize(
    ("stated", "why", "most"),
    [
        (10 * 1024**3, "more than 60 times its size", 65 * 1024 * 1024),
        (1000, "more than the 1000 bytes it states", 0),
    ],
)
def test_ten_gigabytes_of_nothing_are_refused_after_little_work(
    tmp_path: Path, stated: int, why: str, most: int
) -> None:
    large_zip(tmp_path / "bomb", b"0" * (16 * 1024 * 1024), 640, byte_count=stated)
    assert (tmp_path / "bomb").stat().st_size < 20_000_000
    done = subprocess.run(
        [sys.executable, "-c", BOMB_READER, str(tmp_path / "bomb")],
        capture_output=True, text=True, cwd=ROOT, timeout=60, check=True,
    )  # fmt: skip
    cause, work, megabytes = done.stdout.splitlines()
    assert why in cause
    assert int(work.split()[0]) <= most
    assert float(work.split()[1]) < 2
    assert int(megabytes) < 150


def test_size_and_ratio_are_limits_of_the_caller(tmp_path: Path) -> None:
    large_zip(tmp_path / "large", b"0" * (16 * 1024 * 1024), 16)
    with (
        pytest.raises(DeliveryRefused, match="more than 60 times"),
        open_member(tmp_path / "large") as (_, stream),
    ):
        stream.read()
    with (
        pytest.raises(DeliveryRefused, match="more than 100000000 bytes"),
        open_member(tmp_path / "large", max_bytes=100_000_000, max_ratio=1e9) as (_, stream),
    ):
        stream.read()
    with open_member(tmp_path / "large", max_ratio=1e9) as (_, stream):
        assert len(stream.read()) == 256 * 1024 * 1024
    (tmp_path / "gz").write_bytes(gzip.compress(bytes(128) + b"0" * 100_000_000))
    with pytest.raises(DeliveryRefused):
        read(tmp_path / "gz")


def test_a_small_file_may_pack_very_well(file: Callable[[bytes], Path]) -> None:
    rows = ROWS[:100] * 200_000
    archive = zipped((NAME, rows))
    assert len(rows) > 100 * len(archive)
    assert read(file(archive))[1] == rows
