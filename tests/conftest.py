"""What all tests share: one engine, one broker, the sample stream, and the evaluation data where it is."""

import gzip
from collections.abc import Callable, Iterator
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any

import orjson
import pytest
import structlog

from pipeline.article import Article, parse_line
from pipeline.engine import Engine
from tests.kafka.fixtures import broker, deployed, fresh, live_broker

__all__ = ["broker", "deployed", "fresh", "live_broker"]

ROOT = Path(__file__).parents[1]
SAMPLE = ROOT / "tests" / "data" / "wire_sample.jsonl"
LABELS = ROOT / "tests" / "data" / "wire_sample_labels.json"
NEWS = ROOT / "../shared/data"

Record = dict[str, Any]
News = Callable[..., list[Record]]


@cache
def _news_records(name: str, limit: int | None) -> list[Record]:
    with gzip.open(NEWS / f"{name}.jsonl.gz", "rb") as lines:
        return [orjson.loads(line) for line in islice(lines, limit)]


@pytest.fixture(scope="session")
def news() -> News:
    """Read a set of the evaluation data: ``news("onestop", limit=100)``; skips where it is absent."""

    def read(name: str, limit: int | None = None) -> list[Record]:
        if not (NEWS / f"{name}.jsonl.gz").exists():
            pytest.skip("the evaluation data (../shared/data) is not here")
        return _news_records(name, limit)

    return read


@pytest.fixture(autouse=True)
def _no_logs_to_closed_files() -> Iterator[None]:
    """A command that a test ran has set up logs to that test's own standard error."""
    yield
    structlog.reset_defaults()


@pytest.fixture(scope="session")
def engine() -> Engine:
    """The engine at its defaults."""
    return Engine()


@pytest.fixture(scope="session")
def sample() -> list[Article]:
    """The articles of the sample stream, in order of arrival."""
    return [parse_line(line) for line in SAMPLE.read_bytes().splitlines()]


@pytest.fixture(scope="session")
def copies() -> dict[str, list[str]]:
    """Which articles of the sample stream are the same copy, by story."""
    labels: dict[str, dict[str, list[str]]] = orjson.loads(LABELS.read_bytes())
    return labels["copies"]
