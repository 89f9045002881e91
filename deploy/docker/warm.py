"""Compiles every kernel once, so that an image starts without a compiler: ``python warm.py SAMPLE FOLDER``.

The embedded run compiles parsing to clustering, its restart the folding of a state, and signing one batch the
full signatures. ``NUMBA_CACHE_DIR`` says where the machine code goes, ``NUMBA_CPU_NAME`` and
``NUMBA_CPU_FEATURES`` for which processors it is made.
"""

import sys
from pathlib import Path

from config.settings import load_settings
from pipeline.article import parse_line
from pipeline.engine import Engine
from pipeline.kernels import COMPILED
from workers.local import LocalWorker


def warm(sample: Path, folder: Path) -> None:
    """Run the sample through every path that has kernels."""
    assert COMPILED, "numba is missing from the image"
    engine = Engine()
    for part in ("half", "whole"):
        lines = sample.read_bytes().splitlines(keepends=True)
        source = folder / "news.jsonl"
        source.write_bytes(b"".join(lines[: len(lines) // 2] if part == "half" else lines))
        with LocalWorker(
            engine,
            load_settings(),
            source=str(source),
            output=str(folder / "answers.jsonl"),
            events=None,
            dead=None,
            state=folder / "state",
        ) as worker:
            worker.run()
    engine.sketcher.signed([parse_line(line) for line in lines])


if __name__ == "__main__":
    warm(Path(sys.argv[1]), Path(sys.argv[2]))
