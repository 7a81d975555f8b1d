"""A publisher's key comes from the environment by the settings; without it nothing is asked."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer

from flows.house import House
from flows.publisher import session_with
from flows.settings import load
from sources.kit.errors import Refused

KEY = "planted-key"


def house(folder: Path, environ: Mapping[str, str], text: str = "") -> House:
    config = folder / "sourcenote.toml"
    config.write_text(text, encoding="utf-8")
    return House(load(config, environ=environ))


@pytest.fixture
def base(httpserver: HTTPServer) -> str:
    httpserver.expect_request("/listing").respond_with_json([7])
    return httpserver.url_for("").rstrip("/")


@pytest.mark.parametrize(
    ("environ", "text"),
    [
        ({"SOURCENOTE_CVR_API_KEY": KEY}, ""),
        ({"OURS": KEY}, '[sources.cvr]\napi_key_env = "OURS"\n'),
    ],
)
def test_the_key_is_handed_to_the_session(
    tmp_path: Path, httpserver: HTTPServer, base: str, environ: Mapping[str, str], text: str
) -> None:
    found = house(tmp_path, environ, text)
    with session_with(found, "cvr", base) as session:
        assert session.get_json("https://api.datafordeler.dk/listing") == [7]
    assert httpserver.log[0][0].args.to_dict() == {"apiKey": KEY}
    assert KEY not in f"{found.settings!r} {found.settings} {session!r} {vars(session)!r}"


@pytest.mark.parametrize(
    ("environ", "text", "variable"),
    [
        ({}, "", "SOURCENOTE_CVR_API_KEY"),
        ({"SOURCENOTE_CVR_API_KEY": ""}, "", "SOURCENOTE_CVR_API_KEY"),
        ({}, '[sources.cvr]\napi_key_env = "OURS"\n', "OURS"),
    ],
)
def test_without_a_key_the_variable_is_named(
    tmp_path: Path,
    httpserver: HTTPServer,
    base: str,
    environ: Mapping[str, str],
    text: str,
    variable: str,
) -> None:
    with pytest.raises(Refused, match=f"the environment variable {variable} is not set"):
        session_with(house(tmp_path, environ, text), "cvr", base)
    assert httpserver.log == []


def test_a_source_that_needs_no_key_is_given_none(
    tmp_path: Path, httpserver: HTTPServer, base: str
) -> None:
    environ = {"SOURCENOTE_GLEIF_API_KEY": KEY}
    with session_with(house(tmp_path, environ), "gleif", base) as session:
        assert session.get_json("https://goldencopy.gleif.org/listing") == [7]
    assert httpserver.log[0][0].query_string == b""
