"""A real browser: Debian's Chromium through Playwright."""

import os
import shutil
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Dialog, Page, sync_playwright

CHROMIUM = next(
    (p for name in ("chromium", "chromium-browser", "google-chrome") if (p := shutil.which(name))), None
)
MISSING = "Chromium is missing, so the web pages are NOT tested: apt-get install chromium"


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium; skips with one line where it is missing, and fails where CI is set."""
    if CHROMIUM is None:
        if os.environ.get("CI"):
            pytest.fail(MISSING)
        warnings.warn(MISSING, stacklevel=1)
        pytest.skip(MISSING)
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield found
        found.close()


Open = Callable[..., Page]


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Open]:
    """Open an address and wait until the page is ready.

    At the end fails for anything on the console, any exception, any dialog, and any request but for
    the page's own files and the server that it came from.
    """
    troubles: list[str] = []
    contexts = []

    def on_console(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            troubles.append(f"console: {message.text}")

    def on_dialog(dialog: Dialog) -> None:
        troubles.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def open_(
        url: str, width: int = 1300, height: int = 900, ready: str = "html[data-ready]", **options: Any
    ) -> Page:
        context = browser.new_context(viewport={"width": width, "height": height}, **options)
        contexts.append(context)
        page = context.new_page()
        page.on("console", on_console)
        page.on("pageerror", lambda e: troubles.append(f"exception: {e}"))
        page.on("dialog", on_dialog)
        origin = "/".join(url.split("/")[:3])
        own = url if url.startswith("file:") else origin
        page.on(
            "request",
            lambda r: (
                None
                if r.url.startswith((own, "data:", "blob:"))
                else troubles.append(f"request: {r.url[:200]}")
            ),
        )
        page.goto(url)
        page.wait_for_selector(ready, state="attached")
        return page

    yield open_
    for context in contexts:
        context.close()
    assert troubles == []
