"""The page a notice is shown as: escaped, standalone, and fit to be read."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from typing import TYPE_CHECKING

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from notices.compile import compile_notice

if TYPE_CHECKING:
    from notices.context import NoticeContext

VOID = {"meta"}


class Balanced(HTMLParser):
    """Collects tags and text; fails on a tag that closes what is not open."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def parsed(page: str) -> Balanced:
    parser = Balanced()
    parser.feed(page)
    parser.close()
    assert parser.open == []
    return parser


def test_the_page_is_standalone_and_loads_nothing(context: NoticeContext) -> None:
    page = compile_notice(context, "da+en").full_html
    tags = parsed(page).tags
    assert page.startswith('<!doctype html>\n<html lang="da">')
    assert not {tag for tag, _ in tags} & {"script", "img", "link", "iframe", "form", "object"}
    assert not [name for _, attrs in tags for name in attrs if name.startswith("on")]
    assert "url(" not in page
    assert "@import" not in page
    policy = next(attrs["content"] for _, attrs in tags if "http-equiv" in attrs)
    assert policy.startswith("default-src 'none'; style-src 'sha256-")


def test_headings_and_anchors_serve_a_screen_reader(context: NoticeContext) -> None:
    tags = parsed(compile_notice(context, "da+en").full_html).tags
    anchors = [attrs["id"] for _, attrs in tags if "id" in attrs]
    assert len(anchors) == len(set(anchors))
    labels = [attrs["aria-labelledby"] for _, attrs in tags if "aria-labelledby" in attrs]
    assert set(labels) <= set(anchors)
    assert [tag for tag, _ in tags].count("h1") == 2


def test_markup_and_template_syntax_in_a_name_stay_text(context: NoticeContext) -> None:
    name = '<script>alert(1)</script> {{ 7*7 }} {notice_id} & "Søn" A/S\''
    notice = compile_notice(replace(context, company_name=name), "da")
    assert "<script>" not in notice.full_html
    assert "&lt;script&gt;alert(1)&lt;/script&gt; {{ 7*7 }} {notice_id} &amp;" in notice.full_html
    assert name in notice.full_text
    assert name in parsed(notice.full_html).text


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(name=st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_any_name_makes_a_sound_page_or_none(context: NoticeContext, name: str) -> None:
    hostile = replace(context, company_name=f"Ø{name}")
    page = parsed(compile_notice(hostile, "en").full_html)
    allowed = {"html", "head", "meta", "title", "style", "body", "main", "article", "section"}
    assert {tag for tag, _ in page.tags} <= allowed | {"h1", "h2", "p", "ul", "li", "a"}


def test_a_name_cannot_turn_the_text_around_or_break_its_lines(context: NoticeContext) -> None:
    name = "A\u202eB\u2066C\u0000D\r\nE\u2028F\tG"
    notice = compile_notice(replace(context, company_name=name), "da")
    assert "ABC D E F G" in notice.full_text
    assert not re.search("[\u202a-\u202e\u2066-\u2069\u2028\x00\r\t]", notice.full_text)


def test_only_our_own_addresses_become_links(context: NoticeContext) -> None:
    named = replace(context, company_name="WWW.EVIL.EXAMPLE http://evil.example ApS")
    tags = parsed(compile_notice(named, "da").full_html).tags
    links = [attrs["href"] for tag, attrs in tags if tag == "a"]
    assert sorted(set(links)) == [
        "http://127.0.0.1:8000/u/TOKEN",
        "https://search.gleif.example/#/record/TEST00NORDLYS0000017",
        "https://www.datatilsynet.dk",
    ]
