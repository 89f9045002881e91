"""Killed at any point and run again, a run ends as if nothing had happened."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.conftest import ROOT, SAMPLE

ARTICLES = 2000
KILLS = 25
BAD_LINES = (
    b'{"id": "x", "text": ""}',
    b"\xff\xfe",
    b'{"id": "d", "text": "t", "published_at": "soon"}',
    b"[1, 2",
)
FILES = ("out.jsonl", "events.jsonl", "dead.jsonl")


def write_stream(path: Path) -> tuple[list[str], int]:
    """Write a stream with bad lines among it; returns the ids in order and the number of bad lines.

    It is the sample over and over: each round some weeks later, with other names in it,
    so that every round has links and merges of its own.
    """
    sample: list[dict[str, Any]] = [orjson.loads(line) for line in SAMPLE.read_bytes().splitlines()]
    ids: list[str] = []
    lines: list[bytes] = []
    bad = 0
    for n in range(ARTICLES):
        turn, article = n // len(sample), sample[n % len(sample)]
        text = " ".join(
            word + ("aeiou"[turn % 5] + str(turn) if len(word) > 7 else "")
            for word in article["text"].split(" ")
        )
        record = article | {
            "id": f"{article['id']}-{turn}",
            "text": text,
            "published_at": f"{2000 + turn:04d}{article['published_at'][4:]}",
        }
        ids.append(record["id"])
        lines.append(orjson.dumps(record))
        if n % 37 == 0:
            lines.append(BAD_LINES[bad % len(BAD_LINES)])
            bad += 1
    path.write_bytes(b"\n".join(lines))
    return ids, bad


def command(folder: Path) -> subprocess.Popen[bytes]:
    """Start the run, in small batches."""
    outputs = [
        part
        for name, file in zip(("output", "events", "dead"), FILES, strict=True)
        for part in (f"--{name}", file)
    ]
    clean = {key: value for key, value in os.environ.items() if not key.upper().startswith("SAMEWIRE_")}
    small = {"SAMEWIRE_INPUT__BATCH_ARTICLES": "3", "SAMEWIRE_STATE__SEGMENT_BYTES": "65536"}
    return subprocess.Popen(
        [
            sys.executable,
            "-m",
            "workers.cli",
            "run",
            "--input",
            "../in.jsonl",
            *outputs,
            "--state",
            "state",
            "--quiet",
        ],
        cwd=folder,
        env=clean | small | {"PYTHONPATH": str(ROOT)},
        stderr=subprocess.PIPE,
    )


def finish(folder: Path) -> None:
    """Run to the end."""
    process = command(folder)
    _, messages = process.communicate(timeout=300)
    assert process.returncode == 0, messages.decode()


def clusters(folder: Path) -> bytes:
    """What `samewire clusters` prints."""
    return subprocess.run(
        [sys.executable, "-m", "workers.cli", "clusters", "--state", "state"],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        check=True,
        timeout=300,
    ).stdout


def size(folder: Path) -> int:
    """Bytes of output and journal so far; they grow in turns."""
    files = [folder / "out.jsonl", *(folder / "state").glob("journal-*")]
    return sum(file.stat().st_size for file in files if file.exists())


def ends_within(process: subprocess.Popen[bytes], seconds: float) -> bool:
    """Wait for the end of a process, but not longer."""
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        return False
    return True


def kill_after(process: subprocess.Popen[bytes], folder: Path, progress: int, moment: float) -> bool:
    """Kill the run some bytes and a moment later; False when it ended first."""
    goal = size(folder) + progress
    deadline = time.monotonic() + 300
    while size(folder) < goal and not ends_within(process, 0.001):
        assert time.monotonic() < deadline, "the run makes no progress"
    alive = not ends_within(process, moment)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    return alive


@pytest.mark.timeout(600)
def test_a_run_that_is_killed_again_and_again_ends_like_one_that_was_not(tmp_path: Path) -> None:
    ids, bad = write_stream(tmp_path / "in.jsonl")
    calm, killed = tmp_path / "calm", tmp_path / "killed"
    calm.mkdir()
    killed.mkdir()
    finish(calm)
    share = size(calm) // (KILLS + 4)

    chance = random.Random(20_260_310)
    kills = 0
    while kills < KILLS:
        # some die at once, some in the middle, and at any moment within a commit
        progress = chance.choice([0, 1, share // 2, share])
        if not kill_after(command(killed), killed, progress, chance.random() * 0.01):
            break
        kills += 1
    finish(killed)

    assert kills == KILLS
    answers = [orjson.loads(line) for line in (killed / "out.jsonl").read_bytes().splitlines()]
    assert [answer["article_id"] for answer in answers] == ids
    assert len((killed / "dead.jsonl").read_bytes().splitlines()) == bad
    for file in FILES:
        assert (killed / file).read_bytes() == (calm / file).read_bytes(), file
    assert clusters(killed) == clusters(calm)
    kinds = {orjson.loads(line)["event"] for line in (calm / "events.jsonl").read_bytes().splitlines()}
    assert kinds >= {"created", "closed"}
    assert sum(answer["relation"] != "new" for answer in answers) > 300
