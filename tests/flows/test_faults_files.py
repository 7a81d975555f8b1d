"""Files that are wrong, by `ingest --file`: refused whole, or the row set aside, on both databases.

A refused file leaves every row of every table as it was, is a refused delivery in the ledger, and
the good file after it leaves the warehouse as if the bad one had never come. A file with bad rows
loads the others; the good file after it leaves every company as a clean run does.
"""

from __future__ import annotations

import csv
import gzip
import io
import zipfile
from collections.abc import Callable
from typing import Any

import pytest
from ingesting import COLUMNS, THEIRS, Row, company, csv_bytes, lei
from kept import MANY, Holding
from standing import asked
from trials import second_rows

from sources.kit.standin_zips import encrypted, packed, symlink, wrong_crc

MEMBER = "20261102-0800-gleif-goldencopy-lei2-golden-copy.csv"
NAME = THEIRS["legal_name"]


def rows() -> list[Row]:
    return second_rows(MANY)


def changed(number: int, **words: str) -> bytes:
    """The second delivery with some fields of one company's row changed."""
    found = [
        {**row, **{THEIRS[name]: text for name, text in words.items()}}
        if row["LEI"] == lei(number)
        else row
        for row in rows()
    ]
    return csv_bytes(found)


def replaced(old: bytes, new: bytes) -> Callable[[bytes], bytes]:
    def change(good: bytes) -> bytes:
        assert old in good
        return good.replace(old, new, 1)

    return change


def with_columns(columns: list[str], **extra: str) -> bytes:
    return csv_bytes([{**row, **extra} for row in rows()], columns)


def zipped(content: bytes, name: str = MEMBER) -> bytes:
    return packed({name: content})


NAME_3 = "Prøvefirma 3 AS".encode()
LEI_3 = lei(3).encode()

REFUSED: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "empty": (lambda _: b"", "it is empty"),
    "one byte": (lambda _: b"x", "338 of the 338 published columns are missing"),
    "header only": (lambda good: good.split(b"\r\n")[0] + b"\r\n", "delivery_is_not_empty"),
    "no header": (lambda good: good.split(b"\r\n", 1)[1], "published columns are missing"),
    "a column missing": (
        lambda _: with_columns([name for name in COLUMNS if name != NAME]),
        "1 of the 338 published columns are missing: Entity.LegalName",
    ),
    "an ignored column missing": (
        lambda _: with_columns([name for name in COLUMNS if "LegalEntityEvent.1" not in name]),
        "published columns are missing",
    ),
    "a column renamed": (replaced(b"ConformityFlag", b"Conformity"), "missing: ConformityFlag"),
    "a column twice": (lambda _: with_columns([*COLUMNS, "LEI"]), "columns stand twice: LEI"),
    "a header in Latin-1": (replaced(b"ConformityFlag", b"\xe6"), "it cannot be read"),
    "a header with NUL": (replaced(b'"LEI"', b'"L\0I"'), "nor text"),
    "a quote never closed": (replaced(NAME_3 + b'"', NAME_3), "is never closed"),
    "a quote inside a field": (replaced(NAME_3, b'Fir"ma'), "is never closed"),
    "two quotes inside fields": (
        lambda good: good.replace(NAME_3, b'Fir"ma').replace(lei(7).encode(), b'X"Y'),
        "quotes inside fields are not doubled",
    ),
    "UTF-16": (lambda good: good.decode().encode("utf-16"), "UTF-16"),
    "UTF-16 without a mark": (lambda good: good.decode().encode("utf-16-le"), "nor text"),
    "two byte order marks": (lambda good: b"\xef\xbb\xbf" * 2 + good, "missing: LEI"),
    "carriage returns only": (lambda good: good.replace(b"\r\n", b"\r"), "cannot be read"),
    "a web page": (lambda _: b"<!DOCTYPE html><html></html>", "a web page or XML"),
    "a picture": (lambda _: b"\x89PNG\r\n\x1a\n" + bytes(40), "neither zip, gzip nor text"),
    "no zip at all": (lambda good: b"PK\x03\x04" + good, "not a sound zip archive"),
    "a zip cut short": (lambda good: zipped(good)[:-2000], "cut short"),
    "a gzip cut short": (lambda good: gzipped(good)[:-200], "cut short"),
    "a wrong checksum": (lambda good: wrong_crc(zipped(good)), "checksum does not fit"),
    "a second member": (lambda good: packed({MEMBER: good, "b.csv": good}), "2 files"),
    "a member twice": (lambda _: twice(), "2 files"),
    "a member that climbs": (lambda good: zipped(good, f"../{MEMBER}"), "climbs out"),
    "an absolute member": (lambda good: zipped(good, f"/srv/{MEMBER}"), "absolute"),
    "a member of Windows": (lambda good: zipped(good, f"C:\\{MEMBER}"), "absolute"),
    "a symbolic link": (lambda _: symlink(MEMBER, "/etc/passwd"), "symbolic link"),
    "encrypted": (lambda good: encrypted(zipped(good)), "encrypted"),
    "a zip in a zip": (lambda good: zipped(zipped(good)), "an archive inside an archive"),
    "a member that is no CSV": (lambda good: zipped(good, "lei2.xml"), "lei2.xml"),
    "a zip of nothing": (lambda _: packed({}), "it holds no file"),
    "collapsed": (
        lambda good: b"\r\n".join(good.split(b"\r\n")[:4]) + b"\r\n", "size_fits_last_full",
    ),
    "three times as long": (
        lambda _: csv_bytes([*rows(), *(company(n) for n in range(30_000, 30_040))]),
        "size_fits_last_full",
    ),
    "mostly bad": (
        lambda _: csv_bytes([company(n, lei_status="WHAT") for n in range(40_000, 41_200)]),
        "most_rows_are_sound",
    ),
}  # fmt: skip
ANY_LENGTH = "\n[sources.gleif]\nmin_ratio = 0.0\nmax_ratio = 1000.0\n"


