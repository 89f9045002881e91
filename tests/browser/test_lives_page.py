"""Corrections, kills and splits in a browser, in a report and live; reasons that are meant to break a page."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Open
from tests.browser.contents import BAD, SCRIPT
from tests.served import Served
from tests.unit.tools.lives import (
    BANK,
    CORRECTED_FERRY,
    FERRY,
    FIRST,
    THEN,
    LivingState,
    article,
    catalogue_of,
    kill,
    living_state,
)
from workers.tools.report import report_page


def _report(folder: Path) -> str:
    path = folder / "report.html"
    path.write_text(report_page(catalogue_of(folder), "state"), "utf-8")
    return path.as_uri()


@pytest.fixture(scope="module")
def lives(tmp_path_factory: pytest.TempPathFactory) -> str:
    return _report(living_state(tmp_path_factory.mktemp("living")))


def _open(page: Page, title: str) -> None:
    page.locator(f".row:has-text('{title}')").click()
    page.wait_for_selector(".pair:not([aria-busy])")


def _texts(page: Page, selector: str) -> list[str]:
    return page.locator(selector).all_inner_texts()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_corrected_article_shows_what_each_version_changed(
    open_page: Open, lives: str, scheme: str
) -> None:
    page = open_page(lives, width=390, color_scheme=scheme)
    _open(page, "CORRECTED-Ferry")
    assert _texts(page, ".side-head .badge") == ["corrected, version 2", "advisory: correction"]
    page.click(".versions summary")
    assert _texts(page, ".versions del") == ["Ferry with 214", "214", "Seventeen"]
    assert _texts(page, ".versions ins") == ["CORRECTED-Ferry with 217", "217", "Nineteen"]
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_what_was_withdrawn_and_split_is_marked(open_page: Open, lives: str) -> None:
    page = open_page(lives)
    assert "4 killed" in page.inner_text("#summary")
    expect(page.locator("#count")).to_have_text("6 clusters, 7 articles")
    _open(page, "The beginning alone")
    assert "left this cluster when bridge was withdrawn" in page.inner_text(".note.parted")
    assert page.inner_text(".note.withdrawn").endswith("10 Mar 2026, 09:30: Withdrawn by its author.")
    page.click(".note.parted a")
    expect(page.locator("#cluster-title")).to_have_text("The end alone")
    assert "it was part of" in page.inner_text(".note.parted")
    _open(page, "Budget speech")
    assert _texts(page, ".side-head .badge") == ["embargoed until 1 Jan 2099, 06:00"]
    _open(page, "Ferry with 214")
    assert "wire-1 was here before its correction (version 2)" in page.inner_text(".note.elsewhere")
    assert "embargo ended 10 Mar 2026, 08:45" in _texts(page, ".lane-row .badge")


def test_what_was_killed_is_found_by_its_id(open_page: Open, lives: str) -> None:
    page = open_page(lives)
    page.fill("#search", "never")
    expect(page.locator("#fate")).to_have_text(
        "killed never before it came, on 10 Mar 2026, 09:30: Sent by mistake."
    )
    page.fill("#search", "bank-1")
    expect(page.locator("#fate")).to_contain_text("The governor does not step down.")
    assert _texts(page, ".row-title") == ["Governor to step down"]  # where it stood
    page.fill("#search", "")
    expect(page.locator("#fate")).to_be_hidden()


def test_the_browser_puts_changes_together_again(open_page: Open, lives: str) -> None:
    page = open_page(lives)
    pairs = [
        (FERRY, CORRECTED_FERRY), (FERRY, BANK), (FERRY, FERRY.replace(",", "").upper()), ("", FERRY), (FERRY, ""), (FERRY, FERRY), ("漢字の記事です。", "これは漢字の記事です。"),
        ("one two three four five six", "four five six one two three"), (f"{BAD[0]} {FERRY}", f"{BAD[6]} {FERRY} {BAD[4]}"),
    ]  # fmt: skip
    for before, after in pairs:
        pieces = page.evaluate("([a, b]) => samewire.changes(a, b)", [before, after])
        assert "".join(p["text"] for p in pieces if p["kind"] != "del") == after
        assert "".join(p["text"] for p in pieces if p["kind"] != "ins") == before


def test_reasons_show_as_text_and_break_nothing(open_page: Open, tmp_path: Path) -> None:
    reasons = [reason.replace("\0", "") for reason in BAD] + ["W" * 4000]
    records = [
        article(f"{SCRIPT}{n}", FERRY, title=f"{SCRIPT} {n}", source=SCRIPT) for n in range(len(reasons))
    ]
    with LivingState(tmp_path) as state:
        state.take(*records, article("stays", FERRY, title="Stays"))
        state.take(*(kill(f"{SCRIPT}{n}", reason=reason) for n, reason in enumerate(reasons)))
    for width in (1300, 320):
        page = open_page(_report(tmp_path), width=width)
        page.locator(".row").first.click()
        page.wait_for_selector(".pair:not([aria-busy])")
        assert BAD[1] in page.inner_text(".note.withdrawn")
        assert page.locator("main img, main script, main b[onmouseover]").count() == 0
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        if width == 320:
            page.click(".back")
        page.fill("#search", f"{SCRIPT}{len(reasons) - 1}")
        expect(page.locator("#fate")).to_contain_text("WWWW")
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_the_live_page_follows_what_happens(open_page: Open, tmp_path: Path) -> None:
    with LivingState(tmp_path) as state:
        state.take(*FIRST)
        with Served("--state", tmp_path) as served:
            page = open_page(served.url)
            expect(page.locator("#live-text")).to_have_text("live")
            _open(page, "The beginning alone")
            expect(page.locator(".lane-row")).to_have_count(3)
            state.take(THEN[2])  # the bridge is killed
            expect(page.locator(".lane-row")).to_have_count(0)
            expect(page.locator(".note.withdrawn")).to_contain_text("Withdrawn by its author.")
            expect(page.locator("#announce")).to_have_text("1 article killed")
            _open(page, "Ferry with 214")
            expect(page.locator(".lane-row")).to_have_count(2)
            state.take(THEN[0])  # the wire corrects itself
            expect(page.locator(".note.elsewhere")).to_be_visible()
            _open(page, "CORRECTED-Ferry")
            page.click(".versions summary")
            assert "217" in _texts(page, ".versions ins")
            _open(page, "A story of its own")
            state.take(THEN[3])
            expect(page.locator("#detail")).to_contain_text("This cluster is gone: its articles were killed.")
            page.context.close()
