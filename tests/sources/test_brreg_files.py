"""Enhetsregisteret's bulk files: fetched over a real socket, given by hand, and what is none."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from norway import BUILT, DAY, NOON, Norway, keys, loaded, norway
from register_files import csv_text, zipped

from sources import brreg
from sources.brreg_parse import CSV_LACKS, CSV_NAMES
from sources.kit.card import Landed
from sources.kit.errors import DeliveryRefused, Refused, SourcenoteError
from sources.kit.landing import Landing
from sources.kit.sample_registers import bundled_registers
from sources.kit.standin_api import Reply
from sources.kit.standin_brreg import Brreg
from sources.kit.standin_register import Asked

NAMED = "enheter_2026-11-02T04-00-00.json.gz"
FIELDS = (
    "organisasjonsnummer", "navn", "organisasjonsform.kode", "stiftelsesdato",
    "registreringsdatoEnhetsregisteret", "registrertIForetaksregisteret",
    "underlagtLovgivningLandKode", "epostadresse", "telefon", "mobil", "hjemmeside",
    *(
        f"{place}.{name}"
        for place in ("forretningsadresse", "postadresse")
        for name in ("adresse", "postnummer", "poststed", "landkode")
    ),
)  # fmt: skip


@pytest.fixture
def no(tmp_path: Path) -> Iterator[Norway]:
    with norway(tmp_path) as found:
        yield found


def bulk() -> bytes:
    return Brreg(bundled_registers(DAY).firms["brreg"], DAY).bulk


def given(folder: Path, name: str, content: bytes, **stated: Any) -> Landed:
    path = folder / name
    path.write_bytes(content)
    return brreg.adopt(path, Landing(folder / "landing"), NOON, **stated)


def test_the_bulk_file_lands_as_received_and_dated_as_it_was_built(no: Norway) -> None:
    told: list[tuple[int, int | None]] = []
    made = no.plan()
    landed = brreg.fetch(
        no.session, made, no.landing, progress=lambda done, of: told.append((done, of))
    )
    assert landed.path.read_bytes() == no.register.bulk
    assert (landed.kind, landed.published_at, landed.retrieved_at) == ("full", BUILT, NOON)
    assert landed.position == "dato:2026-11-01T04:00:00.000Z"
    assert landed.url == f"{no.served.base_url}/enhetsregisteret/api/enheter/lastned"
    assert (landed.reason, landed.asked, landed.member) == ("nothing is held yet", None, None)
    assert told[-1] == (landed.byte_count, landed.byte_count)
    frames, said = loaded(landed)
    living = [n for n, found in no.register.entities.items() if "slettedato" not in found]
    assert keys(frames) == living
    assert said == {"erased": (), "absent": (), "unknown": []}


def test_what_was_built_between_plan_and_fetch_is_dated_as_it_is(no: Norway) -> None:
    made = no.plan()
    no.register.publish_bulk(BUILT + timedelta(hours=3))
    landed = no.fetch(made)
    assert landed.published_at == BUILT + timedelta(hours=3)
    assert landed.position == "dato:2026-11-01T07:00:00.000Z"


@pytest.mark.parametrize("fault", ["cut", "reset"])
def test_a_download_that_breaks_off_is_continued(no: Norway, fault: str) -> None:
    made = no.plan()
    no.served.misbehave(fault, times=1, on="lastned")
    assert no.fetch(made).path.read_bytes() == no.register.bulk
    assert "range" in no.served.requests[-1].headers


class Undated(Brreg):
    def answer(self, asked: Asked) -> Reply:
        reply = super().answer(asked)
        kept = {name: value for name, value in reply.headers.items() if name != "Last-Modified"}
        return Reply(reply.status, reply.body, kept)


def test_a_bulk_file_without_its_date_is_loaded_first_and_never_over_what_is_held(
    tmp_path: Path,
) -> None:
    with norway(tmp_path, Undated(bundled_registers(DAY).firms["brreg"], DAY)) as no:
        first = no.fetch(no.plan())
        assert first.published_at is None
        # The feed is read from a week and a day before it was fetched.
        assert (
            first.position
            == f"dato:{first.retrieved_at - timedelta(days=8):%Y-%m-%dT%H:%M:%S}.000Z"
        )
        again = replace(no.plan(), kind="full", position=first.position)
        with pytest.raises(DeliveryRefused, match="does not state when it was built") as refusal:
            no.fetch(again)
        assert refusal.value.landed.sha256


def test_a_bulk_file_of_the_future_is_refused(tmp_path: Path) -> None:
    with (
        norway(tmp_path, now=BUILT - timedelta(days=2)) as no,
        pytest.raises(DeliveryRefused, match="dated in the future"),
    ):
        no.fetch(no.plan())


@pytest.mark.parametrize("fault", ["html_200", "empty_200", "error_200", "unavailable", "missing"])
def test_what_comes_in_its_place_is_refused(no: Norway, fault: str) -> None:
    made = no.plan()
    no.served.misbehave(fault)
    with pytest.raises(SourcenoteError):
        no.fetch(made)


def test_a_truncated_bulk_file_loads_nothing(no: Norway) -> None:
    made = no.plan()
    no.served.misbehave("truncated")
    with pytest.raises(DeliveryRefused):
        loaded(no.fetch(made))


@pytest.mark.parametrize(
    ("name", "stated", "kind", "published_at"),
    [
        (NAMED, {}, "full", BUILT),
        ("enheter_2026-11-02T04-00-00.123+0000.json.gz", {}, "full", BUILT),
        ("enheter_alle.json.gz", {}, "full", None),
        ("enheter_2026-13-02T04-00-00.json.gz", {}, "full", None),
        ("some.json.gz", {}, "file", None),
        (NAMED, {"kind": "delta"}, "delta", BUILT),
        ("some.gz", {"kind": "full", "published_at": NOON}, "full", NOON),
    ],
)
def test_a_file_given_by_hand_says_by_its_name_what_it_is(
    tmp_path: Path, name: str, stated: Any, kind: str, published_at: datetime | None
) -> None:
    landed = given(tmp_path, name, bulk(), **stated)
    assert (landed.kind, landed.published_at) == (kind, published_at)
    assert (landed.url, landed.position, landed.member) == (f"file:{name}", None, name)
    assert not landed.is_publisher_host
    assert len(keys(loaded(landed)[0])) == 133


def test_the_plain_file_and_a_zip_of_it_are_taken_too(tmp_path: Path) -> None:
    plain = gzip.decompress(bulk())
    assert len(keys(loaded(given(tmp_path, "enheter.json", plain))[0])) == 133
    path = zipped(tmp_path / "x.zip", "enheter_alle.json", plain.decode())
    landed = brreg.adopt(path, Landing(tmp_path / "landing"), NOON)
    assert (landed.member, len(keys(loaded(landed)[0]))) == ("enheter_alle.json", 133)


def flat(entity: dict[str, Any]) -> dict[str, object]:
    """An entity as the CSV has it: one line of an address, truths as words."""
    found: dict[str, object] = {}
    for field in FIELDS:
        value: Any = entity
        for step in field.split("."):
            value = value.get(step) if isinstance(value, dict) else None
        value = value[-1] if isinstance(value, list) else value
        found[CSV_NAMES.get(field, field)] = json.dumps(value) if value in (True, False) else value
    return found


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_the_csv_says_the_same_as_the_json(tmp_path: Path, pack: Any) -> None:
    entities = json.loads(gzip.decompress(bulk()))
    for entity in entities:
        for place in ("forretningsadresse", "postadresse"):
            entity[place]["adresse"] = entity[place]["adresse"][-1:]
    text = csv_text([flat(entity) for entity in entities])
    by_csv, said = loaded(given(tmp_path, "enheter_alle.csv", pack(text.encode())))
    by_json, _ = loaded(given(tmp_path, "x.json", json.dumps(entities).encode()))
    assert said["unknown"] == []
    assert CSV_LACKS == ("slettedato",)
    for ours, theirs in zip(by_csv, by_json, strict=True):
        assert ours.table.to_pylist() == theirs.table.to_pylist()
        assert ours.contacts.to_pylist() == theirs.contacts.to_pylist()


SUBUNIT = {
    "organisasjonsnummer": "999888777",
    "navn": "PRØVE AVD",
    "organisasjonsform": {"kode": "BEDR"},
    "oppstartsdato": "2017-06-14",
    "overordnetEnhet": "888777666",
}


@pytest.mark.parametrize(
    ("content", "cause"),
    [
        (json.dumps([SUBUNIT]), "subunits, or roles"),
        (json.dumps([{"lei": "X", "navn": "Y"}]), "no organisation number"),
        (json.dumps({"_embedded": {"enheter": []}}), "one JSON object"),
        ("organisasjonsnummer,navn\n999888777,X\n", "lacks the columns"),
        ("<!doctype html><html></html>", "web page"),
        ("", "empty"),
        ("\x00\x01\x02", "not text|neither"),
        (json.dumps([SUBUNIT]).encode("utf-16").decode("latin-1"), "UTF-16|not text|neither"),
    ],
)
def test_a_file_of_something_else_is_refused(tmp_path: Path, content: str, cause: str) -> None:
    raw = content.encode("latin-1")
    for name, body in (("x.json", raw), ("x.json.gz", gzip.compress(raw))):
        with pytest.raises(DeliveryRefused, match=cause) as refusal:
            given(tmp_path, name, body)
        assert refusal.value.landed.url == f"file:{name}"


def test_a_file_of_the_future_or_of_answers_is_refused(no: Norway, tmp_path: Path) -> None:
    with pytest.raises(DeliveryRefused, match="dated in the future"):
        given(tmp_path, "enheter_2026-12-02T04-00-00.json.gz", bulk())
    landed = no.fetch(no.plan(no.after(no.fetch(no.plan()))))
    with pytest.raises(Refused, match="asked for anew"):
        given(tmp_path, "feed.bin", landed.path.read_bytes())
    with pytest.raises(Refused, match="no such file"):
        brreg.adopt(tmp_path / "none", Landing(tmp_path / "landing"), datetime.now(UTC))
