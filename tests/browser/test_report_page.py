"""The report in a browser."""

import time
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Open
from tests.browser.contents import BAD, FERRY, HOSTILE, HUGE, REWRITE, STORIES, many
from tests.unit.tools.states import Item, changes_of
from workers.tools.catalogue import Catalogue
from workers.tools.compare import compare_partitions
from workers.tools.passages import shared_passages
from workers.tools.report import report_page
from workers.tools.words import spots

OPEN_SECONDS = 2.0
"""A report of ten thousand articles is there after this time at the latest."""


def _write(folder: Path, items: list[Item], name: str = "state") -> str:
    path = folder / "report.html"
    path.write_text(report_page(Catalogue.from_changes(changes_of([items])), name), "utf-8", errors="replace")
    return path.as_uri()


@pytest.fixture(scope="module")
def stories(tmp_path_factory: pytest.TempPathFactory) -> str:
    return _write(tmp_path_factory.mktemp("report"), STORIES)


def _ferry(page: Page) -> None:
    page.locator(".row:has-text('Ferry')").click()
    expect(page.locator("#cluster-title")).to_have_text("Ferry with 214 aboard runs aground")
    page.wait_for_selector(".columns")


def _titles(page: Page) -> list[str]:
    return page.locator(".row-title").all_inner_texts()


def test_lists_clusters_by_size_and_opens_the_first(open_page: Open, stories: str) -> None:
    page = open_page(stories)
    assert page.inner_text("#count") == "4 clusters, 9 articles"
    assert _titles(page)[:2] == ["Quake shakes mountain district", "Ferry with 214 aboard runs aground"]
    assert page.inner_text("#cluster-title") == "Quake shakes mountain district"
    assert page.locator(".charts svg").count() >= 2


def test_search(open_page: Open, stories: str) -> None:
    page = open_page(stories)
    page.fill("#search", "ferry gazette")
    expect(page.locator("#count")).to_have_text("1 cluster, 3 articles")
    page.fill("#search", "hypothermia")
    expect(page.locator("#empty")).to_be_visible()
    page.check("#in-texts")
    expect(page.locator("#count")).to_have_text("1 cluster, 3 articles")
    page.click("#reset")
    expect(page.locator("#count")).to_have_text("4 clusters, 9 articles")


def test_filters(open_page: Open, stories: str) -> None:
    page = open_page(stories)
    count = page.locator("#count")
    page.select_option("#lang", "de")
    expect(count).to_have_text("1 cluster, 2 articles")
    page.click("#reset")
    page.select_option("#source", "Gazette")
    expect(count).to_have_text("2 clusters, 6 articles")
    page.click("#reset")
    page.click(".chip:has-text('rewrite')")
    expect(count).to_have_text("1 cluster, 3 articles")
    assert _titles(page) == ["Ferry with 214 aboard runs aground"]
    page.click("#reset")
    page.fill("#from", "2026-03-12")
    expect(count).to_have_text("1 cluster, 2 articles")
    page.fill("#from", "")
    page.fill("#to", "2026-03-10")
    expect(count).to_have_text("3 clusters, 7 articles")
    page.click("#reset")
    page.select_option("#size", "3")
    expect(count).to_have_text("2 clusters, 6 articles")
    page.select_option("#sort", "first")
    assert _titles(page)[0].startswith("Ferry")


def test_dragging_over_the_chart_chooses_dates(open_page: Open, stories: str) -> None:
    page = open_page(stories)
    box = page.locator("#chart-time svg").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] * 0.7, box["y"] + 60)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.98, box["y"] + 60, steps=4)
    page.mouse.up()
    expect(page.locator("#count")).to_have_text("1 cluster, 2 articles")
    assert page.input_value("#from") != ""


