"""The page in a real browser: read and pressed, at every width, with and without scripts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
NAME = "Nordlys Skibsbyggeri A/S"
WIDTHS = (320, 390, 768, 1200)
# The contrast of text with what is behind it (WCAG 2.2, 1.4.3), as the browser computes colours.
CONTRAST = """() => {
  const channels = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const light = (colour) => {
    const [r, g, b] = channels(colour).slice(0, 3).map((v) => v / 255)
      .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (element) => {
    for (let e = element; e; e = e.parentElement) {
      const colour = getComputedStyle(e).backgroundColor;
      if (channels(colour).length === 3) return colour;
    }
    return "rgb(255, 255, 255)";
  };
  const own = (e) => [...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim());
  return [...document.querySelectorAll("main *")].filter(own).map((e) => {
    const [a, b] = [light(getComputedStyle(e).color), light(behind(e))].sort((x, y) => y - x);
    return [(a + 0.05) / (b + 0.05), e.tagName, e.textContent.trim().slice(0, 30)];
  }).sort((x, y) => x[0] - y[0])[0];
}"""


@pytest.fixture(scope="module")
def browser(chromium: Path) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=str(chromium), args=FLAGS)
        yield started
        started.close()


@pytest.fixture
def visit(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Opens a page in a fresh profile; the test fails on anything the console reports."""
    complaints: list[str] = []
    contexts = []

    def opened(url: str, **options: Any) -> Page:
        contexts.append(browser.new_context(**options))
        page = contexts[-1].new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("requestfailed", lambda request: complaints.append(request.url))
        answer = page.goto(url)
        assert answer is not None
        assert answer.status == 200
        return page

    yield opened
    for context in contexts:
        assert context.cookies() == []
        context.close()
    assert complaints == []


def test_a_reader_reads_the_notice_and_presses_the_button(
    office: Any, portal: Callable[..., str], visit: Callable[..., Page]
) -> None:
    page = visit(f"{portal(office)}/u/{office.send(language='da')}")
    assert page.title() == "Sig stop til markedsføring"
    assert page.get_by_role("heading", level=1).inner_text() == "Sig stop til markedsføring"
    assert page.get_by_role("heading", level=2, name=NAME).is_visible()
    assert page.get_by_text("Global LEI Index").first.is_visible()
    assert page.get_by_role("button").count() == 1
    assert office.stops() == []
    page.get_by_role("button", name="Afmeld").click()
    page.get_by_role("heading", level=1, name="Dit stop er modtaget").wait_for()
    assert page.get_by_role("status").is_visible()
    assert page.get_by_role("button").count() == 0
    assert len(office.stops()) == 1
    assert office.stopped_companies() == [1]
    page.reload()  # the browser posts again: nothing changes
    assert len(office.stops()) == 1


def test_the_button_works_by_keyboard_without_scripts_and_in_both_languages(
    sqlite_office: Any, portal: Callable[..., str], visit: Callable[..., Page]
) -> None:
    url = f"{portal(sqlite_office)}/u/{sqlite_office.send(language='da+en')}"
    page = visit(url, java_script_enabled=False)
    page.keyboard.press("Tab")  # the button is the first thing to reach
    page.keyboard.press("Enter")
    page.get_by_text("Your stop has been received").wait_for()
    assert page.get_by_text("Dit stop er modtaget").is_visible()
    assert sqlite_office.stopped_companies() == [1]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("kind", ["notice", "deleted", "unknown", "done"])
def test_pages_fit_every_width_and_can_be_read(
    sqlite_office: Any,
    portal: Callable[..., str],
    visit: Callable[..., Page],
    tmp_path: Path,
    scheme: str,
    kind: str,
) -> None:
    token = sqlite_office.send(language="da+en", page=None if kind == "deleted" else "")
    path = "nothing" if kind == "unknown" else token
    page = visit(f"{portal(sqlite_office)}/u/{path}", color_scheme=scheme)
    if kind == "done":
        page.get_by_role("button").click()
        page.get_by_role("status").wait_for()
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        page.screenshot(path=tmp_path / f"{kind}-{scheme}-{width}.png", full_page=True)
        if kind != "done":
            box = page.get_by_role("button").bounding_box()
            assert box is not None
            assert box["height"] >= 56
            assert box["width"] >= 200
    least, *where = page.evaluate(CONTRAST)
    assert least >= 4.5, where


def test_the_button_stands_in_the_first_view_of_a_phone(
    sqlite_office: Any, portal: Callable[..., str], visit: Callable[..., Page]
) -> None:
    url = f"{portal(sqlite_office)}/u/{sqlite_office.send(language='da')}"
    page = visit(url, viewport={"width": 360, "height": 740})
    box = page.get_by_role("button").bounding_box()
    assert box is not None
    assert box["y"] + box["height"] <= 740


def test_a_hostile_stored_page_runs_and_loads_nothing(
    sqlite_office: Any, portal: Callable[..., str], visit: Callable[..., Page]
) -> None:
    hostile = (
        "<body><main><h1>Brev</h1><p>Tekst<script>document.title='hacked'</script></p>"
        "<img src=x onerror=\"document.title='hacked'\"><style>body{display:none}</style>"
        "<form action='https://evil.example'><button>Nej</button></form>"
        "<a href='javascript:alert(1)'>link</a><iframe src='https://evil.example'></iframe></main>"
    )
    page = visit(f"{portal(sqlite_office)}/u/{sqlite_office.send(language='da', page=hostile)}")
    assert page.title() == "Sig stop til markedsføring"
    assert page.get_by_role("heading", name="Brev").is_visible()
    assert page.get_by_role("button").count() == 1
    assert page.locator("img, iframe, script, a[href^=javascript]").count() == 0
