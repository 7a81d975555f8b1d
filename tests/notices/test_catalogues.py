"""The catalogues hold exactly the texts the code asks for, and say who has read them."""

from __future__ import annotations

from pathlib import Path
from string import Formatter

import pytest
from babel.messages.extract import extract_from_dir

import notices
from notices import vocabulary
from notices.catalogue import LOCALES, catalogue_review, load_catalogue, speaker
from sources.kit import columns

ROOM = Path(notices.__file__).parent


def asked_for() -> set[str]:
    keywords = {"say": None, "mark": None}
    found = extract_from_dir(ROOM, [("**.py", "python")], keywords=keywords)
    return {message for _, _, message, _, _ in found if isinstance(message, str)}


def names_in(text: str) -> list[str]:
    return sorted(name for _, name, _, _ in Formatter().parse(text) if name is not None)


@pytest.mark.parametrize("language", LOCALES)
def test_a_catalogue_holds_what_the_code_says_and_nothing_else(language: str) -> None:
    assert set(load_catalogue(language).texts) == asked_for()


def test_every_language_has_the_same_placeholders() -> None:
    danish, english = (load_catalogue(language).texts for language in ("da", "en"))
    for message_id, text in danish.items():
        assert names_in(text) == names_in(english[message_id]), message_id


@pytest.mark.parametrize("language", LOCALES)
def test_every_field_we_can_hold_has_words(language: str) -> None:
    voice = speaker(language)
    shown = [shown for shown, _ in columns.SHOWN]
    for field in (*columns.NAMES, *shown, "lei", "email", "phone", "website"):
        assert voice.term(vocabulary.FIELDS, field)


@pytest.mark.parametrize("language", LOCALES)
def test_texts_no_native_speaker_has_read_are_marked(language: str) -> None:
    review = catalogue_review(language)
    assert review.texts == len(load_catalogue(language).texts)
    assert set(review.unchecked) == set(load_catalogue(language).texts)
    assert not review.is_native_checked


def test_a_language_without_a_catalogue_has_no_texts() -> None:
    assert catalogue_review("de").texts == 0
    assert not catalogue_review("de").is_native_checked
