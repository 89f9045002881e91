"""The embedded worker: sign and match in one process, files in and out, no server.

Its loop is the whole path of an article: read a batch of lines, parse, sketch, match,
write the answers and events, commit.
"""

from __future__ import annotations

import base64
import os
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import numpy as np
import orjson
import structlog

from config.settings import Settings, milliseconds
from pipeline.answers import Answer, answer_lines, event_lines
from pipeline.arrays import I64
from pipeline.article import LINE_ALLOWANCE, Article, Rejected, about, parse_line
from pipeline.engine import Engine
from pipeline.errors import OutputError
from pipeline.life import Notices
from pipeline.matcher import Matched, Matcher
from workers.journal import Journal
from workers.matched import count_matched, set_window, tally
from workers.metrics import Metrics
from workers.outputs import Output
from workers.sources import STDIN, Line, Position, Reader
from workers.stages import Stages
from workers.state import window_rules
from workers.version import samewire_version

log = structlog.get_logger()

DEAD_LETTER_SCHEMA = "samewire.dead/1"


@dataclass(slots=True)
class Summary:
    """What a run did."""

    read: int = 0
    published: int = 0
    dead: int = 0
    repeated: int = 0
    skipped: int = 0
    new_clusters: int = 0
    merges: int = 0
    splits: int = 0
    corrected: int = 0
    killed: int = 0
    conflicts: int = 0
    seconds: float = 0.0
    reasons: dict[str, int] = field(default_factory=dict)


