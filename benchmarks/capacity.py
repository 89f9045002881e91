"""What an article costs in memory, CPU and topic bytes, and how the cost grows with the window.

``python -m benchmarks.capacity --articles 1000000`` prints JSON lines, which docs/capacity.md quotes.

Windows of millions of real articles are not at hand, so matching is measured on synthetic ones: the token
sequences of the sample stream with every word replaced by one that is drawn from a vocabulary of its weight (Zipf);
a share of them are copies of recent ones with some words changed. ``--real FILE.jsonl.gz`` runs the same
measurement on real news, to see whether the synthetic candidates an article are about right.
"""

from __future__ import annotations

import argparse
import gzip
import os
import platform
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson

from pipeline.article import about, parse_line
from pipeline.changelog import encode
from pipeline.engine import Engine
from pipeline.life import Notices
from pipeline.matcher import Matched, Matcher, WindowRules
from pipeline.signed import SignedArticles, encode_signed
from pipeline.sketch import Sketches, resketch
from pipeline.tokens import HASH_SHIFT, LEVEL_MASK, LEVEL_SHIFT, Tokens

SAMPLE = Path(__file__).parents[1] / "tests" / "data" / "wire_sample.jsonl"
BATCH = 1000
# A fifth of a wire-heavy stream are copies (of the sample, two thirds).
COPIES = 0.2
CHANGED = 0.1
# Different words by weight level: common words are few. With the Zipf exponent below this gives about as many
# candidates an article as real news does (docs/capacity.md has both).
VOCABULARY = (1, 3_000, 10_000, 30_000, 100_000, 400_000, 400_000, 400_000)
EXPONENT = 0.7


