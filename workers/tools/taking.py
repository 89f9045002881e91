"""Taking one changelog record into a catalogue: what entered, what left, what moved."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace

from pipeline.changelog import Change
from pipeline.verify import NEW, RELATIONS
from workers.tools.articles import Entry, Killed, Merge, Split
from workers.tools.clusters import Clusters
from workers.tools.desks import Desks
from workers.tools.lives import Lives
from workers.tools.records import entries_of, kills_of


@dataclass(frozen=True, slots=True)
class Taking:
    """One record on its way in, and what the catalogue keeps."""

    change: Change
    desk: int
    entries: dict[int, Entry]
    ordinals: dict[str, int]
    clusters: Clusters
    lives: Lives

    def enter(self, first: int) -> list[str]:
        """Add the articles, the first under the ordinal ``first``, and merge clusters; returns the texts."""
        change, clusters = self.change, self.clusters
        merges = defaultdict(list)
        for position, names in zip(change.merge_positions.tolist(), change.merge_names.tolist(), strict=True):
            merges[position].append(names)
        texts = []
        for position, (entry, text) in enumerate(entries_of(change, self.desk, first)):
            for survivor, lost in merges.get(position, ()):
                clusters.merge(Merge(survivor, lost, entry.id, entry.time_ms))
            if entry.relation == RELATIONS[NEW]:
                clusters.found(entry.published_in)
            earlier = self.ordinals.get(entry.id)
            if earlier is not None:
                self.lives.follow(entry.ordinal, earlier)
            self.entries[entry.ordinal] = entry
            self.ordinals[entry.id] = entry.ordinal
            clusters.join(entry.ordinal, entry.published_in)
            if earlier is not None or entry.embargo_ms is not None or entry.advisory:
                self.lives.touch(entry.id)
            texts.append(text)
        return texts

    def live(self, desks: Desks) -> None:
        """Let happen what the record says about articles, of this record or before it."""
        change, clusters = self.change, self.clusters
        for place, name in zip(change.renamed.tolist(), change.renamed_to.tolist(), strict=True):
            entry = self._known(desks, place)
            # articles of this very record came under their last name
            if entry is not None and entry.published_in != name:
                clusters.leave(entry.ordinal, entry.published_in)
                clusters.join(entry.ordinal, name)
                self._put(replace(entry, published_in=name))
        for (kept, parted), article_id in zip(change.split_names.tolist(), change.split_by, strict=True):
            clusters.split(Split(kept, parted, article_id))
        for place, (version, updated_ms) in zip(change.stamped.tolist(), change.stamps.tolist(), strict=True):
            entry = self._known(desks, place)
            if entry is not None:
                self._put(replace(entry, version=version, updated_ms=updated_ms))
        kills = {killed.article_id: (killed, ordinal) for killed, ordinal in kills_of(change)}
        self._withdraw(desks, kills)
        self._lead_on()
        for killed, _ in kills.values():
            self._kill(killed)

    def _known(self, desks: Desks, place: int) -> Entry | None:
        ordinal = desks.find(self.desk, place)
        return None if ordinal is None else self.entries[ordinal]

    def _put(self, entry: Entry) -> None:
        self.entries[entry.ordinal] = entry
        self.lives.touch(entry.id)

    def _withdraw(self, desks: Desks, kills: dict[str, tuple[Killed, int]]) -> None:
        """Take out what was replaced or killed."""
        came: defaultdict[str, list[int]] = defaultdict(list)
        if len(self.change.removed):
            for place, article_id in enumerate(self.change.ids, start=self.change.first):
                came[article_id].append(place)
        for place in self.change.removed.tolist():
            entry = self._known(desks, place)
            if entry is None:
                continue
            heir = next((later for later in came[entry.id] if later > place), None)
            killed, since = kills.get(entry.id, (None, 0))
            if killed is not None and killed.through < entry.version:
                killed = None
            # by the heir, unless the kill came between the two
            replaced = heir is not None and not (killed is not None and place < since <= heir)
            self._take_out(entry, replaced)
            later = None if heir is None else self._known(desks, heir)
            if replaced and later is not None and later.published_in != entry.published_in:
                self.clusters.left(entry.ordinal, entry.published_in)
            if killed is not None and not replaced:
                kills[entry.id] = replace(killed, entry=entry), since

    def _lead_on(self) -> None:
        """Let clusters that a correction left empty go on in the ones that it joined."""
        for (joined, emptied), article_id in zip(
            self.change.heir_names.tolist(), self.change.heir_by, strict=True
        ):
            newest = self.entries[self.ordinals[article_id]]
            self.clusters.merge(Merge(joined, emptied, article_id, newest.time_ms))

    def _kill(self, killed: Killed) -> None:
        """Remember a kill, and obey it where the matcher need not: in what has left its window."""
        newest = self.ordinals.get(killed.article_id)
        if newest is not None:
            for ordinal in (newest, *self.lives.before(newest)):
                entry = self.entries.get(ordinal)
                if entry is None or ordinal in self.lives or entry.version > killed.through:
                    continue
                self._take_out(entry, replaced=False)
                killed = replace(
                    killed, entry=entry, cluster=killed.cluster or self.clusters.resolve(entry.published_in)
                )
        killed = self.lives.remember(killed)
        self.lives.touch(killed.article_id)
        if killed.cluster:
            self.clusters.killed(killed.article_id, killed.cluster)

    def _take_out(self, entry: Entry, replaced: bool) -> None:
        self.lives.withdraw(entry.ordinal, replaced)
        self.clusters.leave(entry.ordinal, entry.published_in)
        self.lives.touch(entry.id)