def test_timeline_tells_who_was_first_and_how_much_later(open_page: Open, stories: str) -> None:
    page = open_page(stories)
    _ferry(page)
    rows = page.locator(".lane-row")
    assert rows.locator(".offset").all_inner_texts() == ["first", "+ 20 min", "+ 1 h 35 min"]
    assert rows.locator(".source").all_inner_texts() == ["Nordic Wire", "Gazette", "Coast Online"]
    assert rows.locator(".tag").all_inner_texts() == ["new", "copy", "rewrite"]
    positions = [
        float(x.rstrip("%"))
        for x in rows.locator(".lane-svg circle:last-child").evaluate_all(
            "c => c.map(e => e.getAttribute('cx'))"
        )
    ]
    assert positions == sorted(positions)


def test_merges_are_marked(open_page: Open, stories: str) -> None:
    page = open_page(stories)
    page.click(".row:has-text('merged')")
    assert "joined when m3 came" in page.inner_text(".note.merged")
    lost = page.inner_text(".note.merged code")
    page.fill("#search", lost)
    expect(page.locator("#count")).to_have_text("1 cluster, 3 articles")


def test_any_two_members_side_by_side(open_page: Open, stories: str) -> None:
    page = open_page(stories)
    _ferry(page)
    assert [m.inner_text() for m in page.locator(".side").nth(0).locator(".text mark.passage").all()] == [
        FERRY[:-1]
    ]
    page.locator(".chooser select").nth(1).select_option(index=2)
    expect(page.locator(".side h4").nth(1)).to_have_text("Night ferry hits reef near Skarvik")
    assert "aasnes" in [w.lower() for w in page.locator(".side").nth(1).locator(".word").all_inner_texts()]
    page.click(".swap")
    expect(page.locator(".side h4").nth(0)).to_have_text("Night ferry hits reef near Skarvik")
    page.locator(".lane-row").nth(1).click()
    expect(page.locator(".side h4").nth(1)).to_have_text("FERRY WITH 214 ABOARD RUNS AGROUND")
    assert page.locator(".lane-row[aria-pressed=true]").count() == 2


def test_the_browser_finds_the_same_passages_as_python(open_page: Open, stories: str) -> None:
    page = open_page(stories)
    for left, right in (
        (FERRY, REWRITE),
        (FERRY + FERRY, REWRITE + FERRY),
        ("漢字の記事です。漢字", "これは漢字の記事です。"),
        ("x " * 900, "x " * 700),
    ):
        expected = shared_passages([s.folded for s in spots(left)], [s.folded for s in spots(right)])
        found = page.evaluate(
            "([a, b]) => samewire.sharedPassages(samewire.words(a), samewire.words(b))", [left, right]
        )
        assert [(p["left"], p["right"], p["words"]) for p in found] == [
            (p.left, p.right, p.words) for p in expected
        ]