def resident_bytes() -> int:
    """Return the resident memory of this process."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


class Synthetic:
    """An endless stream of sketches."""

    def __init__(self, engine: Engine) -> None:
        articles = [parse_line(line) for line in SAMPLE.read_bytes().splitlines()]
        sketches = engine.sketcher.sketch(articles)
        self._templates = [sketches.tokens_of(n).copy() for n in range(len(articles))]
        self._random = np.random.default_rng(1)
        self._recent: list[Tokens] = []

    def batch(self, count: int) -> Sketches:
        """Return the sketches of ``count`` articles."""
        random = self._random
        parts = []
        for copied in random.random(count) < COPIES:
            if copied and self._recent:
                parts.append(self._replaced(self._recent[random.integers(len(self._recent))], CHANGED))
            else:
                parts.append(self._replaced(self._templates[random.integers(len(self._templates))], 1.0))
        self._recent = (self._recent + parts)[-5000:]
        return resketch(np.concatenate(parts), np.cumsum([len(part) for part in parts]))

    def _replaced(self, tokens: Tokens, share: float) -> Tokens:
        """Exchange a share of the distinct words for others of the same weight."""
        random = self._random
        words, first, where = np.unique(tokens >> HASH_SHIFT, return_index=True, return_inverse=True)
        level = (tokens[first] >> LEVEL_SHIFT) & LEVEL_MASK
        # Zipf with an exponent below one: the inverse of its distribution function
        rank = np.array(VOCABULARY)[level] * random.random(len(words)) ** (1 / (1 - EXPONENT))
        drawn = (rank.astype(np.uint64) * 16 + level + 1) * 0x9E3779B97F4A7C15 >> np.uint64(40)
        chosen = np.where(random.random(len(words)) < share, drawn.astype(np.uint32), words)
        replaced: Tokens = (chosen[where] << HASH_SHIFT | (tokens & ((1 << HASH_SHIFT) - 1))).astype(
            np.uint32
        )
        return replaced


def measured(matcher: Matcher, batches: Iterator[tuple[list[str], Sketches]]) -> dict[str, Any]:
    """Match batches; returns what they cost an article."""
    seconds = articles = changelog = 0.0
    totals = dict.fromkeys(("candidates", "checks", "links", "cut_buckets"), 0)
    for ids, sketches in batches:
        first = matcher.window.next
        times = (np.arange(first, first + len(ids)) * 100).tolist()
        began = time.process_time()
        matched: Matched = matcher.match(ids, times, sketches)
        seconds += time.process_time() - began
        articles += len(ids)
        for name in totals:
            totals[name] += getattr(matched.counters, name)
    changelog = len(encode(matched.change)) / len(ids)
    return {
        "match_us": round(seconds / articles * 1e6, 1),
        **{f"{name}_an_article": round(total / articles, 2) for name, total in totals.items()},
        "changelog_bytes_without_texts": round(changelog),
    }


def numbered(stream: Synthetic, articles: int, start: int) -> Iterator[tuple[list[str], Sketches]]:
    """Yield batches with ids of 36 characters, as a UUID has."""
    for first in range(start, start + articles, BATCH):
        yield [f"{n:036d}" for n in range(first, first + BATCH)], stream.batch(BATCH)


def grow(engine: Engine, most: int) -> None:
    """Fill a window and print the cost at sizes on the way; then slide it."""
    base = resident_bytes()
    rules = WindowRules(window_ms=1 << 50, max_lateness_ms=None, max_articles=most)
    matcher = Matcher(engine.fingerprint, rules)
    stream = Synthetic(engine)
    # at the very least 20 batches are measured before each size
    for size in (s for s in (30_000, 100_000, 300_000, 1_000_000, 3_000_000, 10_000_000) if s <= most):
        tail = max(20_000, size // 20)
        for ids, sketches in numbered(stream, size - tail - len(matcher), len(matcher)):
            times = (np.arange(matcher.window.next, matcher.window.next + len(ids)) * 100).tolist()
            matcher.match(ids, times, sketches)
        found = measured(matcher, numbered(stream, tail, len(matcher)))
        found["resident_bytes_an_article"] = round((resident_bytes() - base) / len(matcher))
        found["reserved_bytes_an_article"] = round(matcher.window.bytes_allocated / len(matcher))
        show({"bench": "window", "articles": len(matcher), "capacity": matcher.window.capacity, **found})
    found = measured(matcher, numbered(stream, max(20_000, most // 10), most))
    show({"bench": "sliding", "articles": len(matcher), **found})


def real(engine: Engine, file: Path) -> None:
    """The same on real articles, for comparison of the candidates."""
    with gzip.open(file) as lines:
        articles = [
            parse_line(orjson.dumps({"id": str(n), "text": orjson.loads(line)["text"]}))
            for n, line in enumerate(lines)
        ]
    matcher = Matcher(engine.fingerprint, WindowRules(window_ms=1 << 50, max_lateness_ms=None))
    batches = [articles[first : first + BATCH] for first in range(0, len(articles), BATCH)]
    sketched = [([a.id for a in batch], engine.sketcher.sketch(batch)) for batch in batches]
    measured(matcher, iter(sketched[:-2]))
    found = measured(matcher, iter(sketched[-2:]))
    show({"bench": "real", "articles": len(matcher), "file": file.name, **found})
    synthetic = Matcher(engine.fingerprint, WindowRules(window_ms=1 << 50, max_lateness_ms=None))
    stream = Synthetic(engine)
    whole = max(BATCH, len(articles) // BATCH * BATCH - 2 * BATCH)
    measured(synthetic, numbered(stream, whole, 0))
    show(
        {
            "bench": "synthetic beside it",
            "articles": whole,
            **measured(synthetic, numbered(stream, 2 * BATCH, whole)),
        }
    )


def sizes(engine: Engine) -> None:
    """CPU of signing, and bytes an article in each topic, on the sample stream."""
    lines = SAMPLE.read_bytes().splitlines()
    articles = [parse_line(line) for line in lines]
    engine.sketcher.signed(articles)
    spent: dict[str, float] = {"parse_us": 0.0, "sketch_us": 0.0, "encode_us": 0.0}
    rounds = 50
    for _ in range(rounds):
        marks = [time.process_time()]
        articles = [parse_line(line) for line in lines]
        marks.append(time.process_time())
        sketches, signatures = engine.sketcher.signed(articles)
        marks.append(time.process_time())
        described = [about(article, with_text=True) for article in articles]
        moments: npt.NDArray[np.int64] = np.array([a.published_ms or 0 for a in articles], np.int64)
        notices = Notices.of(articles, moments.tolist())
        signed = SignedArticles([a.id for a in articles], moments, sketches, signatures, described, notices)
        record = encode_signed(signed, engine.fingerprint)
        marks.append(time.process_time())
        for name, began, ended in zip(spent, marks, marks[1:], strict=False):
            spent[name] += (ended - began) / rounds / len(lines) * 1e6
    matcher = Matcher(engine.fingerprint, WindowRules(max_lateness_ms=None))
    matched = matcher.match(signed.ids, moments.tolist(), sketches, described)
    answers = [orjson.dumps(answer.record(engine.fingerprint)) for answer in matched.answers]
    events = [orjson.dumps(event.record(engine.fingerprint)) for event in (*matched.events, *matched.grown)]
    show(
        {
            "bench": "bytes and signing",
            **{name: round(value, 1) for name, value in spent.items()},
            "article_bytes": round(sum(map(len, lines)) / len(lines)),
            "signed_bytes": round(len(record) / len(lines)),
            "changelog_bytes": round(len(encode(matched.change)) / len(lines)),
            "clustered_bytes": round(sum(map(len, answers)) / len(lines)),
            "clusters_bytes": round(sum(map(len, events)) / len(lines)),
            "tokens": round(len(sketches.tokens) / len(lines)),
        }
    )


def show(result: dict[str, Any]) -> None:
    """Print a line."""
    print(orjson.dumps(result).decode(), flush=True)


def main() -> None:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--articles", type=int, default=300_000, help="largest window")
    parser.add_argument("--real", type=Path, help="real news as JSON Lines (gzip) with a field text")
    options = parser.parse_args()
    engine = Engine()
    show({"bench": "where", "python": platform.python_version(), "cores": os.cpu_count()})
    sizes(engine)
    if options.real:
        real(engine, options.real)
    grow(engine, options.articles)


if __name__ == "__main__":
    main()
