"""What a longer window costs: CPU, candidates and memory an article, and the time of a restore.

``python -m benchmarks.window`` fills windows from six hours to thirty days with a stream of fixed rate, lets each
slide, and measures its last articles. It writes JSON lines to ``benchmarks/results/window.jsonl``, which
docs/windows.md quotes.

A month of real news is not at hand, so real articles come again and again, each time with most of their words
exchanged for words of the same weight from other articles: as long and as diverse as the real ones, with the words
as frequent, but no copies. A fifth are then copies of articles of the last hours with some words changed. The first
line compares the candidates that real articles have with those of as many varied ones.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from multiprocessing import get_context
from typing import Any

import numpy as np
import orjson

from benchmarks.engine import ROOT, SETS, lines_of, machine, resident_bytes
from pipeline.article import parse_line
from pipeline.changelog import MAGIC, decode, encode
from pipeline.columns import PREFIX_BYTES, record_length
from pipeline.engine import Engine
from pipeline.matcher import Matcher, WindowRules
from pipeline.sketch import Sketches, resketch
from pipeline.tokens import HASH_SHIFT, LEVEL_MASK, LEVEL_SHIFT, Tokens

RESULTS = ROOT / "benchmarks/results/window.jsonl"
HOUR_MS = 3_600_000
WINDOWS_HOURS = (6, 24, 72, 168, 336, 720)
LATENESS_HOURS = 6
BATCH = 500
MEASURED = 10_000
# From 0.5 to 0.7 the candidates are the same; the more, the fewer come from an article's own earlier visits.
CHANGED = 0.7
COPIES = 0.2
CHANGED_IN_COPIES = 0.1
FIRST_MS = 1_790_000_000_000


class Stream:
    """An endless stream of sketches, made of real articles."""

    def __init__(self, engine: Engine) -> None:
        articles = [parse_line(line) for line in lines_of(SETS)]
        tokens, ends = engine.sketcher.tokens(articles)
        self.real = [piece for piece in np.split(tokens, ends[:-1]) if len(piece)]
        level = (tokens >> LEVEL_SHIFT) & LEVEL_MASK
        # Drawn from occurrences, so that a word comes as often as in the real articles.
        self._words = (tokens >> HASH_SHIFT)[np.argsort(level, kind="stable")]
        self._words_of = np.bincount(level, minlength=LEVEL_MASK + 1)
        self._words_before = np.cumsum(self._words_of) - self._words_of
        self._random = np.random.default_rng(7)
        self._recent: list[Tokens] = []

    def batch(self, count: int, copies: float = COPIES) -> Sketches:
        """Return the sketches of ``count`` articles."""
        random = self._random
        parts = []
        for copied in random.random(count) < copies:
            if copied and self._recent:
                parts.append(
                    self._varied(self._recent[random.integers(len(self._recent))], CHANGED_IN_COPIES)
                )
            else:
                parts.append(self._varied(self.real[random.integers(len(self.real))], CHANGED))
        self._recent = (self._recent + parts)[-5000:]
        return sketches_of(parts)

    def varied_once(self) -> list[Tokens]:
        """Return every real article once, varied."""
        return [self._varied(piece, CHANGED) for piece in self.real]

    def _varied(self, tokens: Tokens, share: float) -> Tokens:
        """Exchange a share of the distinct words."""
        words, first, where = np.unique(tokens >> HASH_SHIFT, return_index=True, return_inverse=True)
        level = (tokens[first] >> LEVEL_SHIFT) & LEVEL_MASK
        at = self._words_before[level] + (self._random.random(len(words)) * self._words_of[level]).astype(
            np.int64
        )
        chosen = np.where(self._random.random(len(words)) < share, self._words[at], words)
        varied: Tokens = (chosen[where] << HASH_SHIFT | (tokens & ((1 << HASH_SHIFT) - 1))).astype(np.uint32)
        return varied


def sketches_of(parts: list[Tokens]) -> Sketches:
    """Return the sketches of articles given by their tokens."""
    return resketch(np.concatenate(parts), np.cumsum([len(part) for part in parts], dtype=np.int64))


def measure(hours: int, articles_a_day: int) -> dict[str, Any]:
    """Fill a window, let it slide, and measure its last articles."""
    engine = Engine()
    stream = Stream(engine)
    step_ms = 24 * HOUR_MS // articles_a_day
    rules = WindowRules(hours * HOUR_MS, LATENESS_HOURS * HOUR_MS, max_articles=1 << 28)
    in_window = (hours + LATENESS_HOURS) * HOUR_MS // step_ms
    total = in_window + in_window // 10 + MEASURED
    # Loads the kernels, which would count as the window's memory otherwise.
    Matcher(engine.fingerprint, rules).match([str(n) for n in range(BATCH)], [0] * BATCH, stream.batch(BATCH))
    matcher = Matcher(engine.fingerprint, rules)
    before = resident_bytes()
    seconds = gained = 0.0
    counted = dict.fromkeys(("candidates", "checks", "links", "cut_buckets"), 0)
    filling: list[dict[str, int]] = []
    with tempfile.TemporaryFile() as log:
        made = 0
        while made < total:
            ids = [f"urn:newsml:example.org:{made + n:012d}" for n in range(BATCH)]
            times = FIRST_MS + step_ms * np.arange(made, made + BATCH)
            sketches = stream.batch(BATCH)
            began = time.process_time()
            matched = matcher.match(ids, times, sketches)
            spent = time.process_time() - began
            log.write(encode(matched.change))
            made += BATCH
            if made > total - MEASURED:
                seconds += spent
                gained += BATCH
                for name in counted:
                    counted[name] += getattr(matched.counters, name)
            elif made % (in_window // 4 // BATCH * BATCH or BATCH) == 0 and len(filling) < 4:
                filling.append({"articles": len(matcher), "bytes": resident_bytes() - before})
        grown = resident_bytes() - before
        kept, capacity = len(matcher), matcher.window.capacity
        reserved = matcher.window.bytes_allocated
        open_articles = matcher.window.next - matcher.window.open
        del matcher, matched
        log_bytes = log.tell()
        restored, restore_seconds = restore(log.fileno(), engine, rules)
    return {
        "bench": "window",
        "window_hours": hours,
        "articles_a_day": articles_a_day,
        "lateness_hours": LATENESS_HOURS,
        "articles_open": open_articles,
        "articles_kept": kept,
        "capacity": capacity,
        "match_us": round(seconds / gained * 1e6, 1),
        **{f"{name}_an_article": round(number / gained, 3) for name, number in counted.items()},
        "resident_bytes": grown,
        "resident_bytes_an_article": round(grown / open_articles),
        "reserved_bytes": reserved,
        "filling": filling,
        "changelog_bytes_an_article": round(log_bytes / made),
        "restore_us_an_article": round(restore_seconds / restored * 1e6, 1),
        "restore_seconds_of_the_window": round(restore_seconds / restored * open_articles, 1),
    }


def restore(log: int, engine: Engine, rules: WindowRules) -> tuple[int, float]:
    """Fold a log of changes; returns how many articles it had and the CPU time (s)."""
    matcher = Matcher(engine.fingerprint, rules)
    articles = 0
    began = time.process_time()
    for record in _records(log):
        change, _ = decode(record, with_about=False)
        matcher.apply(change)
        articles += len(change.ids)
    return articles, time.process_time() - began


def _records(log: int) -> Iterator[bytes]:
    offset = 0
    while prefix := os.pread(log, PREFIX_BYTES, offset):
        length = record_length(MAGIC, prefix)
        assert length is not None
        yield os.pread(log, length, offset)
        offset += length


def compare_with_real(_articles_a_day: int) -> dict[str, Any]:
    """Match every real article once, and as many varied ones: do they have as many candidates?"""
    engine = Engine()
    stream = Stream(engine)
    found: dict[str, Any] = {"bench": "real and varied", "articles": len(stream.real), "changed": CHANGED}
    for name, pieces in (("real", stream.real), ("varied", stream.varied_once())):
        matcher = Matcher(engine.fingerprint, WindowRules(1 << 50, None))
        candidates = checks = 0
        for first in range(0, len(pieces), BATCH):
            part = pieces[first : first + BATCH]
            ids = [str(first + n) for n in range(len(part))]
            counters = matcher.match(ids, [FIRST_MS] * len(part), sketches_of(part)).counters
            if first >= len(pieces) // 2:
                candidates += counters.candidates
                checks += counters.checks
        measured = len(pieces) - (len(pieces) // 2 + BATCH - 1) // BATCH * BATCH
        found |= {
            f"{name}_candidates_an_article": round(candidates / measured, 2),
            f"{name}_checks_an_article": round(checks / measured, 3),
        }
    return found


def main() -> None:
    """Run each part in a process of its own, so that its memory is its own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--articles-a-day", type=int, default=20_000)
    parser.add_argument("--hours", type=int, nargs="*", default=WINDOWS_HOURS, help="lengths of the windows")
    options = parser.parse_args()
    where = machine() | {"at": datetime.now(UTC).isoformat(timespec="seconds")}
    jobs: list[tuple[Any, tuple[int, ...]]] = [(compare_with_real, (options.articles_a_day,))]
    jobs += [(measure, (hours, options.articles_a_day)) for hours in options.hours]
    RESULTS.unlink(missing_ok=True)
    for job, arguments in jobs:
        load = os.getloadavg()[0]
        with get_context("spawn").Pool(1) as pool:
            result = pool.apply(job, arguments)
        # CPU times are process times; with other work on the machine they are still somewhat too high.
        line = orjson.dumps({**result, "load_before": round(load, 1), **where})
        print(line.decode(), flush=True)
        with RESULTS.open("ab") as file:
            file.write(line + b"\n")


if __name__ == "__main__":
    main()
