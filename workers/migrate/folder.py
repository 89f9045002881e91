"""A new engine for the embedded worker: a second state folder, built from the first while that one serves.

Each record of the old journal becomes one record of the new one, with the old one's input positions
and output lengths, so that a worker on the new state goes on exactly where the old one stood. The
record also says how far the old journal was read: a migration that is run again goes on from there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from config.settings import Settings
from pipeline.answers import answer_lines, event_lines
from pipeline.changelog import Change, decode
from pipeline.engine import Engine
from pipeline.errors import StateError
from pipeline.matcher import Matched, Matcher
from workers.journal import Journal, Place, read_committed
from workers.migrate.again import match_again
from workers.migrate.differences import Compared, Standing, compare_standing, standing
from workers.outputs import Output
from workers.state import READING, load_matcher, window_rules

Progress = Callable[[int, int], None]
_NAMED = 3


@dataclass(frozen=True, slots=True)
class Migrated:
    """What a migration did. ``articles`` and ``records``: how many it read now, not in earlier runs."""

    old_engine: str
    engine: str
    records: int
    articles: int
    standing: int
    compared: Compared

    def record(self) -> dict[str, Any]:
        """Return everything as JSON-ready values."""
        facts = {name: value for name, value in asdict(self).items() if name != "compared"}
        return facts | self.compared.record()


class FolderMigration:
    """Builds the state ``to`` from the state ``old``. Use as a context manager."""

    def __init__(
        self,
        old: Path,
        to: Path,
        engine: Engine,
        settings: Settings,
        *,
        output: str | None = None,
        events: str | None = None,
        on_progress: Progress = lambda _bytes, _articles: None,
    ) -> None:
        """Raises :class:`StateError` where ``to`` is no state that this migration began."""
        if old.resolve() == to.resolve():
            raise StateError(f"{old} cannot be built from itself; give the new state a folder of its own")
        self._from = old
        self._to = to
        self._engine = engine
        self._on_progress = on_progress
        self._settings = settings
        self._live_rules = window_rules(settings, live=True)
        self._old: Matcher | None = None
        self.new = Matcher(engine.fingerprint, window_rules(settings, live=False))
        # Looked at before the new folder is made: a mistyped name must leave nothing behind.
        next(read_committed(old), None)
        self._journal = Journal(to, settings.state.segment_bytes, settings.state.sync)
        self._done = Place()
        self._own: dict[str, int] = {}  # lengths of the outputs of this migration
        for change, extra in self._journal.restore(engine.fingerprint):
            self._live(extra)
            self.new.apply(change)
            self._done = self._place_of(extra)
            self._own = extra["migrated"]["lengths"]
        self._outputs = [Output(each, settings.state.sync) for each in (output, events)]
        for file in self._outputs:
            file.resume(self._own.get(file.key))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for file in self._outputs:
            file.close()
        self._journal.close()

    def run(self) -> Migrated:
        """Bring the new state to where the old one is, check it, and tell what differs.

        Raises :class:`StateError` when it cannot be built or a check fails; what was built stays, and
        running again goes on from there.
        """
        records = articles = read = 0
        for place, size, change, extra in self._changes():
            read += size
            if place > self._done:
                self._take(place, change, extra)
                records += 1
                articles += len(change.ids)
            self._on_progress(read, articles)
        if self._old is None:
            raise StateError(f"{self._from} holds no articles yet; there is nothing to migrate")
        before, after = standing([self._old]), standing([self.new])
        self._check(before, after)
        compared = compare_standing(before, after, str(self._from))
        return Migrated(
            self._old.fingerprint, self._engine.fingerprint, records, articles, len(after), compared
        )

    def _changes(self) -> Iterator[tuple[Place, int, Change, dict[str, Any]]]:
        """Yield the old state's records, folded into its matcher, until none is new at that moment."""
        place = Place()
        while True:
            found = False
            for place, record in read_committed(self._from, place):  # noqa: B020 - it goes on from there
                found = True
                change, extra = decode(record)
                if self._old is None:
                    self._old = Matcher(change.fingerprint, READING)
                opened = self._old.window.open
                self._old.apply(change)
                if not change.ids and change.opened > opened:
                    extra["closed"] = True
                yield place, len(record), change, extra
            if not found:
                return

    def _take(self, place: Place, change: Change, extra: Mapping[str, Any]) -> None:
        assert self._old is not None
        self._live(extra)
        if not change.empty:
            matched = match_again(change, self._old, self.new, self._engine.sketcher)
        elif extra.get("closed"):
            matched = self.new.close(self._live_rules.max_lateness_ms or 0)
        else:
            matched = self.new.nothing()
        self._commit(matched, place, extra)

    def _commit(self, matched: Matched, place: Place, extra: Mapping[str, Any]) -> None:
        answers, events = self._outputs
        fingerprint = self._engine.fingerprint
        answers.write(answer_lines(matched.published(), fingerprint))
        events.write(event_lines(matched.events, fingerprint))
        self._own |= {file.key: file.length for file in self._outputs if file.key}
        self._journal.append(
            matched.change,
            {
                "positions": extra["positions"],
                "lengths": extra["lengths"] | self._own,
                "live": extra.get("live", False),
                "migrated": {
                    "from": str(self._from.resolve()),
                    "place": [*place],
                    "lengths": self._own,
                },
            },
            self.new.oldest_kept,
        )

    def _live(self, extra: Mapping[str, Any]) -> None:
        """Judge lateness as the run did that wrote the record: not at all in a finite input."""
        rules = window_rules(self._settings, live=extra.get("live", False))
        if rules != self.new.rules:
            self.new.rules = rules

    def _place_of(self, extra: Mapping[str, Any]) -> Place:
        migrated = extra.get("migrated")
        if migrated is None:
            raise StateError(
                f"{self._to} is a state that works by itself; a migration builds a new one: choose another folder"
            )
        if migrated["from"] != str(self._from.resolve()):
            raise StateError(
                f"{self._to} was begun from {migrated['from']}; go on with that --state, or choose another folder"
            )
        return Place(*migrated["place"])

    def _check(self, before: Mapping[str, Standing], after: Mapping[str, Standing]) -> None:
        """Every article that stands must stand, and the folder must say what was built."""
        rules = self._live_rules
        oldest_ms = self.new.watermark_ms - rules.window_ms - (rules.max_lateness_ms or 0)
        missing = [i for i in sorted(before.keys() - after.keys()) if before[i].time_ms >= oldest_ms]
        if missing:
            named = ", ".join(missing[:_NAMED])
            raise StateError(
                f"{len(missing):,} articles that stand in {self._from} are missing in {self._to} ({named}); "
                f"if it is full, raise window.max_articles ({rules.max_articles:,}), remove it and migrate again"
            )
        if standing([load_matcher(self._to, self._engine.fingerprint)]) != after:
            raise StateError(
                f"{self._to} does not fold to the clusters that were built; remove it and migrate again"
            )
