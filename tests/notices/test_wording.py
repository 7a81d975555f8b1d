"""What a notice says, to the word, in Danish and in English."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import pytest

from notices.catalogue import speaker
from notices.compile import compile_notice
from sources.kit.policy import Authority, RetentionPolicy

if TYPE_CHECKING:
    from collections.abc import Callable

    from notices.blocks import Section
    from notices.compile import Notice
    from notices.context import NoticeContext, ValueSource


def section(notice: Notice, code: str) -> Section:
    return next(one for one in notice.elements if one.code == code)


def text_of(notice: Notice, code: str) -> str:
    found = section(notice, code)
    return "\n".join([found.heading, *(line.plain for line in found.lines)])


def test_the_source_is_named_exactly_in_danish(context: NoticeContext) -> None:
    assert text_of(compile_notice(context, "da"), "N15") == (
        "Kilden til oplysningerne\n"
        "Her kan du se, hvilken kilde personoplysningerne hidrører fra, og om de stammer fra "
        "offentligt tilgængelige kilder:\n"
        "- LEI-kode, virksomhedens navn, hovedkontorets adresse, registreringsnummer og dato for "
        "næste fornyelse: Global LEI Index, Global Legal Entity Identifier Foundation (GLEIF), "
        "hentet 21. november 2026, offentliggjort 20. november 2026. Databasen er offentligt "
        "tilgængelig. Licens: CC0 1.0. Se oplysningerne hos kilden: "
        "https://search.gleif.example/#/record/TEST00NORDLYS0000017"
    )


def test_the_source_is_named_exactly_in_english(context: NoticeContext) -> None:
    assert text_of(compile_notice(context, "en"), "N15") == (
        "Where the information comes from\n"
        "Here you can see from which source the personal data originate, and whether it came "
        "from publicly accessible sources:\n"
        "- LEI, the company's name, headquarters address, registration number and next renewal "
        "date: Global LEI Index, Global Legal Entity Identifier Foundation (GLEIF), fetched 21 "
        "November 2026, published 20 November 2026. The database is publicly accessible. "
        "Licence: CC0 1.0. See the record at the source: "
        "https://search.gleif.example/#/record/TEST00NORDLYS0000017"
    )


def test_values_of_different_deliveries_keep_their_own_dates(
    context: NoticeContext, make_source: Callable[..., ValueSource]
) -> None:
    later = make_source(
        "registration_number",
        retrieved_at=datetime(2026, 12, 1, tzinfo=UTC),
        published_at=None,
        is_public_database=False,
    )
    mixed = tuple(later if one.field == later.field else one for one in context.sources)
    items = section(compile_notice(replace(context, sources=mixed), "da"), "N15").lines[1:]
    assert len(items) == 2
    assert "registreringsnummer" not in items[0].text.lower()
    assert items[1].text.startswith("Registreringsnummer: ")
    assert "hentet 1. december 2026, offentliggørelsesdatoen er ikke oplyst." in items[1].text
    assert "Databasen er ikke offentligt tilgængelig." in items[1].text
    english = compile_notice(replace(context, sources=mixed), "en")
    assert "publication date not stated" in text_of(english, "N15")


def test_a_moment_is_dated_by_its_day_in_utc(
    context: NoticeContext, make_source: Callable[..., ValueSource]
) -> None:
    # Both are 22 November in Copenhagen; a notice and its origin row must show one day.
    late = datetime(2026, 11, 21, 23, 30, tzinfo=UTC)
    moved = tuple(make_source(one.field, retrieved_at=late) for one in context.sources)
    assert "hentet 21. november 2026" in compile_notice(replace(context, sources=moved)).short


@pytest.mark.parametrize(
    ("language", "heading", "word"),
    [
        ("da", "Din ret til at gøre indsigelse mod direkte markedsføring", "Afmeld"),
        ("en", "Your right to object to direct marketing", "Unsubscribe"),
    ],
)
def test_the_objection_stands_in_a_block_of_its_own(
    context: NoticeContext, language: str, heading: str, word: str
) -> None:
    notice = compile_notice(context, language)
    assert section(notice, "N16").heading == heading
    rule = "-" * 64
    block = notice.full_text.split(rule)[1]
    assert block.startswith(f"\n{heading}\n")
    assert f"{word} here: {context.notice_url}" in block or f"{word} her: " in block
    assert f'class="boxed">\n<h2 id="{language}-N16-heading">{heading}</h2>' in notice.full_html


@pytest.mark.parametrize(
    ("language", "words"),
    [
        (
            "da",
            "indsigt,berigtigelse,sletning,begrænsning af behandlingen,indsigelse,dataportabilitet",
        ),
        ("en", "access,rectification,erasure,restriction of processing,objection,portability"),
    ],
)
def test_every_right_is_named(context: NoticeContext, language: str, words: str) -> None:
    rights = section(compile_notice(context, language), "N11").lines[1:7]
    for right, word in zip(rights, words.split(","), strict=True):
        assert word in right.text


def test_legal_words_follow_the_regulation(context: NoticeContext) -> None:
    danish = compile_notice(context, "da").full_text
    assert "databeskyttelsesforordningens artikel 6, stk. 1, litra f" in danish
    assert "oplysningspligten i databeskyttelsesforordningens artikel 14" in danish
    assert "Dataansvarlig er Eksempel Register ApS, Prøvevej 1, 2630 Taastrup, Danmark" in danish
    english = compile_notice(context, "en").full_text
    assert "Article 6(1)(f) of the General Data Protection Regulation" in english
    assert "Article 14 of the General Data Protection Regulation" in english


def test_the_short_text_is_one_complete_breath(context: NoticeContext) -> None:
    assert compile_notice(context, "en").short == (
        "Marketing from Eksempel Register ApS, Prøvevej 1, 2630 Taastrup, privatliv@example.test. "
        "Purpose: offering renewal of LEIs. Legal basis: legitimate interest, GDPR Article "
        "6(1)(f). Source: Global LEI Index, Global Legal Entity Identifier Foundation (GLEIF), "
        "https://search.gleif.example/#/record/TEST00NORDLYS0000017 (publicly accessible, CC0 "
        "1.0), fetched 21 November 2026. You have the right to object to direct marketing at any "
        "time. Unsubscribe and read more: http://127.0.0.1:8000/u/TOKEN"
    )
    danish = compile_notice(context, "da").short
    assert danish.startswith("Markedsføring fra Eksempel Register ApS, ")
    assert "(offentligt tilgængelig, CC0 1.0), hentet 21. november 2026." in danish
    assert danish.endswith("Afmeld og læs mere: http://127.0.0.1:8000/u/TOKEN")


def test_both_languages_stand_one_after_the_other(context: NoticeContext) -> None:
    both = compile_notice(context, "da+en")
    danish, english = (compile_notice(context, language) for language in ("da", "en"))
    assert both.short == f"{danish.short}\n{english.short}"
    assert [part.language for part in both.parts] == ["da", "en"]
    assert len(both.elements) == 2 * len(danish.elements)
    assert "Sprog: dansk og engelsk." in both.full_text
    assert "Language: Danish and English." in both.full_text
    assert both.full_html.index('<article lang="da">') < both.full_html.index('<article lang="en">')


def test_retention_is_said_from_the_row_that_deletes(
    context: NoticeContext, company_policy: RetentionPolicy
) -> None:
    danish = text_of(compile_notice(context, "da"), "N9")
    assert "gemmes, så længe registeret offentliggør dem som aktuelle" in danish
    assert (
        "De gøres inaktive, når LEI-koden udgår, virksomheden fusioneres ind i en anden eller "
        "registeret ikke længere offentliggør dem." in danish
    )
    assert "slettes efter 24 måneder, regnet fra registerets egen dato for ændringen." in danish
    shorter = company_policy.model_copy(update={"delete_after_inactive": "P1Y6M"})
    english = text_of(compile_notice(replace(context, retention=(shorter,)), "en"), "N9")
    assert "deleted after 1 year and 6 months, counted from the register's own date" in english


def test_every_part_of_a_personal_policy_is_said(context: NoticeContext) -> None:
    row = RetentionPolicy(
        id="person_public",
        person_category=4,
        data=("email",),
        inactive_after="P12M",
        inactive_when=("source_withdrew", "objection"),
        delete_after_inactive="P24M",
        cap_from_start="P36M",
        absence_grace="P30D",
        notice_text="retention.person_public",
        citation="invented",
    )
    for language, periods in (
        ("da", ("12 måneder", "24 måneder", "36 måneder", "30 dage", "du gør indsigelse")),
        ("en", ("12 months", "24 months", "36 months", "30 days", "you object")),
    ):
        said = text_of(compile_notice(replace(context, retention=(row,)), language), "N9")
        assert all(period in said for period in periods)
    at_once = row.model_copy(update={"delete_after_inactive": "P0D"})
    said = text_of(compile_notice(replace(context, retention=(at_once,)), "da"), "N9")
    assert "Derefter slettes de straks." in said


def test_the_recipients_own_authority_stands_beside_denmarks(context: NoticeContext) -> None:
    swedish = Authority(
        country="SE",
        name="Integritetsskyddsmyndigheten (IMY)",
        address="Box 8114, 104 20 Stockholm",
        url="https://www.imy.se",
    )
    abroad = replace(context, country="SE", authorities=(*context.authorities, swedish))
    said = text_of(compile_notice(abroad, "en"), "N14")
    assert "- Denmark: Datatilsynet, Carl Jacobsens Vej 35, 2500 Valby" in said
    assert "- Sweden: Integritetsskyddsmyndigheten (IMY), Box 8114, 104 20 Stockholm, " in said


def test_the_same_context_gives_the_same_bytes(context: NoticeContext) -> None:
    first, second = (compile_notice(context, "da+en") for _ in range(2))
    assert first == second
    assert first.full_html == second.full_html


@pytest.mark.parametrize(
    ("language", "day", "written"),
    [
        ("da", date(2026, 1, 1), "1. januar 2026"),
        ("da", date(2026, 5, 31), "31. maj 2026"),
        ("en", date(2026, 1, 1), "1 January 2026"),
        ("en", date(2028, 2, 29), "29 February 2028"),
    ],
)
def test_dates_are_written_out_in_the_language(language: str, day: date, written: str) -> None:
    assert speaker(language).day(day) == written
