"""The articles and clusters of a state, by id and name, and what happened to them.

Folded from changelog records as they come, from a folder or from a topic with any number of
desks: ordinals are the catalogue's own, because each desk counts its articles by itself.
What was withdrawn is in no cluster any more, but is still known. Bounded: beyond
``max_articles`` the oldest records are forgotten.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Set
from heapq import nlargest

from pipeline.answers import cluster_id, cluster_name
from pipeline.changelog import Change
from pipeline.errors import InputError
from workers.tools.articles import Edition, Entry, Killed, Merge, Split, Story
from workers.tools.clusters import Clusters
from workers.tools.desks import Desks
from workers.tools.lives import Lives
from workers.tools.missing import GoneError, emptied, killed_article, unknown_id
from workers.tools.taking import Taking
from workers.tools.texts import Texts

DEFAULT_MAX_ARTICLES = 200_000


class Catalogue:
    """Articles and clusters, by id and name. Not thread-safe."""

    def __init__(self, max_articles: int = DEFAULT_MAX_ARTICLES, with_texts: bool = True) -> None:
        self.engines: set[str] = set()
        self.forgotten = 0
        self.version = 0
        self.newest_ms: int | None = None  # when the latest article was published
        self._max_articles = max_articles
        self._texts = Texts() if with_texts else None
        self._next = 1
        self._entries: dict[int, Entry] = {}
        self._ordinals: dict[str, int] = {}  # of the newest edition
        self._clusters = Clusters()
        self._lives = Lives(max_articles)
        self._desks = Desks()
        self._batches: deque[tuple[int, range]] = deque()  # the desk and ordinals of each record's articles

    @classmethod
    def from_changes(
        cls,
        changes: Iterable[Change],
        max_articles: int = DEFAULT_MAX_ARTICLES,
        with_texts: bool = True,
    ) -> Catalogue:
        """Fold the records of one desk into a catalogue."""
        catalogue = cls(max_articles, with_texts)
        for change in changes:
            catalogue.apply(change)
        return catalogue

    def __len__(self) -> int:
        return len(self._entries) - len(self._lives)

    def __contains__(self, article_id: str) -> bool:
        return self.entry(article_id) is not None

    @property
    def cluster_count(self) -> int:
        """How many clusters there are."""
        return len(self._clusters)

    @property
    def merges(self) -> list[Merge]:
        """The merges so far."""
        return self._clusters.merges

    @property
    def splits(self) -> list[Split]:
        """Where clusters came apart so far."""
        return self._clusters.splits

    # --- folding

    def apply(self, change: Change, desk: int = 0) -> None:
        """Take in one record. Gaps are allowed: old records may be gone."""
        self.engines.add(change.fingerprint)
        self.version += 1
        taking = Taking(change, desk, self._entries, self._ordinals, self._clusters, self._lives)
        texts = taking.enter(self._next)
        if texts:
            self._desks.add(desk, change.first, self._next, len(texts))
            self._batches.append((desk, range(self._next, self._next + len(texts))))
            self._next += len(texts)
            if self._texts is not None:
                self._texts.add(self._batches[-1][1].start, texts)
            newest = int(change.time.max())
            self.newest_ms = newest if self.newest_ms is None else max(self.newest_ms, newest)
        taking.live(self._desks)
        while len(self._batches) > 1 and len(self._entries) > self._max_articles:
            self._forget_oldest()

    def _forget_oldest(self) -> None:
        desk, batch = self._batches.popleft()
        if self._texts is not None:
            self._texts.drop_oldest()
        self._desks.drop_oldest(desk)
        for ordinal in batch:
            entry = self._entries.pop(ordinal)
            if ordinal not in self._lives:
                self.forgotten += 1
                self._clusters.leave(ordinal, entry.published_in)
            self._clusters.forget(entry.published_in)
            newest = self._ordinals.get(entry.id) == ordinal
            if newest:
                del self._ordinals[entry.id]
            self._lives.forget(ordinal, entry.id, newest)

    # --- articles

    def entry(self, article_id: str) -> Entry | None:
        """Return the edition of an article that stands."""
        ordinal = self._ordinals.get(article_id)
        return None if ordinal is None or ordinal in self._lives else self._entries[ordinal]

    def expect(self, article_id: str) -> Entry:
        """Return the edition that stands; raises :class:`InputError` that says what happened, or names the nearest ids."""
        found = self.entry(article_id)
        if found is not None:
            return found
        killed = self.killed(article_id)
        if killed is not None:
            raise GoneError(killed_article(killed, bool(self._clusters.members(killed.cluster))), killed)
        raise InputError(unknown_id("article", article_id, self._ordinals))

    def killed(self, article_id: str) -> Killed | None:
        """Return the kill of an article of which no version stands."""
        return None if article_id in self else self._lives.kill(article_id)

    def kills(self) -> Iterator[Killed]:
        """Yield what was withdrawn, oldest first; what was killed before it came, too."""
        return (killed for killed in self._lives.kills() if killed.article_id not in self)

    def editions(self, entry: Entry) -> list[Edition]:
        """Return the known versions of an article, oldest first, the given one last."""
        chain = [entry]
        for ordinal in self._lives.before(entry.ordinal):
            earlier = self._entries.get(ordinal)
            # one that was not withdrawn is another story, from when the id was used before
            if earlier is None or ordinal not in self._lives:
                break
            chain.append(earlier)
        return [self._edition(each, is_later=each is not chain[-1]) for each in chain[::-1]]

    def all_editions(self, story: Story) -> list[Edition]:
        """Return every version of a cluster's articles, of those that were killed in it, and of what left it."""
        killed = (each.entry for each in story.killed)
        last = (entry for entry in (*story.entries, *killed, *story.left) if entry is not None)
        found = {edition.entry.ordinal: edition for entry in last for edition in self.editions(entry)}
        return list(found.values())

    def _edition(self, entry: Entry, is_later: bool) -> Edition:
        if entry.ordinal not in self._lives:
            return Edition(entry, is_later=is_later)
        replaced = self._lives.was_replaced(entry.ordinal)
        return Edition(entry, replaced, None if replaced else self._lives.kill(entry.id), is_later)

    def withdrawn(self, article_id: str) -> list[int]:
        """Return the ordinals of an article's editions that stand no more."""
        newest = self._ordinals.get(article_id)
        if newest is None:
            return []
        return [o for o in (newest, *self._lives.before(newest)) if o in self._lives]

    def touched(self, after: int) -> list[tuple[str, int]]:
        """Return of which articles something was told since number ``after``, with the numbers, oldest first."""
        return self._lives.touched(after)

    def entries(self, after: int = -1) -> Iterator[Entry]:
        """Yield the editions that stand whose ordinal is above ``after``, in order of arrival."""
        for _, batch in self._batches:
            for ordinal in range(max(batch.start, after + 1), batch.stop):
                if ordinal not in self._lives:
                    yield self._entries[ordinal]

    def text(self, entry: Entry) -> str | None:
        """Return an edition's text; None when the state keeps none."""
        return None if self._texts is None else self._texts.get(entry.ordinal)

    # --- clusters

    def resolve(self, name: int) -> int:
        """Return the name under which a cluster goes on."""
        return self._clusters.resolve(name)

    def story(self, name: int) -> Story | None:
        """Return the cluster that goes on from ``name``."""
        members = self._clusters.members(name)
        if not members:
            return None
        entries = sorted((self._entries[o] for o in members), key=lambda e: (e.time_ms, e.ordinal))
        past = self._clusters.past(name)
        killed = [k for article_id in past.killed if (k := self.killed(article_id)) is not None]
        left = [self._entries[ordinal] for ordinal in past.left if self._went_elsewhere(ordinal, members)]
        return Story(self.resolve(name), entries, list(past.merges), list(past.splits), killed, left)

    def _went_elsewhere(self, ordinal: int, members: Set[int]) -> bool:
        entry = self._entries.get(ordinal)
        return entry is not None and entry.id in self and self._ordinals[entry.id] not in members

    def expect_story(self, identifier: str) -> Story:
        """Return a cluster by its published id or by the id of an article in it.

        Raises :class:`InputError` that says what happened to it, or names the nearest ids.
        """
        if identifier in self or self.killed(identifier) is not None:
            found = self.story(self.expect(identifier).published_in)
            if found is not None:
                return found
        try:
            name = cluster_name(identifier)
        except ValueError:
            raise InputError(unknown_id("article or cluster", identifier, self._ordinals)) from None
        found = self.story(name)
        if found is None:
            withdrawn = self._clusters.past(name).killed
            if withdrawn:
                raise GoneError(emptied(identifier, withdrawn[-1]), self.killed(withdrawn[-1]))
            known = (cluster_id(each) for each in self._clusters.names())
            raise InputError(unknown_id("cluster", identifier, known))
        return found

    def stories(self, min_size: int = 1) -> Iterator[Story]:
        """Yield the clusters, in no particular order."""
        for name in self._clusters:
            if len(self._clusters.members(name)) >= min_size:
                story = self.story(name)
                if story is not None:
                    yield story

    def newest(self, limit: int, min_size: int = 1, before: int | None = None) -> list[tuple[int, Story]]:
        """Return the clusters that grew last, each with the ordinal of its last arrival.

        ``before``: only those whose last arrival has a lower ordinal, for the next page.
        """
        sizes = ((self._clusters.members(name), name) for name in self._clusters)
        last = ((max(members), name) for members, name in sizes if len(members) >= min_size)
        wanted = nlargest(limit, (item for item in last if before is None or item[0] < before))
        stories = ((ordinal, self.story(name)) for ordinal, name in wanted)
        return [(ordinal, story) for ordinal, story in stories if story is not None]

    def partition(self) -> dict[str, int]:
        """Return the cluster of every article that stands."""
        return {entry.id: self.resolve(entry.published_in) for entry in self.entries()}
