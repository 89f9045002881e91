"""Speed and memory of the engine against a datasketch worker: `make bench`.

Both sides get the same real news as JSON lines and give back JSON lines, each in a process of
its own, in alternating rounds; what counts is the ratio. samewire does all of its
steps (parse, sketch, match, verify, cluster, answer, event, changelog record) with the
window already filled. Memory is what a process grows by until its window holds a million
articles. Writes ``benchmarks/results/engine.json``.
"""

from __future__ import annotations

import argparse
import gzip
import os
import platform
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from multiprocessing import get_context
from multiprocessing.pool import Pool
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from benchmarks.datasketch_worker import DatasketchWorker
from pipeline.answers import answer_lines, event_lines
from pipeline.article import parse_line
from pipeline.changelog import encode
from pipeline.dates import format_date
from pipeline.engine import Engine
from pipeline.matcher import Matcher, WindowRules
from pipeline.sketch import resketch
from workers.collector import calm_collector

ROOT = Path(__file__).resolve().parents[1]
NEWS = ROOT / "../shared/data"
RESULTS = ROOT / "benchmarks/results/engine.json"
SETS = ("background_us2018", "background_multinews", "reuters_stream", "onestop")
BATCH = 1024
FIRST_MS = 1_790_000_000_000


def lines_of(names: Sequence[str]) -> list[bytes]:
    """Return the articles of the sets, interleaved by a fixed shuffle, dated a minute apart."""
    records = []
    for name in names:
        path = NEWS / f"{name}.jsonl.gz"
        if not path.exists():
            sys.exit(f"{path} is not here: the bench needs the evaluation data")
        with gzip.open(path) as file:
            records += [orjson.loads(line) for line in file]
    order = np.random.default_rng(1).permutation(len(records))
    lines = []
    for n, at in enumerate(order.tolist()):
        article = {k: records[at].get(k) for k in ("id", "title", "text", "source", "lang")}
        lines.append(
            orjson.dumps({**article, "id": f"{n}", "published_at": format_date(FIRST_MS + 60_000 * n)})
        )
    return lines


class SamewireWorker:
    """Bytes in, bytes out, without the disk: as much as the competitor does, and the changelog."""

    def __init__(self) -> None:
        self.engine = Engine()
        self.matcher = Matcher(self.engine.fingerprint, WindowRules())
        self.candidates = self.checks = 0

    def process(self, lines: Sequence[bytes]) -> list[bytes]:
        """Return one JSON line an article and one an event."""
        articles = [parse_line(line) for line in lines]
        sketches = self.engine.sketcher.sketch(articles)
        matched = self.matcher.match(
            [a.id for a in articles], [a.published_ms or 0 for a in articles], sketches
        )
        self.candidates += matched.counters.candidates
        self.checks += matched.counters.checks
        encode(matched.change)
        engine = self.engine.fingerprint
        return answer_lines(matched.answers, engine) + event_lines(matched.events, engine)


Worker = SamewireWorker | DatasketchWorker
_worker: Worker


def _begin(kind: Callable[[], Worker]) -> None:
    global _worker
    _worker = kind()
    calm_collector()


def _fill(lines: Sequence[bytes]) -> None:
    for first in range(0, len(lines), BATCH):
        _worker.process(lines[first : first + BATCH])


def _seconds(lines: Sequence[bytes]) -> float:
    started = time.process_time()
    _fill(lines)
    return time.process_time() - started


def _looked_at() -> tuple[int, int, int]:
    assert isinstance(_worker, SamewireWorker)
    return len(_worker.matcher), _worker.candidates, _worker.checks


def start(kind: Callable[[], Worker]) -> Pool:
    """Start one side in a process of its own.

    In one process a full garbage collection, of the objects of both, fell on whichever side was at work:
    100 us an article in one of our rounds.
    """
    return get_context("spawn").Pool(1, _begin, (kind,))


