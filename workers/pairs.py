"""Scoring of article pairs, for `samewire score-pairs`."""

from __future__ import annotations

import sys
from pathlib import Path

import orjson

from config.settings import Settings
from pipeline.article import Rejected, article_from
from pipeline.engine import Engine
from pipeline.errors import InputError, OutputError
from pipeline.verify import RELATIONS
from pipeline.weights import TermTable
from workers.sources import STDIN, Reader


def score_file(file: str, output: str, settings: Settings) -> None:
    """Score each line of ``file`` into ``output``; both may be ``-``.

    A line that holds no pair comes back with ``error`` instead of a score.
    """
    terms = settings.engine.terms
    engine = Engine(TermTable.load(terms) if terms is not None else None)
    reader = Reader(file, follow=False, max_line_bytes=16 * settings.input.max_text_bytes, poll_seconds=1.0)
    if file != STDIN and Path(file).is_dir():
        raise InputError(f"{file} is a folder; give a file of pairs")
    try:
        target = sys.stdout.buffer if output == "-" else Path(output).open("wb")  # noqa: SIM115
    except OSError as error:
        raise OutputError(f"output {output}: {error.strerror}; choose a place that can be written") from error
    try:
        for line in reader.lines():
            if line is not None:
                target.write(_scored(engine, line.content, settings.input.max_text_bytes) + b"\n")
    finally:
        target.flush()
        if output != "-":
            target.close()


def _scored(engine: Engine, line: bytes, max_text_bytes: int) -> bytes:
    try:
        record = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        return orjson.dumps({"error": f"malformed: {error}"})
    if not isinstance(record, dict) or "a" not in record or "b" not in record:
        return orjson.dumps({"error": 'malformed: expected {"a": article, "b": article}'})
    try:
        left = article_from(record["a"], max_text_bytes)
        right = article_from(record["b"], max_text_bytes)
    except Rejected as rejected:
        return orjson.dumps({**record, "error": str(rejected)})
    comparison, candidate, _ = engine.score_pair(left, right)
    return orjson.dumps(
        {
            **record,
            "score": comparison.score / 10_000,
            "linked": comparison.linked,
            "relation": RELATIONS[comparison.relation] if comparison.linked else None,
            "candidate": candidate,
        }
    )
