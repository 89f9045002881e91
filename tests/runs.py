"""An embedded run over some lines, for tests that need what it leaves."""

from collections.abc import Iterable
from pathlib import Path

from config.settings import Settings
from pipeline.engine import Engine
from pipeline.matcher import Matcher
from workers.local import LocalWorker


def cluster(engine: Engine, settings: Settings, lines: Iterable[bytes], folder: Path) -> Path:
    """Run over ``lines``; returns the state folder. The answers are in ``articles.jsonl`` beside it."""
    folder.mkdir(exist_ok=True)
    source = folder / "input.jsonl"
    source.write_bytes(b"\n".join(lines) + b"\n")
    with LocalWorker(
        engine,
        settings,
        source=str(source),
        output=str(folder / "articles.jsonl"),
        events=None,
        dead=None,
        state=folder / "state",
    ) as worker:
        worker.run()
    return folder / "state"


def partition(matcher: Matcher) -> set[frozenset[str]]:
    """The clusters as sets of ids."""
    return {frozenset(each.article_ids) for each in matcher.clusters()}