def measure_speed(rounds: int, share: int) -> dict[str, Any]:
    """Time both workers on alternating pieces of the stream, after filling their windows."""
    lines = lines_of(SETS)
    filling, rest = lines[: len(lines) // 2], lines[len(lines) // 2 :]
    our_seconds, their_seconds, ratios = [], [], []
    piece = min(len(rest) // rounds, share)
    with start(SamewireWorker) as ours, start(DatasketchWorker) as theirs:
        ours.apply(_fill, (filling,))
        theirs.apply(_fill, (filling[: len(filling) // 4],))
        for turn in range(rounds):
            part = rest[turn * piece : (turn + 1) * piece]
            half = len(part) // 2
            # before and after the slower side, which takes long enough for the machine's speed to change
            our_time = ours.apply(_seconds, (part[:half],))
            their_time = theirs.apply(_seconds, (part,))
            our_time += ours.apply(_seconds, (part[half:],))
            our_seconds.append(our_time / len(part))
            their_seconds.append(their_time / len(part))
            ratios.append(their_time / our_time)
        window_articles, candidates, checks = ours.apply(_looked_at)
    mean_bytes = sum(map(len, rest)) / len(rest)
    return {
        "articles_per_second": round(1 / statistics.median(our_seconds)),
        "datasketch_articles_per_second": round(1 / statistics.median(their_seconds)),
        "ratio_vs_datasketch": round(statistics.median(ratios), 1),
        "ratio_range": [round(min(ratios), 1), round(max(ratios), 1)],
        "mean_input_bytes": round(mean_bytes),
        "window_articles": window_articles,
        "candidates_per_article": round(candidates / window_articles, 2),
        "checks_per_article": round(checks / window_articles, 3),
        "rounds": rounds,
    }


def resident_bytes() -> int:
    """Return this process's resident memory."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def measure_memory(articles: int) -> dict[str, Any]:
    """Fill a window with ``articles`` and return what it costs each.

    Real articles are used again and again, each time with a tenth of their words made
    different and half of the rest exchanged with another article's, so that they do not
    all fall into one cluster but are as long and as diverse as the real ones.
    """
    engine = Engine()
    originals = [parse_line(line) for line in lines_of(SETS)]
    tokens, ends = engine.sketcher.tokens(originals)
    pieces = np.split(tokens, ends[:-1])
    random = np.random.default_rng(5)
    matcher = Matcher(engine.fingerprint, WindowRules(max_articles=articles))
    matcher.match([], [], engine.sketcher.sketch([]))
    before = resident_bytes()
    started = time.perf_counter()
    made = 0
    while made < articles:
        batch = []
        for _ in range(min(4096, articles - made)):
            piece = pieces[random.integers(len(pieces))].copy()
            changed = random.random(len(piece)) < 0.5
            piece[changed] = (piece[changed] & 0xFF) | (
                random.integers(0, 1 << 24, changed.sum()) << 8
            ).astype(np.uint32)
            batch.append(piece)
        sketches = resketch(np.concatenate(batch), np.cumsum([len(p) for p in batch], dtype=np.int64))
        ids = [f"urn:newsml:example.org:{made + n:012d}" for n in range(len(batch))]
        matcher.match(ids, [FIRST_MS + 100 * (made + n) for n in range(len(batch))], sketches)
        made += len(batch)
        print(f"\r{made:,} articles, {resident_bytes() >> 20:,} MiB", end="", file=sys.stderr)
    print(file=sys.stderr)
    grown = resident_bytes() - before
    return {
        "bytes_per_article_1m": round(grown / len(matcher)),
        "memory_articles": len(matcher),
        "mean_tokens": round(float(np.mean([len(p) for p in pieces])), 1),
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10,
        "fill_seconds": round(time.perf_counter() - started, 1),
    }


def machine() -> dict[str, str]:
    """Return where the figures were taken."""
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    model = next(
        (
            line.split(":")[1].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if "model name" in line
        ),
        platform.processor(),
    )
    return {
        "commit": commit.stdout.strip() or "unknown",
        "processor": f"{model}, {os.cpu_count()} cores",
        "python": platform.python_version(),
        "numpy": np.__version__,
    }


def main() -> None:
    """Run the bench and write its results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--share", type=int, default=1500, help="most articles of a round")
    parser.add_argument("--memory-articles", type=int, default=1_000_000, help="0 leaves the memory part out")
    options = parser.parse_args()
    results = measure_speed(options.rounds, options.share) | machine()
    print(orjson.dumps(results, option=orjson.OPT_INDENT_2).decode())
    if options.memory_articles:
        with get_context("spawn").Pool(1) as pool:  # a fresh process, so that nothing else is counted
            results |= pool.apply(measure_memory, (options.memory_articles,))
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_bytes(orjson.dumps(results, option=orjson.OPT_INDENT_2) + b"\n")
    print(RESULTS.read_text())


if __name__ == "__main__":
    main()