class LocalWorker:
    """One run of the embedded worker over one input. Use as a context manager."""

    def __init__(
        self,
        engine: Engine,
        settings: Settings,
        *,
        source: str,
        output: str,
        events: str | None,
        dead: str | None,
        state: Path,
        follow: bool = False,
        metrics: Metrics | None = None,
        stopped: Callable[[], bool] = lambda: False,
        on_progress: Callable[[int, int], None] = lambda _bytes, _articles: None,
    ) -> None:
        self.engine = engine
        self.settings = settings
        self.metrics = metrics if metrics is not None else Metrics()
        self.summary = Summary()
        self._stopped = stopped
        self.on_progress = on_progress
        self._clock = _now_ms
        sync = settings.state.sync
        self._journal = Journal(state, settings.state.segment_bytes, sync)
        self.matcher = Matcher(engine.fingerprint, window_rules(settings, live=follow))
        self._positions: dict[str, Position] = {}
        committed: dict[str, int] = {}
        for change, extra in self._journal.restore(engine.fingerprint):
            self.matcher.apply(change)
            self._positions = {k: Position(*v) for k, v in extra["positions"].items()}
            committed = extra["lengths"]
        self._outputs = (
            Output(output, sync),
            Output(events, sync),
            Output(dead or str(state / "dead.jsonl"), sync),
        )
        files = [file.key for file in self._outputs if Path(file.key).is_file()]
        if len(set(files)) < len(files):
            raise OutputError(
                f"outputs {', '.join(files)}: give each of --output, --events and --dead its own file"
            )
        self._lengths = dict(committed)
        for file in self._outputs:
            file.resume(committed.get(file.key))
        self.reader = Reader(
            source,
            follow=follow,
            max_line_bytes=LINE_ALLOWANCE * settings.input.max_text_bytes,
            poll_seconds=settings.input.poll_interval.total_seconds(),
            positions=self._positions,
            stopped=stopped,
        )
        # Standard input has no position: what was answered before is recognised by its id.
        self._skip_repeated = settings.output.repeated == "skip" or source == STDIN
        if set(self._lengths) != {file.key for file in self._outputs if file.key}:
            self._commit(self.matcher.nothing(), ())
        self._measured_until = time.perf_counter()
        self.metrics.set(
            "build_info", 1, version=samewire_version(), engine=engine.fingerprint, command="run"
        )
        self.metrics.set("window_limit_articles", settings.window.max_articles)
        self.metrics.live("state_disk_free_bytes", lambda: _free_bytes(state))
        set_window(self.metrics, [self.matcher])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for file in self._outputs:
            file.close()
        self._journal.close()

    def run(self) -> Summary:
        """Process the input to its end, or until stopped."""
        started = self._measured_until = time.perf_counter()
        self.on_progress(0, 0)
        for batch in self._batches():
            self._process(batch)
            self.on_progress(self.reader.bytes_read, self.summary.read)
        if not self.reader.follow and not self._stopped():
            # What a live stream that goes on from this state may still link to stays.
            closing = self.matcher.close(milliseconds(self.settings.window.max_lateness))
            self._write(closing, [], [])
            self._commit(closing, ())
            none = np.empty(0, np.int64)
            count_matched(self.metrics, tally(closing, [], closing.events, none, none), self._clock())
            set_window(self.metrics, [self.matcher])
        self.summary.seconds = time.perf_counter() - started
        return self.summary

    def _batches(self) -> Iterator[list[Line]]:
        limits = self.settings.input
        batch: list[Line] = []
        size = 0
        for line in self.reader.lines():
            if line is not None:
                batch.append(line)
                size += len(line.content)
            if batch and (line is None or len(batch) >= limits.batch_articles or size >= limits.batch_bytes):
                yield batch
                batch, size = [], 0
            if self._stopped():
                break
        if batch:
            yield batch

    def _process(self, lines: Sequence[Line]) -> None:
        stages = Stages()
        self.metrics.count("stage_seconds", time.perf_counter() - self._measured_until, stage="read")
        now = self._clock()
        articles, dead, reasons = self._parse(lines)
        ahead = now + milliseconds(self.settings.window.max_clock_skew)
        clamped = 0
        times = []
        for article in articles:
            moment = article.published_ms if article.published_ms is not None else now
            if moment > ahead:
                moment = now
                clamped += 1
            times.append(moment)
        stages.mark("parse")
        sketches = self.engine.sketcher.sketch(articles)
        stages.mark("sketch")
        matched = self.matcher.match(
            [a.id for a in articles],
            times,
            sketches,
            [about(a, self.settings.state.keep_texts) for a in articles],
            Notices.of(articles, [now] * len(articles), self.settings.life.obey_advisories),
        )
        stages.mark("match")
        answers = matched.published(self._skip_repeated)
        self._write(matched, answers, dead)
        stages.mark("write")
        self._commit(matched, lines)
        stages.mark("commit")
        self._measure(matched, answers, np.array(times, np.int64), now)
        for reason, number in reasons.items():
            self.metrics.count("articles_dead", number, reason=reason)
        self.metrics.count("articles_read", len(lines))
        self.metrics.count("articles_signed", len(articles))
        self.metrics.count("articles_clamped", clamped)
        stages.report(self.metrics, len(lines))
        self._measured_until = time.perf_counter()
        self.summary.read += len(lines)
        self.summary.skipped += len(matched.answers) + len(matched.moved) - len(answers)

    def _measure(
        self, matched: Matched, answers: Sequence[Answer], published_ms: I64, arrived_ms: int
    ) -> None:
        arrived = np.full(len(published_ms), arrived_ms, np.int64)
        batch = tally(matched, answers, matched.events, published_ms, arrived)
        count_matched(self.metrics, batch, self._clock())
        set_window(self.metrics, [self.matcher])

    def _parse(self, lines: Sequence[Line]) -> tuple[list[Article], list[bytes], Counter[str]]:
        limit = self.settings.input.max_text_bytes
        articles: list[Article] = []
        dead: list[bytes] = []
        reasons: Counter[str] = Counter()
        for line in lines:
            try:
                if line.cut:
                    raise Rejected("too_large", f"the line has {line.end - line.offset} bytes")
                articles.append(parse_line(line.content, limit))
            except Rejected as rejected:
                dead.append(_dead_letter(line, rejected))
                reasons[rejected.reason] += 1
                self.summary.dead += 1
                self.summary.reasons[rejected.reason] = self.summary.reasons.get(rejected.reason, 0) + 1
        return articles, dead, reasons

    def _write(self, matched: Matched, answers: Sequence[Answer], dead: list[bytes]) -> None:
        output, events, letters = self._outputs
        engine = self.engine.fingerprint
        output.write(answer_lines(answers, engine))
        events.write(event_lines(matched.events, engine))
        letters.write(dead)
        self._count(matched, answers)

    def _commit(self, matched: Matched, lines: Sequence[Line]) -> None:
        for line in lines:
            self._positions[line.source] = Position(line.end, line.number)
        self._lengths |= {file.key: file.length for file in self._outputs if file.key}
        extra = {
            "positions": {key: [p.offset, p.lines] for key, p in self._positions.items() if key != STDIN},
            "lengths": self._lengths,
            "live": self.reader.follow,
        }
        self._journal.append(matched.change, extra, self.matcher.oldest_kept)

    def _count(self, matched: Matched, answers: Sequence[Answer]) -> None:
        self.summary.published += sum(not answer.moved for answer in answers)
        self.summary.repeated += matched.counters.repeated
        self.summary.corrected += matched.counters.corrected
        self.summary.killed += matched.counters.kills
        self.summary.conflicts += matched.counters.conflicts
        self.summary.splits += len(matched.change.split_by)
        self.summary.new_clusters += sum(e.event == "created" for e in matched.events)
        self.summary.merges += sum(e.event == "merged" for e in matched.events)


def _free_bytes(folder: Path) -> float:
    status = os.statvfs(folder)
    return status.f_bavail * status.f_frsize


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _dead_letter(line: Line, rejected: Rejected) -> bytes:
    """Return a dead letter: reason, position and the line's bytes in base64."""
    return orjson.dumps(
        {
            "reason": rejected.reason,
            "detail": rejected.detail,
            "source": line.source,
            "line": line.number,
            "offset": line.offset,
            "size_bytes": line.end - line.offset,
            "truncated": line.cut,
            "bytes": base64.b64encode(line.content).decode(),
            "schema": DEAD_LETTER_SCHEMA,
        }
    )
