"""The registers' server: all four at one address, personal numbers in odd fields, and faults."""

from __future__ import annotations

import gzip
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from datetime import date
from io import BytesIO
from typing import Any

import pytest
import requests
from requests.exceptions import ChunkedEncodingError, ReadTimeout

from sources.kit.sample_registers import bundled_registers
from sources.kit.standin import Pace
from sources.kit.standin_registers import API_KEY, FAULTS, RegisterStandIn, bundled

DAY = date(2026, 11, 2)
QUICK = Pace(stall_seconds=0.4, trickle_bytes=8192, trickle_pause=0.001, retry_after="2")
BREG = "/enhetsregisteret/api/enheter"
EE = "/sites/default/files/avaandmed/ettevotja_rekvisiidid__yldandmed.json.zip"
FI = "/opendata-ytj-api/v3/companies"
CVR = f"/CVR/v2?apiKey={API_KEY}"
FILES = f"/FileDownloads/GetAvailableFileDownloads?Register=CVR&apiKey={API_KEY}"


@pytest.fixture
def standing() -> Iterator[RegisterStandIn]:
    with RegisterStandIn(*bundled(DAY), pace=QUICK, latency=0.3) as served:
        yield served


def get(standing: RegisterStandIn, path: str, **options: Any) -> requests.Response:
    timeout = options.pop("timeout", 5)
    url = standing.base_url + path
    return requests.get(url, timeout=timeout, allow_redirects=False, **options)


def test_all_four_answer_at_one_address(standing: RegisterStandIn) -> None:
    for path in (BREG, EE, FI, FILES):
        assert get(standing, path).status_code == 200
    assert get(standing, "/elsewhere").status_code == 404
    assert [request.path for request in standing.requests] == [BREG, EE, FI, FILES, "/elsewhere"]


def test_personal_numbers_turn_up_in_what_each_register_sends(standing: RegisterStandIn) -> None:
    sample = bundled_registers(DAY)
    sent = {
        "brreg": gzip.decompress(get(standing, f"{BREG}/lastned").content).decode(),
        "ariregister": unzipped(get(standing, EE).content),
        "prh": get(standing, FI).text,
        "cvr": "",
    }
    for entity in ("e-mailadresse", "Telefonnummer", "Navn", "Adressering"):
        path = f"/FileDownloads/GetFile?Register=CVR&LatestTotalForEntity={entity}&apiKey={API_KEY}"
        sent["cvr"] += unzipped(get(standing, path).content)
    for register, text in sent.items():
        planted = sample.of(register, "personal_number")  # type: ignore[arg-type]
        assert len(planted) >= 5
        assert all(firm.personal_number in text for firm in planted), register


def unzipped(content: bytes) -> str:
    with zipfile.ZipFile(BytesIO(content)) as archive:
        return archive.read(archive.namelist()[0]).decode()


@pytest.mark.parametrize("path", [BREG, EE, FI, FILES])
@pytest.mark.parametrize(
    ("fault", "status"),
    [
        ("rate_limited", 429),
        ("rate_limited_bare", 429),
        ("server_error", 500),
        ("unavailable", 503),
    ],
)
def test_refusals(standing: RegisterStandIn, path: str, fault: str, status: int) -> None:
    standing.misbehave(fault, times=1)
    answer = get(standing, path)
    assert answer.status_code == status
    assert answer.headers.get("Retry-After") == ("2" if fault == "rate_limited" else None)
    assert get(standing, path).status_code == 200


def test_an_answer_can_be_late(standing: RegisterStandIn) -> None:
    query = {"query": "{ CVR_Events(first: 1) { nodes { eventid } } }"}
    standing.misbehave("late", on="/CVR/v2")
    start = time.monotonic()
    answer = requests.post(standing.base_url + CVR, json=query, timeout=5)
    assert answer.json()["data"]["CVR_Events"]["nodes"] == [{"eventid": 1}]
    assert time.monotonic() - start >= 0.3
    with pytest.raises(ReadTimeout):
        requests.post(standing.base_url + CVR, json=query, timeout=0.1)
    start = time.monotonic()
    assert get(standing, BREG).status_code == 200  # the others are not
    assert time.monotonic() - start < 0.3


def test_latency_is_datafordelers_when_none_is_said() -> None:
    assert RegisterStandIn().latency == 45


@pytest.mark.parametrize("fault", ["cut", "reset"])
def test_a_body_breaks_off(standing: RegisterStandIn, fault: str) -> None:
    standing.misbehave(fault, times=1, on="lastned")
    with pytest.raises((ChunkedEncodingError, requests.ConnectionError)):
        get(standing, f"{BREG}/lastned")
    whole = get(standing, f"{BREG}/lastned").content
    rest = get(standing, f"{BREG}/lastned", headers={"Range": "bytes=1000-"})
    assert (rest.status_code, rest.content) == (206, whole[1000:])


def test_silence(standing: RegisterStandIn) -> None:
    standing.misbehave("no_answer", times=1)
    with pytest.raises(ReadTimeout):
        get(standing, EE, timeout=0.1)


@pytest.mark.parametrize("path", [BREG, EE, FI, FILES])
def test_200_with_an_error_inside(standing: RegisterStandIn, path: str) -> None:
    standing.misbehave("error_200", times=1)
    answer = get(standing, path)
    assert answer.status_code == 200
    said = answer.text
    assert any(word in said for word in ("feilmelding", "errors", "errorcode", "Maintenance"))


def test_200_with_something_else(standing: RegisterStandIn) -> None:
    whole = get(standing, EE).content
    standing.misbehave("html_200", times=1)
    assert get(standing, EE).content.startswith(b"<!DOCTYPE html>")
    standing.misbehave("empty_200", times=1)
    assert get(standing, EE).content == b""
    standing.misbehave("truncated", times=1)
    assert get(standing, EE).content == whole[: len(whole) * 6 // 10]
    standing.misbehave("redirect_foreign")
    assert get(standing, EE).headers["Location"].startswith("http://localhost:")
    standing.behave()
    assert get(standing, EE).content == whole


def test_unknown_faults_are_refused() -> None:
    with pytest.raises(ValueError, match="unknown fault"):
        RegisterStandIn().misbehave("earthquake")
    assert {"late", "error_200", "stall", "rate_limited"} <= set(FAULTS)


def test_started_by_hand() -> None:
    command = [sys.executable, "-m", "sources.kit.standin_registers", "--fault", "server_error"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        base = process.stdout.readline().strip()
        try:
            assert requests.get(base + FI, timeout=5).status_code == 500
        finally:
            process.terminate()
        assert process.stdout.read() == "stopped\n"
    assert process.returncode == 0
