"""A stored notice becomes a part of the page: all its text, and nothing that could do harm."""

from __future__ import annotations

import html
import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.embedding import notice_part

TAGS = set(re.findall(r"\w+", "h2 h3 h4 h5 h6 article section p ul ol li br hr a div span b i em"))
ALLOWED = TAGS | {"dl", "dt", "dd", "strong"}
NAMES = {"class", "id", "aria-labelledby", "lang", "href", "rel"}


class Read(HTMLParser):
    """Collects what a browser would be given; fails on a tag that closes what is not open."""

    def __init__(self, markup: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self.feed(markup)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += attrs
        if tag not in {"br", "hr"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.mark.parametrize(
    ("stored", "shown"),
    [
        ("<html><head><title>T</title><style>p{}</style></head><body><p>a</p>", "<p>a</p>"),
        ("<h1>a</h1><h6>b</h6>", "<h2>a</h2><h6>b</h6>"),
        ("<p>&lt;b&gt; &amp; &#34;c&#39;</p>", "<p>&lt;b&gt; &amp; &#34;c&#39;</p>"),
        ("<p>a<script>alert(1)</script>b</p>", "<p>ab</p>"),
        ("<p>a<svg><a href='https://x'>x</a></svg>b</p>", "<p>ab</p>"),
        ("<ul><li>a<li>b</ul>c", "<ul><li>a<li>b</li></li></ul>c"),
        ("</p></div>a", "a"),
        ("<form action=/x><button>b</button><input name=n></form>", "b"),
        (
            '<p onclick="x()" style="y" class="boxed" lang="da">a</p>',
            '<p class="boxed" lang="da">a</p>',
        ),
        ('<section id="da-N16" class="stop">a', '<section id="notice-da-N16">a</section>'),
        ('<a href="javascript:x">a</a>', "<a>a</a>"),
        ('<a href=" https://x">a</a>', "<a>a</a>"),
        ('<a href="//evil.example">a</a>', "<a>a</a>"),
        ("<!-- c --><!doctype html><?php x ?><p>a", "<p>a</p>"),
        ("", ""),
    ],
)
def test_what_is_kept(stored: str, shown: str) -> None:
    assert notice_part(stored) == shown


def test_a_link_is_kept_and_tells_nobody_where_it_stood() -> None:
    shown = notice_part('<a href="https://a.example/?b=1&amp;c=%22" target="_top">a</a>')
    assert shown == ('<a href="https://a.example/?b=1&amp;c=%22" rel="noopener noreferrer">a</a>')


@given(st.text(st.sampled_from("<>/!-'\"= \n&;abpxhref:javscrit#0script")))
def test_no_text_at_all_becomes_more_than_plain_markup(stored: str) -> None:
    assert_harmless(notice_part(stored))


PIECES = st.sampled_from(
    re.split(
        r"\s+",
        "<p> </p> <script> </script> <style> <svg> </svg> <a/href='x'> </a> <h1/id=rights> </div> "
        "<div/class='stop'> tekst <!-- --> <title> </title> <table> <b &lt;p&gt; &quot; "
        "<img/src=x/onerror=y> <a/href='https://x'/onclick=y> <section/id=a/lang=da>",
    )
)


@given(st.lists(PIECES, max_size=12).map("".join))
def test_no_mixture_of_tags_becomes_more_than_plain_markup(stored: str) -> None:
    assert_harmless(notice_part(stored))


def assert_harmless(markup: str) -> None:
    page = Read(markup)
    assert page.tags <= ALLOWED
    assert {name for name, _ in page.attributes} <= NAMES
    for name, value in page.attributes:
        if name == "href":
            assert re.match("https?://|mailto:", str(value), re.IGNORECASE)
        if name in {"id", "aria-labelledby"}:
            assert str(value).startswith("notice-")
    assert html.unescape(re.sub("<[^>]*>", "", markup)) == page.text