def test_everything_can_be_reached_from_the_keyboard(open_page: Open, stories: str) -> None:
    page = open_page(stories)
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") == "search"
    page.focus("#list")
    for key in ("ArrowDown", "End", "Home", "ArrowDown"):
        page.keyboard.press(key)
    assert page.get_attribute("#list", "aria-activedescendant") == "row-1"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "cluster-title"
    assert page.inner_text("#cluster-title") == "Ferry with 214 aboard runs aground"
    seen = set()
    for _ in range(40):
        page.keyboard.press("Tab")
        seen.add(page.evaluate("document.activeElement.className || document.activeElement.id"))
    assert {"lane-row", "swap"} <= seen


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_in_light_and_dark(open_page: Open, stories: str, scheme: str) -> None:
    page = open_page(stories, color_scheme=scheme)
    _ferry(page)
    ratio = """(selector) => {
      const parse = (c) => c.match(/[\\d.]+/g).slice(0, 3).map(Number);
      const light = (c) => { const [r, g, b] = parse(c).map((v) => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
      const node = document.querySelector(selector); let under = node;
      while (/rgba\\(0, 0, 0, 0\\)|transparent/.test(getComputedStyle(under).backgroundColor)) under = under.parentElement;
      const [a, b] = [light(getComputedStyle(node).color), light(getComputedStyle(under).backgroundColor)];
      return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05); }"""
    for selector in (
        ".row-title",
        ".row-meta",
        ".hint",
        ".text mark",
        "#cluster-title",
        ".when time",
        ".kicker",
    ):
        assert page.evaluate(ratio, selector) >= 4.5, selector
    dark = page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(19, 20, 23)"
    assert dark == (scheme == "dark")
    page.click("#theme")
    assert (page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(19, 20, 23)") != dark


@pytest.mark.parametrize("width", [320, 390])
def test_on_a_phone_nothing_is_cut_off(open_page: Open, stories: str, width: int) -> None:
    page = open_page(stories, width=width, height=800)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.locator(".row").first.click()
    page.wait_for_selector(".columns")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    expect(page.locator("#list")).to_be_hidden()
    page.click(".back")
    expect(page.locator("#list")).to_be_visible()


def test_hostile_contents_show_as_text_and_break_nothing(open_page: Open, tmp_path: Path) -> None:
    page = open_page(_write(tmp_path, [*HOSTILE, *HUGE], name=BAD[0]))
    assert page.title() == f"{BAD[0]} – samewire"
    assert page.locator("body img, body b[onmouseover], bdi script").count() == 0
    shown = set(page.locator(".row-title").all_inner_texts())
    assert BAD[1] in shown
    for row in range(len(BAD) + 1):
        page.evaluate(f"document.getElementById('list').scrollTop = {row * 92}")
        page.locator(f"#row-{row}").click()
        page.wait_for_selector(".columns")
    assert page.evaluate("document.documentElement.scrollWidth") <= 1300
    hrefs = page.locator("main a").evaluate_all("links => links.map(a => a.protocol)")
    assert set(hrefs) <= {"https:", "http:"}
    page.fill("#search", "<img")
    expect(page.locator("#count")).to_have_text("1 cluster, 2 articles")


def test_a_headline_of_100_kb_keeps_the_page_usable(open_page: Open, tmp_path: Path) -> None:
    page = open_page(_write(tmp_path, [*HUGE, *STORIES]), width=390)
    page.fill("#search", "W" * 50)
    page.locator(".row").first.click()
    page.wait_for_selector(".columns")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    heading = page.locator("#cluster-title").bounding_box()
    assert heading is not None
    assert heading["height"] < 500


def test_ten_thousand_articles_open_in_time(open_page: Open, tmp_path: Path) -> None:
    url = _write(tmp_path, many(10_000))
    open_page(url).context.close()  # the browser's own first page
    begun = time.perf_counter()
    page = open_page(url)
    took = time.perf_counter() - begun
    assert page.inner_text("#count").endswith("10,000 articles")
    assert page.locator(".row").count() < 40
    begun = time.perf_counter()
    page.fill("#search", "source 7")
    expect(page.locator("#count")).not_to_have_text("10,000 articles")
    assert took < OPEN_SECONDS, f"took {took:.2f} s"
    assert time.perf_counter() - begun < OPEN_SECONDS


def test_comparison_marks_clusters(open_page: Open, tmp_path: Path) -> None:
    catalogue = Catalogue.from_changes(changes_of([STORIES]))
    old = {name: n if name.startswith("f") else 99 for n, name in enumerate(catalogue.partition())}
    old |= {"b1": 7, "d1": 7, "d2": 7, "m1": 8, "m2": 8, "m3": 8}
    path = tmp_path / "compared.html"
    path.write_text(
        report_page(catalogue, "new", compare_partitions(old, catalogue.partition(), "old settings"))
    )
    page = open_page(path.as_uri())
    page.select_option("#mark", "joined")
    expect(page.locator("#count")).to_have_text("1 cluster, 3 articles")
    _ferry(page)
    assert "stand apart" in page.inner_text(".note.changed")
    page.select_option("#mark", "split")
    expect(page.locator("#count")).to_have_text("2 clusters, 3 articles")
