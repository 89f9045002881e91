"""The articles, clusters and merges of a state, by id and name.

Folded from changelog records as they come, from a folder or from a topic with any number of
desks: ordinals are the catalogue's own, because each desk counts its articles by itself.
Bounded: beyond ``max_articles`` the oldest records are forgotten.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from heapq import nlargest
from typing import Any

import orjson

from pipeline.answers import cluster_id, cluster_name
from pipeline.changelog import Change
from pipeline.errors import InputError
from pipeline.verify import RELATIONS
from workers.tools.articles import Entry, Merge, Story
from workers.tools.texts import Texts

DEFAULT_MAX_ARTICLES = 200_000
_NEAREST_AMONG = 50_000  # ids that a misspelt one is compared with


class Catalogue:
    """Articles and clusters, by id and name. Not thread-safe."""

    def __init__(self, max_articles: int = DEFAULT_MAX_ARTICLES, with_texts: bool = True) -> None:
        self.engines: set[str] = set()
        self.forgotten = 0
        self.merges: list[Merge] = []
        self.version = 0
        self.newest_ms: int | None = None  # when the latest article was published
        self._max_articles = max_articles
        self._texts = Texts() if with_texts else None
        self._next = 1
        self._entries: dict[int, Entry] = {}
        self._ordinals: dict[str, int] = {}
        self._members: dict[int, list[int]] = {}
        self._alias: dict[int, int] = {}
        self._merged_into: defaultdict[int, list[Merge]] = defaultdict(list)
        self._batches: deque[range] = deque()  # the ordinals of each record's articles

    @classmethod
    def from_changes(
        cls,
        changes: Iterable[Change],
        max_articles: int = DEFAULT_MAX_ARTICLES,
        with_texts: bool = True,
    ) -> Catalogue:
        """Fold records into a catalogue."""
        catalogue = cls(max_articles, with_texts)
        for change in changes:
            catalogue.apply(change)
        return catalogue

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, article_id: str) -> bool:
        return article_id in self._ordinals

    @property
    def cluster_count(self) -> int:
        """How many clusters there are."""
        return len(self._members)

    # --- folding

    def apply(self, change: Change) -> None:
        """Take in one record. Gaps are allowed: old records may be gone."""
        self.engines.add(change.fingerprint)
        merges = defaultdict(list)
        for position, names in zip(change.merge_positions.tolist(), change.merge_names.tolist(), strict=True):
            merges[position].append(names)
        texts: list[str] = []
        for position, (entry, text) in enumerate(_entries_of(change, self._next)):
            for survivor, lost in merges.get(position, ()):
                self._merge(Merge(survivor, lost, entry.id, entry.time_ms))
            self._add(entry)
            texts.append(text)
        if texts:
            self._batches.append(range(self._next, self._next + len(texts)))
            self._next += len(texts)
            if self._texts is not None:
                self._texts.add(self._batches[-1].start, texts)
        self.version += 1
        while len(self._batches) > 1 and len(self._entries) > self._max_articles:
            self._forget_oldest()

    def _add(self, entry: Entry) -> None:
        name = entry.published_in
        if entry.relation == RELATIONS[0]:
            self._alias.pop(name, None)  # an id that came again long after founds its cluster anew
        self._entries[entry.ordinal] = entry
        self._ordinals[entry.id] = entry.ordinal
        self._members.setdefault(self.resolve(name), []).append(entry.ordinal)
        self.newest_ms = entry.time_ms if self.newest_ms is None else max(self.newest_ms, entry.time_ms)

    def _merge(self, merge: Merge) -> None:
        survivor, lost = self.resolve(merge.survivor), self.resolve(merge.lost)
        self.merges.append(merge)
        if survivor == lost:
            return
        self._alias[lost] = survivor
        moved = self._members.pop(lost, [])
        if moved:
            self._members.setdefault(survivor, []).extend(moved)
        self._merged_into[survivor] += [*self._merged_into.pop(lost, []), merge]

    def _forget_oldest(self) -> None:
        if self._texts is not None:
            self._texts.drop_oldest()
        for ordinal in self._batches.popleft():
            entry = self._entries.pop(ordinal)
            self.forgotten += 1
            if self._ordinals.get(entry.id) == ordinal:
                del self._ordinals[entry.id]
            name = self.resolve(entry.published_in)
            members = self._members.get(name, [])
            if ordinal in members:
                members.remove(ordinal)
            if not members:
                self._members.pop(name, None)
                for merge in self._merged_into.pop(name, []):
                    self._alias.pop(merge.lost, None)

    # --- reading

    def resolve(self, name: int) -> int:
        """Return the name under which a cluster goes on."""
        seen = name
        while seen in self._alias:
            seen = self._alias[seen]
        return seen

    def entry(self, article_id: str) -> Entry | None:
        """Return the newest article with this id."""
        ordinal = self._ordinals.get(article_id)
        return None if ordinal is None else self._entries[ordinal]

    def expect(self, article_id: str) -> Entry:
        """Return an article; raises :class:`InputError` that names the nearest ids."""
        found = self.entry(article_id)
        if found is None:
            raise InputError(unknown_id("article", article_id, self._ordinals))
        return found

    def entries(self, after: int = -1) -> Iterator[Entry]:
        """Yield the articles whose ordinal is above ``after``, in order of arrival."""
        for batch in self._batches:
            for ordinal in range(max(batch.start, after + 1), batch.stop):
                yield self._entries[ordinal]

    def text(self, entry: Entry) -> str | None:
        """Return an article's text; None when the state keeps none."""
        return None if self._texts is None else self._texts.get(entry.ordinal)

    def story(self, name: int) -> Story | None:
        """Return the cluster that goes on from ``name``."""
        current = self.resolve(name)
        ordinals = self._members.get(current)
        if not ordinals:
            return None
        entries = sorted((self._entries[o] for o in ordinals), key=lambda e: (e.time_ms, e.ordinal))
        return Story(current, entries, list(self._merged_into.get(current, ())))

    def expect_story(self, identifier: str) -> Story:
        """Return a cluster by its published id or by the id of an article in it.

        Raises :class:`InputError` that names the nearest ids.
        """
        if identifier in self._ordinals:
            found = self.story(self.expect(identifier).published_in)
            if found is not None:
                return found
        try:
            found = self.story(cluster_name(identifier))
        except ValueError:
            raise InputError(unknown_id("article or cluster", identifier, self._ordinals)) from None
        if found is None:
            known = (cluster_id(name) for name in (*self._members, *self._alias))
            raise InputError(unknown_id("cluster", identifier, known))
        return found

    def stories(self, min_size: int = 1) -> Iterator[Story]:
        """Yield the clusters, in no particular order."""
        for name in list(self._members):
            if len(self._members[name]) >= min_size:
                story = self.story(name)
                if story is not None:
                    yield story

    def newest(self, limit: int, min_size: int = 1, before: int | None = None) -> list[tuple[int, Story]]:
        """Return the clusters that grew last, each with the ordinal of its last arrival.

        ``before``: only those whose last arrival has a lower ordinal, for the next page.
        """
        last = (
            (max(ordinals), name) for name, ordinals in self._members.items() if len(ordinals) >= min_size
        )
        wanted = nlargest(limit, (item for item in last if before is None or item[0] < before))
        stories = ((ordinal, self.story(name)) for ordinal, name in wanted)
        return [(ordinal, story) for ordinal, story in stories if story is not None]

    def partition(self) -> dict[str, int]:
        """Return every article's cluster."""
        return {entry.id: self.resolve(entry.published_in) for entry in self._entries.values()}


