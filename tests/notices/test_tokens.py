"""Link tokens: only ours are taken, in one spelling, under every key there ever was."""

from __future__ import annotations

import base64
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notices.tokens import make_token, token_digest, verify_token
from sources.kit.errors import Refused

RANDOM = st.binary(min_size=16, max_size=16)
KEY = st.binary(min_size=32, max_size=32)
URL_SAFE = set(string.ascii_letters + string.digits + "-_.")


@given(random16=RANDOM, keys=st.lists(KEY, min_size=1, max_size=4, unique=True))
def test_a_token_of_any_key_version_is_known(random16: bytes, keys: list[bytes]) -> None:
    for upto in range(1, len(keys) + 1):
        token = make_token(random16, keys[:upto])
        assert set(token) <= URL_SAFE
        assert len(token) == 66
        assert verify_token(token, keys) == random16
    assert make_token(random16, keys) == make_token(random16, keys[-1:])


@given(random16=RANDOM, keys=st.lists(KEY, min_size=2, max_size=2, unique=True))
def test_a_token_of_a_key_we_never_had_is_not(random16: bytes, keys: list[bytes]) -> None:
    assert verify_token(make_token(random16, keys[:1]), keys[1:]) is None
    assert verify_token(make_token(random16, keys), []) is None


@given(random16=RANDOM, key=KEY, at=st.integers(0, 65), sign=st.sampled_from(sorted(URL_SAFE)))
def test_one_changed_sign_is_a_forgery(random16: bytes, key: bytes, at: int, sign: str) -> None:
    token = make_token(random16, [key])
    forged = token[:at] + sign + token[at + 1 :]
    assert (verify_token(forged, [key]) == random16) == (forged == token)


@given(random16=RANDOM, key=KEY, cut=st.integers(0, 65))
def test_a_truncated_or_lengthened_token_is_refused(random16: bytes, key: bytes, cut: int) -> None:
    token = make_token(random16, [key])
    assert verify_token(token[:cut], [key]) is None
    assert verify_token(token + "A", [key]) is None
    assert verify_token(f"{token}=", [key]) is None
    assert verify_token(f" {token}", [key]) is None
    assert verify_token(f"{token}\n", [key]) is None


def test_another_spelling_of_the_same_bytes_is_refused() -> None:
    key = b"k" * 32
    token = make_token(bytes(16), [key])
    # The last sign of 16 bytes in base64 holds four bits that decoding ignores.
    respelled = f"{token[:21]}B{token[22:]}"
    assert base64.urlsafe_b64decode(f"{respelled[:22]}==") == bytes(16)
    assert verify_token(respelled, [key]) is None


@given(st.one_of(st.text(), st.text("AZaz09-_.=\x00", min_size=60, max_size=70)))
def test_garbage_never_raises_and_never_passes(text: str) -> None:
    assert verify_token(text, [b"k" * 32]) is None


@pytest.mark.parametrize("text", ["", "\x00", "." * 66, "A" * 100_000, "æ" * 66, "\ud800" * 66])
def test_odd_garbage_never_raises(text: str) -> None:
    assert verify_token(text, [b"k" * 32]) is None


def test_another_tokens_signature_opens_nothing() -> None:
    key = b"k" * 32
    body, _, signature = make_token(bytes(16), [key]).partition(".")
    for guess in range(2_000):
        value = base64.urlsafe_b64encode(guess.to_bytes(16, "big")).decode().rstrip("=")
        assert (verify_token(f"{value}.{signature}", [key]) is not None) == (value == body)


def test_randomness_and_key_are_demanded() -> None:
    with pytest.raises(Refused):
        make_token(b"short", [b"k" * 32])
    with pytest.raises(Refused):
        make_token(bytes(16), [])


def test_what_is_stored_is_no_token() -> None:
    digest = token_digest(bytes(16))
    assert digest == "374708fff7719dd5979ec875d56cd2286f6d3cf7ec317a3b25632aab28ec37bb"
    assert verify_token(digest, [b"k" * 32]) is None
