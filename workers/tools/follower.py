"""Keeps a catalogue up to date with a feed, inside the server's event loop.

Records are read and decoded on a thread; the catalogue is touched on the loop alone, so
that requests, which run there too, need no lock.
"""

from __future__ import annotations

import asyncio
import time
from itertools import islice

import structlog

from pipeline.errors import SamewireError
from workers.tools.catalogue import Catalogue
from workers.tools.feed import Feed, Progress
from workers.tools.records import DeskChange

log = structlog.get_logger()

_RECORDS_AT_ONCE = 8  # so that requests are answered in between


class Follower:
    """A catalogue that follows a feed.

    ``trouble``: why the last look failed, if it did. ``generation``: another number means that
    ordinals read before no longer count, because the feed or this server began anew.
    """

    def __init__(self, feed: Feed, max_articles: int, poll_seconds: float) -> None:
        self.feed = feed
        self.catalogue = Catalogue(max_articles)
        self.trouble: str | None = None
        self.generation = time.time_ns() // 1_000_000
        self._restarts = feed.restarts
        self._max_articles = max_articles
        self._poll_seconds = poll_seconds
        self._changed = asyncio.Event()

    def load(self, on_progress: Progress = lambda _done, _total: None) -> None:
        """Read what is there now, before the server starts."""
        for told in self.feed.poll():
            self._apply([told])
            on_progress(*self.feed.progress)

    async def follow(self) -> None:
        """Take in what comes, until cancelled."""
        while True:
            try:
                await self._take_in()
                self.trouble = None
            except SamewireError as error:
                if self.trouble is None:
                    log.warning("serve_cannot_read", reason=str(error))
                self.trouble = str(error)
            await asyncio.sleep(self._poll_seconds)

    async def wait(self, version: int, generation: int, seconds: float) -> bool:
        """Wait until there is something newer; False when time ran out."""
        deadline = asyncio.get_running_loop().time() + seconds
        while self.catalogue.version == version and self.generation == generation:
            left = deadline - asyncio.get_running_loop().time()
            if left <= 0:
                return False
            try:
                await asyncio.wait_for(self._changed.wait(), left)
            except TimeoutError:
                return False
        return True

    async def _take_in(self) -> None:
        changes = self.feed.poll()
        while True:
            found = await asyncio.to_thread(lambda: list(islice(changes, _RECORDS_AT_ONCE)))
            if not found:
                return
            self._apply(found)
            self._changed.set()
            self._changed = asyncio.Event()

    def _apply(self, changes: list[DeskChange]) -> None:
        if self.feed.restarts != self._restarts:
            self.catalogue = Catalogue(self._max_articles)
            self._restarts = self.feed.restarts
            self.generation += 1
        for desk, change in changes:
            if not change.empty:
                self.catalogue.apply(change, desk)
