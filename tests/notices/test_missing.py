"""A notice is complete or it is refused: every part taken away is named, and nothing else."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from notices import catalogue
from notices.compile import compile_notice, gaps, missing
from notices.context import Transfer
from notices.elements import ELEMENTS
from sources.kit.errors import Refused
from sources.kit.policy import Recipient

if TYPE_CHECKING:
    from notices.context import NoticeContext, ValueSource
    from sources.kit.policy import Controller

FACTS = {"held", "sources"}
ALWAYS = {f"N{n}" for n in range(1, 19)} - {"N12"}


def changed_controller(context: NoticeContext, **changes: str) -> Controller:
    return context.controller.model_copy(update=changes)


def changed_source(context: NoticeContext, **changes: object) -> tuple[ValueSource, ...]:
    return (replace(context.sources[0], **changes), *context.sources[1:])


# What is taken away, and exactly the elements that then cannot be said. The mailbox is also where
# one writes to use a right or to object, the link is where one says stop.
PARTS = {
    "controller": (lambda c: {"controller": None}, {"N1", "N2", "N3", "N11", "N16"}),
    "controller name": (lambda c: {"controller": changed_controller(c, name=" ")}, {"N1"}),
    "controller address": (lambda c: {"controller": changed_controller(c, address="")}, {"N1"}),
    "controller number": (
        lambda c: {"controller": changed_controller(c, registration_number="")},
        {"N1"},
    ),
    "controller country": (lambda c: {"controller": changed_controller(c, country="QQ")}, {"N1"}),
    "controller mailbox": (
        lambda c: {"controller": changed_controller(c, email="")},
        {"N1", "N11", "N16"},
    ),
    "representative": (
        lambda c: {"controller": changed_controller(c, representative="")},
        {"N2"},
    ),
    "protection officer": (
        lambda c: {"controller": changed_controller(c, data_protection_officer="")},
        {"N3"},
    ),
    "channel": (lambda c: {"channel": "pigeon"}, {"N1"}),
    "company": (lambda c: {"company_name": ""}, {"N1", "N6"}),
    "purpose": (lambda c: {"purpose_text": {}}, {"N4"}),
    "basis": (lambda c: {"legal_basis": ""}, {"N5"}),
    "interest": (lambda c: {"interest_text": {"de": "nicht gefragt"}}, {"N10"}),
    "held, one unnamed": (lambda c: {"held": c.held[1:]}, {"N6"}),
    "held, none": (lambda c: {"held": ()}, {"N6"}),
    "held, no words for it": (lambda c: {"held": (*c.held, "shoe_size")}, {"N6", "N15"}),
    "recipients": (lambda c: {"recipients": None}, {"N7"}),
    "transfers": (lambda c: {"transfers": None}, {"N8"}),
    "safeguard": (lambda c: {"transfers": (Transfer("Acme", "US", " "),)}, {"N8"}),
    "retention": (lambda c: {"retention": ()}, {"N9"}),
    "retention words": (
        lambda c: {"retention": (c.retention[0].model_copy(update={"notice_text": "N1.text"}),)},
        {"N9"},
    ),
    "retention event": (
        lambda c: {"retention": (c.retention[0].model_copy(update={"inactive_when": ("x",)}),)},
        {"N9"},
    ),
    "authorities": (lambda c: {"authorities": ()}, {"N14"}),
    "authority of the recipient": (lambda c: {"country": "FR"}, {"N14"}),
    "authority address": (
        lambda c: {"authorities": (c.authorities[0].model_copy(update={"address": ""}),)},
        {"N14"},
    ),
    "sources": (lambda c: {"sources": ()}, {"N15"}),
    "source of one value": (lambda c: {"sources": c.sources[1:]}, {"N15"}),
    "source date": (lambda c: {"sources": changed_source(c, retrieved_at=None)}, {"N15"}),
    "source publisher": (lambda c: {"sources": changed_source(c, publisher="")}, {"N15"}),
    "source database": (lambda c: {"sources": changed_source(c, database_name="")}, {"N15"}),
    "source licence": (lambda c: {"sources": changed_source(c, licence="")}, {"N15"}),
    "source address": (lambda c: {"sources": changed_source(c, record_url="")}, {"N15"}),
    "source address, script": (
        lambda c: {"sources": changed_source(c, record_url="javascript:alert(1)")},
        {"N15"},
    ),
    "link": (lambda c: {"notice_url": ""}, {"N16"}),
    "day": (lambda c: {"issued_on": None}, {"N18"}),
    "version": (lambda c: {"policy_version": ""}, {"N18"}),
    "notice id": (lambda c: {"notice_id": ""}, {"N18"}),
    "automated decisions": (lambda c: {"is_decided_automatically": True}, {"N13"}),
    "language": (lambda c: {"languages": ()}, ALWAYS | {"N12"}),
    "texts in the language": (lambda c: {"languages": ("de",)}, ALWAYS),
    "texts in one of two": (lambda c: {"languages": ("da", "de")}, ALWAYS),
}


@pytest.mark.parametrize("language", ["da", "en", "da+en"])
def test_a_complete_context_lacks_nothing(context: NoticeContext, language: str) -> None:
    whole = replace(context, languages=tuple(language.split("+")))
    assert missing(whole) == frozenset()
    assert compile_notice(whole).language == language


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("languages", [("da",), ("en",), ("da", "en")])
def test_a_part_taken_away_is_named_and_nothing_else(
    context: NoticeContext, part: str, languages: tuple[str, ...]
) -> None:
    take, expected = PARTS[part]
    less = replace(replace(context, languages=languages), **take(context))
    assert missing(less) == expected
    with pytest.raises(Refused) as refusal:
        compile_notice(less)
    assert all(code in str(refusal.value) for code in expected)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(parts=st.sets(st.sampled_from([p for p in PARTS if "language" not in p]), min_size=1))
def test_parts_of_different_kinds_add_up(context: NoticeContext, parts: set[str]) -> None:
    """Several parts gone: every element that each would lack alone is lacking together."""
    changes, expected = {}, set()
    for part in sorted(parts):
        taken = PARTS[part][0](context)
        # A value gone together with its source is a smaller notice, not a gap.
        touched = changes.keys() | (FACTS if changes.keys() & FACTS else set())
        if not touched & taken.keys():
            changes |= taken
            expected |= PARTS[part][1]
    # Without a legal basis nobody knows whether an interest has to be told.
    unneeded = {"N10"} if "legal_basis" in changes else set()
    assert missing(replace(context, **changes)) == expected - unneeded


def test_a_reason_never_carries_a_value_of_the_record(context: NoticeContext) -> None:
    for take, _ in PARTS.values():
        told = " ".join(gaps(replace(context, **take(context))).values())
        assert "Nordlys" not in told
        assert "TEST00NORDLYS" not in told
        assert "127.0.0.1" not in told


def test_consent_adds_its_withdrawal_and_interest_goes(context: NoticeContext) -> None:
    codes = {section.code for section in compile_notice(context).elements}
    assert codes == ALWAYS
    agreed = replace(context, legal_basis="6(1)(a)", is_consent_used=True, interest_text={})
    codes = {section.code for section in compile_notice(agreed).elements}
    assert codes == (ALWAYS | {"N12"}) - {"N10"}


def test_a_recipient_abroad_needs_its_safeguard(context: NoticeContext) -> None:
    mailer = Recipient(
        id="mailer",
        kind="processor",
        name="Invented Mail Inc.",
        country="US",
        purposes=("direct_marketing",),
        fields=("legal_name",),
    )
    given_out = replace(context, recipients=(mailer,))
    assert missing(given_out) == {"N8"}
    told = Transfer("Invented Mail Inc.", "US", "Standard Contractual Clauses (EU) 2021/914")
    text = compile_notice(replace(given_out, transfers=(told,)), "en").full_text
    assert "transferred to Invented Mail Inc. in United States" in text
    assert "Standard Contractual Clauses (EU) 2021/914" in text
    assert "(United States) processes the information for us as a processor" in text


# Every text of the catalogue that this notice uses, blanked or robbed of a placeholder.
@pytest.mark.parametrize("harm", ["gone", "other placeholders"])
@pytest.mark.parametrize("language", ["da", "en"])
def test_a_text_not_translated_is_a_missing_element_never_another_language(
    context: NoticeContext, monkeypatch: pytest.MonkeyPatch, language: str, harm: str
) -> None:
    whole = catalogue.load_catalogue(language)
    context = replace(context, languages=(language,))
    said = compile_notice(context)
    used = 0
    for message_id, text in whole.texts.items():
        texts = dict(whole.texts)
        texts[message_id] = f"{text} {{stray}}"
        if harm == "gone":
            del texts[message_id]
        broken = catalogue.Catalogue(language, texts, ())
        monkeypatch.setattr(catalogue, "load_catalogue", lambda _language, one=broken: one)
        if missing(context):
            used += 1
            with pytest.raises(Refused):
                compile_notice(context)
        else:
            assert compile_notice(context) == said
    assert used > 50


def test_every_element_of_the_list_is_there_once() -> None:
    codes = [element.code for element in ELEMENTS]
    assert sorted(codes, key=lambda code: int(code[1:])) == [f"N{n}" for n in range(1, 19)]
