"""The served page in a browser, over a state that a worker is writing."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Open
from tests.browser.contents import BAD, HOSTILE, HUGE, STORIES
from tests.served import Served
from tests.unit.tools.states import Item, Writer

TOKEN = "0123456789abcdef0123456789abcdef"


@pytest.fixture
def worker(tmp_path: Path) -> Iterator[Writer]:
    found = Writer(tmp_path / "state")
    found.write(STORIES[:4])
    yield found
    found.close()


@pytest.fixture
def served(worker: Writer) -> Iterator[Served]:
    found = Served("--state", worker.folder)
    yield found
    found.stop()


@pytest.fixture
def guarded(worker: Writer, tmp_path: Path) -> Iterator[Served]:
    (tmp_path / "token").write_text(TOKEN)
    found = Served("--state", worker.folder, "--host", "0.0.0.0", "--token-file", tmp_path / "token")
    yield found
    found.stop()


# The browser is asked for last, so that its pages close before the server stops.


def test_updates_while_a_worker_writes(worker: Writer, served: Served, open_page: Open) -> None:
    page = open_page(served.url)
    expect(page.locator("#count")).to_have_text("2 clusters, 4 articles")
    expect(page.locator("#live-text")).to_have_text("live")
    page.locator(".row:has-text('Ferry')").click()
    page.wait_for_selector(".columns")
    worker.write(STORIES[4:8])
    expect(page.locator("#count")).to_have_text("5 clusters, 8 articles")
    expect(page.locator("#announce")).to_have_text("4 new articles")
    worker.write(STORIES[8:])
    expect(page.locator("#count")).to_have_text("4 clusters, 9 articles")  # two clusters became one
    worker.write([Item("f4", "f1", 200, "copy", "f1", 0.9, title="Ferry again", text="Ferry", source="Late")])
    expect(page.locator(".lane-row")).to_have_count(4)
    assert page.inner_text("#cluster-title").startswith("Ferry with 214")


def test_hostile_articles_arrive_as_text(worker: Writer, served: Served, open_page: Open) -> None:
    page = open_page(served.url)
    worker.write([*HOSTILE, *HUGE])
    expect(page.locator("#count")).to_contain_text(f"{4 + len(HOSTILE) + len(HUGE)} articles")
    page.fill("#search", BAD[1])
    expect(page.locator("#count")).to_have_text("1 cluster, 2 articles")
    page.locator(".row").first.click()
    page.wait_for_selector(".columns")
    assert page.inner_text("#cluster-title") == BAD[1]
    assert page.locator("main img").count() == 0
    assert page.title() == "state – samewire"


def test_a_state_that_is_started_anew_is_shown_anew(worker: Writer, served: Served, open_page: Open) -> None:
    page = open_page(served.url)
    worker.close()
    worker.folder.rename(worker.folder.with_name("old"))
    again = Writer(worker.folder)
    again.write(STORIES[1:2])
    expect(page.locator("#count")).to_have_text("1 cluster, 1 article")
    again.close()


def test_the_token_is_asked_for(guarded: Served, open_page: Open) -> None:
    page = open_page(guarded.url, ready="#token")
    page.fill("#token", TOKEN)
    page.click("button")
    expect(page.locator("#count")).to_have_text("2 clusters, 4 articles")