def gzipped(content: bytes) -> bytes:
    return gzip.compress(content, mtime=0)


def twice() -> bytes:
    """The same name twice, which is how one reader is shown another file than the next."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(MEMBER, b"one")
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr(MEMBER, b"two")
    return out.getvalue()


def refused(held: Holding) -> list[dict[str, Any]]:
    query = "SELECT records_in, reason FROM delivery WHERE status = 'refused'"
    return asked(held.url, query)


@pytest.mark.parametrize("fault", REFUSED)
def test_a_wrong_file_is_refused_whole(light: Holding, fault: str) -> None:
    refuse_whole(light, fault)


@pytest.mark.parametrize(
    "fault",
    ["empty", "header only", "a column missing", "a quote never closed", "a wrong checksum",
     "collapsed", "mostly bad"],
)  # fmt: skip
def test_a_wrong_file_is_refused_whole_on_postgresql(heavy: Holding, fault: str) -> None:
    """What is found out after staging began, and two that are found out before."""
    refuse_whole(heavy, fault)


def refuse_whole(holding: Holding, fault: str) -> None:
    spoil, cause = REFUSED[fault]
    if fault == "mostly bad":
        with (holding.home / "sourcenote.toml").open("a") as settings:
            settings.write(ANY_LENGTH)
    answer = holding.load(spoil(holding.second))
    assert answer.code == 1, answer.out
    error = answer.document["error"]
    assert cause in f"{error['cause']} {error['thing']}"
    assert error["thing"]
    assert error["cure"]
    for part in ("thing", "cause", "cure"):
        assert error[part].split()[0] in answer.err
    assert holding.is_as_before()
    assert holding.left_over() == []
    (delivery,) = refused(holding)
    assert error["cause"] == delivery["reason"]

    assert holding.load(holding.second).code in {0, 3}
    assert holding.is_as_after()
    assert holding.left_over() == []


HARMLESS: dict[str, Callable[[bytes], bytes]] = {
    "a byte order mark": lambda good: b"\xef\xbb\xbf" + good,
    "line feeds": lambda good: good.replace(b"\r\n", b"\n"),
    "empty lines": lambda good: good.replace(b"\r\n", b"\r\n\r\n"),
    "no last line end": lambda good: good.removesuffix(b"\r\n"),
    "columns in another order": lambda _: with_columns([*reversed(COLUMNS)]),
    "a new column": lambda _: with_columns([*COLUMNS, "New"], New="v"),
    "quoted where needed": lambda _: sparsely_quoted(),
    "a key twice alike": lambda good: good + good.split(b"\r\n")[1] + b"\r\n",
    "bad bytes where nobody looks": lambda _: ignored("QQQ").replace(b"QQQ", b"\xff\0"),
    "zipped": zipped,
    "gzipped": gzipped,
}


def sparsely_quoted() -> bytes:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(rows())
    return text.getvalue().encode()


def ignored(text: str) -> bytes:
    return csv_bytes([{**row, "Entity.OtherEntityNames.OtherEntityName.1": text} for row in rows()])


@pytest.mark.parametrize("difference", HARMLESS)
def test_what_makes_no_difference(light: Holding, difference: str) -> None:
    answer = light.load(HARMLESS[difference](light.second))
    assert answer.code in {0, 3}, answer.err
    assert light.holds_values_of_after()
    assert answer.document["unknown_columns"] == (["New"] if difference == "a new column" else [])
    counts = answer.document["counts"]
    assert counts["records_superseded"] == (difference == "a key twice alike")
    assert counts["records_quarantined"] == 2


SET_ASIDE: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "not UTF-8": (replaced(NAME_3, b"bad \xff\xfe"), "text_is_readable"),
    "Latin-1": (replaced(NAME_3, "Prøve".encode("latin-1")), "text_is_readable"),
    "NUL in a name": (replaced(NAME_3, b"a\0b"), "text_is_readable"),
    "a control character": (replaced(NAME_3, b"a\x1bb"), "text_is_readable"),
    "NUL in the key": (replaced(LEI_3, LEI_3[:9] + b"\0" + LEI_3[10:]), "lei_is_well_formed"),
    "wrong check digits": (replaced(LEI_3, LEI_3[:18] + b"00"), "lei_check_digits_hold"),
    "a key in lower case": (replaced(LEI_3, LEI_3.lower()), "lei_is_well_formed"),
    "no key": (replaced(LEI_3, b""), "lei_is_well_formed"),
    "a very long key": (replaced(LEI_3, b"A" * 300_000), "lei_is_well_formed"),
    "a key of COPY": (replaced(LEI_3, b"\\."), "lei_is_well_formed"),
    "a key of SQL": (replaced(LEI_3, b"'; DROP TABLE x; --"), "lei_is_well_formed"),
    "a key of full-width letters": (replaced(b"506700TEST00000003", "５06700TEST00000003".encode()),
                                    "lei_is_well_formed"),
    "no name": (replaced(NAME_3, b" "), "legal_name_is_present"),
    "an unknown LEI status": (lambda _: changed(3, lei_status="WHAT2"), "lei_status_is_known"),
    "an unknown entity status": (lambda _: changed(3, entity_status="X"), "entity_status_is_known"),
    "an unknown category": (lambda _: changed(3, entity_category="X"), "entity_category_is_known"),
    "an unknown country": (lambda _: changed(3, legal_country="ZZ"), "countries_are_known"),
    "a renewal in 9940": (
        lambda _: changed(3, next_renewal_published="9940-03-05T12:00:00Z"), "dates_are_readable"
    ),
    "a renewal in 99999": (
        lambda _: changed(3, next_renewal_published="99999-03-05T12:00:00Z"), "dates_are_readable"
    ),
    "a renewal before its time": (
        lambda _: changed(3, next_renewal_published="2001-03-05T12:00:00Z"),
        "renewal_is_not_before_registration",
    ),
    "no day of registration": (
        lambda _: changed(3, initial_registration_published=""), "dates_are_readable"
    ),
    "too few fields": (lambda good: good + b'"x","y"\r\n', "row_has_every_field"),
    "too many fields": (lambda good: good + b'"x",' * 400 + b'"y"\r\n', "row_has_every_field"),
    "too few fields that are not UTF-8": (
        lambda good: good + b'"x","\xff"\r\n', "row_has_every_field"
    ),
    "something after the end": (lambda good: good + b"\x1a", "row_has_every_field"),
}  # fmt: skip


@pytest.mark.parametrize("fault", SET_ASIDE)
def test_a_bad_row_is_set_aside_and_the_others_load(light: Holding, fault: str) -> None:
    set_aside(light, fault)


@pytest.mark.parametrize(
    "fault",
    ["not UTF-8", "NUL in a name", "NUL in the key", "a very long key", "a key of COPY",
     "a key of SQL", "too many fields"],
)  # fmt: skip
def test_a_bad_row_is_set_aside_on_postgresql(heavy: Holding, fault: str) -> None:
    """What a database might choke on."""
    set_aside(heavy, fault)


def set_aside(holding: Holding, fault: str) -> None:
    spoil, rule = SET_ASIDE[fault]
    answer = holding.load(spoil(holding.second))
    assert answer.code == 3, answer.err
    found = answer.document
    assert found["quarantined_by_rule"][rule] == 1 + (rule in KNOWN_BAD)
    assert found["counts"]["records_quarantined"] == 3
    query = "SELECT records_new, records_quarantined FROM deliveries WHERE delivery_id = 2"
    (delivery,) = asked(holding.url, query)
    assert delivery["records_quarantined"] == 3
    assert delivery["records_new"] == MANY // 2
    held = asked(holding.url, "SELECT legal_name FROM record WHERE source_key = :lei", lei=lei(3))
    assert held == [{"legal_name": NAME_3.decode()}]

    assert holding.load(holding.second).code in {0, 3}
    assert holding.holds_values_of_after()


KNOWN_BAD = {"lei_status_is_known", "lei_is_well_formed"}
"""Rules that two rows of the good file break as well."""


def test_a_key_twice_with_different_content_is_set_aside_both_times(light: Holding) -> None:
    holding = light
    again = csv_bytes([company(3, legal_name="Prøvefirma den anden")]).split(b"\r\n", 1)[1]
    answer = holding.load(holding.second + again)
    assert answer.code == 3
    assert answer.document["quarantined_by_rule"]["key_is_unique"] == 2
    query = "SELECT content FROM quarantined_row WHERE rule = 'key_is_unique'"
    assert len(asked(holding.url, query)) == 2
    assert holding.load(holding.second).code in {0, 3}
    assert holding.holds_values_of_after()


@pytest.mark.parametrize("published", ["9940-04-01T00:00:00Z", "0000-00-00", "yesterday"])
def test_a_creation_that_cannot_be_is_a_recorded_null(light: Holding, published: str) -> None:
    holding = light
    answer = holding.load(changed(4, creation_published=published))
    assert answer.code in {0, 3}, answer.err
    assert answer.document["notes"]["creation_year_is_possible"] == 1
    query = "SELECT creation_published, creation_at FROM record WHERE source_key = :lei"
    (held,) = asked(holding.url, query, lei=lei(4))
    assert held == {"creation_published": published, "creation_at": None}


NAMES = (
    "\\.", "\\N", "\\", "line one\n\\.\nline three", "a\r\nb", "a\rb", "tab\there",
    "'; DROP TABLE record; --", 'double "" and "', "$$ $1 %s %(name)s :name ?", "NULL", "NA", "nan",
    "\\x41\\u0041\\101", "  blanks around  ", "{{ 7 * 7 }} {% raw %} ${x} {0}", "<script>",
    "=HYPERLINK(1)", "+1", "-1", "@SUM(A1)", "\u202egnp.exe", "e\u0301 and \u00e9", "𝒳 😀 株式会社",
    "a" * 70_000,
)  # fmt: skip


def every_text(document: Any) -> set[str]:
    if isinstance(document, dict | list):
        inner = document.values() if isinstance(document, dict) else document
        return set().union(*map(every_text, inner))
    return {document} if isinstance(document, str) else set()


def test_names_are_kept_to_the_byte(holding: Holding) -> None:
    """Escapes of SQL, COPY, CSV, spreadsheets and templates are letters like any other."""
    news = [company(50_000 + n, legal_name=name) for n, name in enumerate(NAMES)]
    with (holding.home / "sourcenote.toml").open("a") as settings:
        settings.write(ANY_LENGTH)
    answer = holding.load(csv_bytes([*rows(), *news]))
    assert answer.code in {0, 3}, answer.err
    query = "SELECT legal_name FROM prospects WHERE lei >= :low ORDER BY lei"
    held = [row["legal_name"] for row in asked(holding.url, query, low=lei(50_000)[:18])]
    assert held == list(NAMES)
    # They come back the other way as well: as a change, from one to the next.
    turned = [*NAMES[1:], NAMES[0]]
    news = [company(50_000 + n, legal_name=name) for n, name in enumerate(turned)]
    name = "20261103-0800-gleif-goldencopy-lei2-golden-copy.csv"
    answer = holding.load(csv_bytes([*rows(), *news]), name)
    assert answer.document["counts"]["records_changed"] == len(NAMES)
    held = [row["legal_name"] for row in asked(holding.url, query, low=lei(50_000)[:18])]
    assert held == turned
    query = (
        "SELECT old_value, new_value FROM changes WHERE delivery_id = 3 AND field = 'legal_name'"
    )
    assert {tuple(row.values()) for row in asked(holding.url, query)} == set(
        zip(NAMES, turned, strict=True)
    )
    answer = holding.run("explain", lei(50_003), "--json")
    assert answer.code == 0
    assert turned[3] in every_text(answer.document)
    assert holding.run("explain", lei(50_010)).code == 0


def test_the_same_bad_file_again_is_refused_again(light: Holding) -> None:
    bad = light.second.replace(NAME_3 + b'"', NAME_3, 1)
    assert [light.load(bad).code for _ in range(2)] == [1, 1]
    assert len(refused(light)) == 2
    assert light.is_as_before()


def test_a_file_that_is_not_there_and_one_that_is_a_folder(light: Holding) -> None:
    for path in (light.home / "nowhere.csv", light.home):
        answer = light.run("ingest", "gleif", "--json", "--file", path)
        assert answer.code == 1
        assert answer.document["error"]["cause"]
    assert light.is_as_before()
