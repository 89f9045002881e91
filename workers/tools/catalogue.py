"""The articles, clusters and merges of a state, as plain data for pages and programs.

Folded from changelog records as they come, from a folder or a topic. Bounded: beyond
``max_articles`` the oldest records are forgotten; texts stay compressed by record.
"""

from __future__ import annotations

from collections import OrderedDict, defaultdict, deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from heapq import nlargest
from typing import Any

import orjson
import zstandard

from pipeline.answers import cluster_id, cluster_name
from pipeline.changelog import Change
from pipeline.errors import InputError, StateError
from pipeline.verify import RELATIONS

DEFAULT_MAX_ARTICLES = 200_000
_OPEN_BLOCKS = 8  # records whose texts are kept decompressed
_NEAREST_AMONG = 50_000  # ids that a misspelt one is compared with
_MAX_TEXTS_BYTES = 1 << 30


@dataclass(frozen=True, slots=True)
class Entry:
    """An article as the state knows it.

    ``published_in``: the name of the cluster that its answer named; the cluster may have
    merged since. ``score``: 0 to 1. ``matched_id``: the article it was found closest to.
    """

    ordinal: int
    id: str
    time_ms: int
    published_in: int
    relation: str
    score: float
    matched_id: str
    title: str
    source: str
    lang: str
    url: str


@dataclass(frozen=True, slots=True)
class Merge:
    """Cluster ``lost`` became part of ``survivor`` when ``article_id``, published at ``time_ms``, came."""

    survivor: int
    lost: int
    article_id: str
    time_ms: int


@dataclass(frozen=True, slots=True)
class Story:
    """A cluster: its articles by time of publication, and the merges that made it."""

    name: int
    entries: list[Entry]
    merges: list[Merge]

    @property
    def id(self) -> str:
        """The published cluster id."""
        return cluster_id(self.name)

    @property
    def first_ms(self) -> int:
        """When its earliest article was published."""
        return self.entries[0].time_ms

    @property
    def last_ms(self) -> int:
        """When its latest article was published."""
        return self.entries[-1].time_ms


@dataclass(slots=True)
class _Block:
    """What one record brought."""

    first: int
    ids: list[str]
    texts: bytes  # a JSON list of texts, compressed; empty when there are none


class Catalogue:
    """Articles and clusters, by id and name. Not thread-safe."""

    def __init__(self, max_articles: int = DEFAULT_MAX_ARTICLES, with_texts: bool = True) -> None:
        self.engines: set[str] = set()
        self.forgotten = 0
        self.merges: list[Merge] = []
        self.version = 0
        self._newest_ms: int | None = None
        self._max_articles = max_articles
        self._with_texts = with_texts
        self._entries: dict[int, Entry] = {}
        self._ordinals: dict[str, int] = {}
        self._members: dict[int, list[int]] = {}
        self._alias: dict[int, int] = {}
        self._merged_into: defaultdict[int, list[Merge]] = defaultdict(list)
        self._blocks: deque[_Block] = deque()
        self._open: OrderedDict[int, list[str]] = OrderedDict()
        self._compressor = zstandard.ZstdCompressor(level=3)

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

    @property
    def newest_ms(self) -> int | None:
        """When the latest article was published."""
        return self._newest_ms

    # --- folding

    def apply(self, change: Change) -> None:
        """Take in one record. Gaps are allowed: old records may be gone."""
        self.engines.add(change.fingerprint)
        merges = defaultdict(list)
        for position, names in zip(change.merge_positions.tolist(), change.merge_names.tolist(), strict=True):
            merges[position].append(names)
        texts: list[str] = []
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
            for survivor, lost in merges.get(position, ()):
                self._merge(Merge(survivor, lost, article_id, time_ms))
            fields: dict[str, Any] = orjson.loads(about) if about else {}
            entry = Entry(
                ordinal=change.first + position,
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
            texts.append(fields.get("text") or "")
            self._add(entry)
            self._newest_ms = time_ms if self._newest_ms is None else max(self._newest_ms, time_ms)
        if change.ids:
            keep = self._with_texts and any(texts)
            packed = self._compressor.compress(orjson.dumps(texts)) if keep else b""
            self._blocks.append(_Block(change.first, list(change.ids), packed))
        self.version += 1
        while len(self._blocks) > 1 and len(self._entries) > self._max_articles:
            self._forget(self._blocks.popleft())

    def _add(self, entry: Entry) -> None:
        name = entry.published_in
        if entry.relation == RELATIONS[0]:
            self._alias.pop(name, None)  # an id that came again long after founds its cluster anew
        self._entries[entry.ordinal] = entry
        self._ordinals[entry.id] = entry.ordinal
        self._members.setdefault(self.resolve(name), []).append(entry.ordinal)

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

    def _forget(self, block: _Block) -> None:
        self._open.pop(block.first, None)
        for offset, article_id in enumerate(block.ids):
            ordinal = block.first + offset
            entry = self._entries.pop(ordinal, None)
            if entry is None:
                continue
            self.forgotten += 1
            if self._ordinals.get(article_id) == ordinal:
                del self._ordinals[article_id]
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
        for block in self._blocks:
            if block.first + len(block.ids) <= after + 1:
                continue
            for ordinal in range(max(block.first, after + 1), block.first + len(block.ids)):
                if ordinal in self._entries:
                    yield self._entries[ordinal]

    def text(self, entry: Entry) -> str | None:
        """Return an article's text; None when the state keeps none."""
        block = self._block_of(entry.ordinal)
        if block is None or not block.texts:
            return None
        texts = self._open.get(block.first)
        if texts is None:
            raw = zstandard.decompress(block.texts, max_output_size=_MAX_TEXTS_BYTES)
            texts = self._open[block.first] = orjson.loads(raw)
            if len(self._open) > _OPEN_BLOCKS:
                self._open.popitem(last=False)
        return texts[entry.ordinal - block.first]

    def _block_of(self, ordinal: int) -> _Block | None:
        low, high = 0, len(self._blocks)
        while low < high:
            middle = (low + high) // 2
            if self._blocks[middle].first <= ordinal:
                low = middle + 1
            else:
                high = middle
        return self._blocks[low - 1] if low else None

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

    def require_articles(self, where: str) -> None:
        """Raise :class:`StateError` when nothing has been clustered yet."""
        if not self._entries:
            raise StateError(
                f"{where} holds no articles yet; cluster some with `samewire run --input FILE --state {where}`"
            )


def unknown_id(kind: str, wanted: str, known: Iterable[str]) -> str:
    """Return the message about an id that is not there, with the nearest ones that are."""
    among = [name for _, name in zip(range(_NEAREST_AMONG), known, strict=False)]
    near = get_close_matches(wanted[:200], among, n=3, cutoff=0.5)
    shown = wanted if len(wanted) <= 80 else wanted[:77] + "…"
    if near:
        return f"{kind} {shown!r} is not in the state; nearest: {', '.join(near)}"
    example = f", for example {among[0]}" if among else ""
    return f"{kind} {shown!r} is not in the state; `samewire clusters` lists the ids{example}"
