"""Clusters by name: who is in them, which became one, which came apart."""

from __future__ import annotations

from collections.abc import Iterator, Set
from dataclasses import dataclass, field

from workers.tools.articles import Merge, Split


@dataclass(slots=True)
class Past:
    """What has become of a cluster so far.

    ``killed``: the ids of articles that were withdrawn from it. ``left``: editions in it whose correction
    went elsewhere, by ordinal.
    """

    merges: list[Merge] = field(default_factory=list)
    splits: list[Split] = field(default_factory=list)
    killed: list[str] = field(default_factory=list)
    left: list[int] = field(default_factory=list)

    def add(self, other: Past) -> None:
        """Take over what became of a cluster that is now part of this one."""
        self.merges += other.merges
        # both parts of a split know it, and may have found together again
        self.splits += [split for split in other.splits if split not in self.splits]
        self.killed += other.killed
        self.left += other.left


class Clusters:
    """Members by ordinal. A name is resolved wherever one is given: it may be that of a lost cluster."""

    def __init__(self) -> None:
        self.merges: list[Merge] = []
        self.splits: list[Split] = []
        self._members: dict[int, set[int]] = {}
        self._alias: dict[int, int] = {}
        self._pasts: dict[int, Past] = {}

    def __len__(self) -> int:
        return len(self._members)

    def __iter__(self) -> Iterator[int]:
        return iter(list(self._members))

    def resolve(self, name: int) -> int:
        """Return the name under which a cluster goes on."""
        while name in self._alias:
            name = self._alias[name]
        return name

    def names(self) -> Iterator[int]:
        """Yield the names of clusters, and those that lead to one."""
        yield from self._members
        yield from self._alias

    def members(self, name: int) -> Set[int]:
        """Return who is in a cluster; nobody when it is not there."""
        return self._members.get(self.resolve(name), frozenset())

    def past(self, name: int) -> Past:
        """Return what has become of a cluster."""
        return self._pasts.get(self.resolve(name)) or Past()

    def found(self, name: int) -> None:
        """Begin a cluster anew: an id may come again long after its cluster was merged."""
        if name not in self._members:
            self._alias.pop(name, None)

    def join(self, ordinal: int, name: int) -> None:
        """Put an article into a cluster."""
        self._members.setdefault(self.resolve(name), set()).add(ordinal)

    def leave(self, ordinal: int, name: int) -> bool:
        """Take an article out; tells whether nobody is left."""
        current = self.resolve(name)
        members = self._members.get(current, set())
        members.discard(ordinal)
        if not members:
            self._members.pop(current, None)
        return not members

    def merge(self, merge: Merge) -> None:
        """Let one cluster go on in another."""
        survivor, lost = self.resolve(merge.survivor), self.resolve(merge.lost)
        self.merges.append(merge)
        if survivor == lost:
            return
        self._alias[lost] = survivor
        moved = self._members.pop(lost, None)
        if moved:
            self._members.setdefault(survivor, set()).update(moved)
        past = self._remembered(survivor)
        past.add(self._pasts.pop(lost, Past()))
        past.merges.append(merge)

    def split(self, split: Split) -> None:
        """Remember that a cluster came apart; its members move by themselves."""
        self.splits.append(split)
        for name in {self.resolve(split.kept), self.resolve(split.parted)}:
            self._remembered(name).splits.append(split)

    def killed(self, article_id: str, name: int) -> None:
        """Remember that an article was withdrawn from a cluster."""
        past = self._remembered(self.resolve(name))
        if article_id not in past.killed:
            past.killed.append(article_id)

    def left(self, ordinal: int, name: int) -> None:
        """Remember that an edition's correction is not in the cluster that the edition was in."""
        self._remembered(self.resolve(name)).left.append(ordinal)

    def forget(self, name: int) -> None:
        """Forget a cluster that nobody is in any more."""
        current = self.resolve(name)
        if current not in self._members:
            for merge in self._pasts.pop(current, Past()).merges:
                self._alias.pop(merge.lost, None)

    def _remembered(self, name: int) -> Past:
        return self._pasts.setdefault(name, Past())
