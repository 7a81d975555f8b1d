"""A notice filled in says, to the byte, what a notice compiled for that company says."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from notices.compile import compile_notice
from notices.stencil import Stencils
from sources.kit.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Callable

    from notices.context import NoticeContext, ValueSource

START = datetime(2024, 2, 28, 22, tzinfo=UTC)
FIELDS = ("lei", "legal_name", "headquarters_city", "next_renewal_date")

moments = st.integers(0, 60).map(lambda hours: START + timedelta(hours=hours))
names = st.text(min_size=1, max_size=30) | st.sampled_from(
    ["=1+1 ApS", "<b>A & \"B\"</b> 'C'", "{name} {0}", "\u202eSpejl A/S", "Qx0leix0Q", "Æ  Ø\tÅ"]
)


def same(stencils: Stencils, context: NoticeContext) -> None:
    said, page = stencils.compile(context)
    meant = compile_notice(context)
    assert said.short == meant.short
    assert said.full_text == meant.full_text
    assert page == meant.full_html
    assert said.language == meant.language


@given(
    rows=st.lists(
        st.tuples(
            names.filter(lambda name: compiled_name(name) != ""),
            st.sampled_from(["", "TEST00NORDLYS0000017", "OTHER0NORDLYS0000018"]),
            st.sampled_from([("da",), ("en",), ("da", "en")]),
            st.lists(
                st.tuples(
                    moments,
                    st.none() | moments,
                    st.sampled_from(["One & Co", "Two"]),
                    st.integers(0, 2),
                ),
                min_size=len(FIELDS),
                max_size=len(FIELDS),
            ),
        ),
        min_size=1,
        max_size=4,
    )
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_filling_in_is_compiling(
    context: NoticeContext, make_source: Callable[..., ValueSource], rows: list
) -> None:
    stencils = Stencils()
    for number, (name, lei, languages, origins) in enumerate(rows):
        sources = tuple(
            make_source(
                field,
                publisher=publisher,
                retrieved_at=retrieved,
                published_at=published,
                record_url=f"https://register.example/{lei}/{record}?a=1&b=2",
            )
            for field, (retrieved, published, publisher, record) in zip(
                FIELDS, origins, strict=True
            )
        )
        same(
            stencils,
            replace(
                context,
                company_name=name,
                lei=lei,
                languages=languages,
                sources=sources,
                held=FIELDS,
                notice_id=f"N-{number}",
                notice_url=f"http://127.0.0.1:8000/u/token-{number}",
            ),
        )


def compiled_name(name: str) -> str:
    from notices.catalogue import plain

    return plain(name)


def test_what_one_cut_gave_never_shows_in_another_notice(context: NoticeContext) -> None:
    stencils = Stencils()
    stencils.compile(replace(context, company_name="Først ApS", notice_id="N-1"))
    said, page = stencils.compile(replace(context, company_name="Dernæst ApS", notice_id="N-2"))
    assert "Dernæst ApS" in said.full_text
    assert "Dernæst ApS" in page
    for text in (said.full_text, page, said.short):
        assert "Først ApS" not in text
        assert "N-1 " not in text
        assert "Qx0" not in text
        assert "qx0" not in text
        assert ".invalid" not in text
        assert "1001" not in text


def test_kinds_of_notices_are_told_apart(context: NoticeContext) -> None:
    stencils = Stencils()
    for languages in (("da",), ("en",), ("da", "en")):
        for fewer in (0, 1, 2):
            same(
                stencils,
                replace(
                    context,
                    languages=languages,
                    held=context.held[fewer:],
                    sources=context.sources[fewer:],
                ),
            )
    assert len(stencils._cuts) == 9


def test_an_old_cut_makes_room(context: NoticeContext, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("notices.stencil.MOST_CUTS", 2)
    stencils = Stencils()
    for fewer in range(4):
        same(
            stencils,
            replace(context, held=context.held[fewer:], sources=context.sources[fewer:]),
        )
    assert len(stencils._cuts) <= 2


@pytest.mark.parametrize(
    ("change", "element"),
    [
        ({"company_name": "\u202e \t"}, "N1"),
        ({"notice_id": " "}, "N18"),
        ({"notice_url": "javascript:alert(1)"}, "N16"),
        ({"authorities": ()}, "N14"),
        ({"languages": ("da", "de")}, "N1"),
    ],
)
def test_an_incomplete_notice_is_refused_like_a_compiled_one(
    context: NoticeContext, change: dict, element: str
) -> None:
    stencils = Stencils()
    stencils.compile(context)
    lacking = replace(context, **change)
    with pytest.raises(Refused) as filled:
        stencils.compile(lacking)
    with pytest.raises(Refused) as compiled:
        compile_notice(lacking)
    assert element in str(filled.value)
    assert str(filled.value) == str(compiled.value)


def test_a_source_without_its_day_is_refused(
    context: NoticeContext, make_source: Callable[..., ValueSource]
) -> None:
    undated = tuple(make_source(field, retrieved_at=None) for field in context.held)
    with pytest.raises(Refused, match="N15"):
        Stencils().compile(replace(context, sources=undated))
