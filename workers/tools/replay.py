"""A stretch of a stream, clustered again into fresh files to compare settings."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from config.settings import Settings
from pipeline.engine import Engine
from pipeline.errors import OutputError
from pipeline.weights import TermTable
from workers.local import LocalWorker
from workers.tools.catalogue import Catalogue
from workers.tools.compare import Differences, compare_states
from workers.tools.feed import Progress
from workers.tools.stretch import Stretch

STRETCH = "stretch.jsonl"


@dataclass(frozen=True, slots=True)
class Comparison:
    """What became of a stretch, and what it is compared with."""

    stretch: Stretch
    before: Catalogue
    after: Catalogue
    differences: Differences

    @classmethod
    def of(cls, stretch: Stretch, before: Catalogue, after: Catalogue, name: str) -> Comparison:
        """Compare two states over the articles in both; ``name``: what to call the one before."""
        return cls(stretch, before, after, compare_states(before, after, name))

    def record(self) -> dict[str, Any]:
        """Return everything as JSON-ready values."""
        return {
            "stretch": asdict(self.stretch),
            "engine": ", ".join(sorted(self.after.engines)),
            "other_engine": ", ".join(sorted(self.before.engines)),
            "articles": len(self.after),
            "clusters": self.after.cluster_count,
            "differences": self.differences.record(),
        }


def fresh_folder(folder: Path) -> None:
    """Make the folder for a replay; raises :class:`OutputError` when something is in it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        taken = next(folder.iterdir(), None)
    except OSError as error:
        raise OutputError(f"{folder}: {error.strerror}; choose a folder that can be written") from error
    if taken is not None:
        raise OutputError(
            f"{folder} is not empty ({taken.name}); a replay writes fresh files: choose another folder, or remove it"
        )


def process(stretch: Path, folder: Path, settings: Settings, on_progress: Progress) -> None:
    """Cluster a stretch into ``folder``: articles.jsonl, events.jsonl, state."""
    terms = settings.engine.terms
    engine = Engine(TermTable.load(terms) if terms is not None else None)
    total_bytes = stretch.stat().st_size
    with LocalWorker(
        engine,
        settings,
        source=str(stretch),
        output=str(folder / "articles.jsonl"),
        events=str(folder / "events.jsonl"),
        dead=None,
        state=folder / "state",
        on_progress=lambda read_bytes, _articles: on_progress(read_bytes, total_bytes),
    ) as worker:
        worker.run()