def _entries_of(change: Change, first: int) -> Iterator[tuple[Entry, str]]:
    """Yield a record's articles with their texts; the first one gets the ordinal ``first``."""
    abouts = change.about if len(change.about) == len(change.ids) else [""] * len(change.ids)
    columns = zip(
        change.ids,
        change.time.tolist(),
        change.name.tolist(),
        change.relation.tolist(),
        change.score.tolist(),
        change.matched_ids,
        abouts,
        strict=True,
    )
    for position, (article_id, time_ms, name, relation, score, matched_id, about) in enumerate(columns):
        fields: dict[str, Any] = orjson.loads(about) if about else {}
        entry = Entry(
            ordinal=first + position,
            id=article_id,
            time_ms=time_ms,
            published_in=name,
            relation=RELATIONS[relation],
            score=score / 10_000,
            matched_id=matched_id,
            title=fields.get("title") or "",
            source=fields.get("source") or "",
            lang=fields.get("lang") or "",
            url=fields.get("url") or "",
        )
        yield entry, fields.get("text") or ""


def unknown_id(kind: str, wanted: str, known: Iterable[str]) -> str:
    """Return the message about an id that is not there, with the nearest ones that are."""
    among = [name for _, name in zip(range(_NEAREST_AMONG), known, strict=False)]
    near = get_close_matches(wanted[:200], among, n=3, cutoff=0.5)
    shown = wanted if len(wanted) <= 80 else wanted[:77] + "…"
    if near:
        return f"{kind} {shown!r} is not in the state; nearest: {', '.join(near)}"
    example = f", for example {among[0]}" if among else ""
    return f"{kind} {shown!r} is not in the state; `samewire report` shows what is{example}"
