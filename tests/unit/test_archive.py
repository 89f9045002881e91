"""An archive that was clustered at full speed, handed over to a live run."""

import random
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson

from config.settings import Settings
from pipeline.dates import parse_date
from pipeline.engine import Engine
from tests.conftest import SAMPLE
from workers.local import LocalWorker
from workers.state import load_matcher

QUICK = Settings().model_copy(
    update={"input": Settings().input.model_copy(update={"poll_interval": timedelta(milliseconds=1)})}
)


def run(
    folder: Path, engine: Engine, source: Path, output: str, follow: bool = False
) -> list[dict[str, Any]]:
    """Run to the end, or as long as there is something to follow; returns the output's lines."""
    looks: list[int] = []

    def stopped() -> bool:
        looks.append(1)
        return follow and len(looks) > 400

    with LocalWorker(
        engine,
        QUICK,
        source=str(source),
        output=str(folder / output),
        events=None,
        dead=None,
        state=folder / "state",
        follow=follow,
        stopped=stopped,
    ) as worker:
        worker.run()
    return [orjson.loads(line) for line in (folder / output).read_bytes().splitlines()]


def write(path: Path, lines: list[dict[str, Any]]) -> Path:
    path.write_bytes(b"".join(orjson.dumps(line) + b"\n" for line in lines))
    return path


def test_a_live_run_goes_on_from_an_archive_in_any_order(tmp_path: Path, engine: Engine) -> None:
    sample = sorted(
        map(orjson.loads, SAMPLE.read_bytes().splitlines()), key=lambda a: parse_date(a["published_at"])
    )
    archive, live = sample[:70], sample[50:]
    straight = tmp_path / "straight"
    straight.mkdir()
    expected = {a["article_id"]: a for a in run(straight, engine, write(straight / "in", sample), "out")}
    whole = {frozenset(c.article_ids) for c in load_matcher(straight / "state").clusters()}

    shuffled = random.Random(1).sample(archive, len(archive))
    run(tmp_path, engine, write(tmp_path / "archive.jsonl", shuffled), "archive.out")
    answers = run(tmp_path, engine, write(tmp_path / "live.jsonl", live), "live.out", follow=True)
    assert [a["article_id"] for a in answers] == [a["id"] for a in live]
    assert [a.get("repeated", False) for a in answers] == [True] * 20 + [False] * 36
    assert not any(a.get("late") for a in answers)
    assert {frozenset(c.article_ids) for c in load_matcher(tmp_path / "state").clusters()} == whole
    # a copy that comes live is told which archived article it is closest to
    found = [a for a in answers[20:] if a["matched_id"] in {b["id"] for b in archive}]
    assert found
    assert {a["relation"] for a in found} == {expected[a["article_id"]]["relation"] for a in found}
    # and once more: the live run goes on with its own files, and the archive's are not needed any more
    (tmp_path / "archive.out").unlink()
    assert run(tmp_path, engine, tmp_path / "live.jsonl", "live.out", follow=True) == answers


def test_the_end_of_an_archive_leaves_what_late_articles_may_link_to(tmp_path: Path, engine: Engine) -> None:
    """The window is 7 days, a late article may be 2 days behind: what is 8 days old must still be there."""
    text = "A trawler sank off the Marlund coast on Tuesday; all nine of its crew were brought ashore by helicopter."
    archive = [
        {"id": "old", "text": text, "published_at": "2026-03-02T08:00:00Z"},
        {"id": "newest", "text": "Something else.", "published_at": "2026-03-10T08:00:00Z"},
    ]
    late = [{"id": "late", "text": text, "published_at": "2026-03-09T07:00:00Z"}, archive[0]]
    run(tmp_path, engine, write(tmp_path / "archive.jsonl", archive), "archive.out")
    (answer, again) = run(tmp_path, engine, write(tmp_path / "live.jsonl", late), "live.out", follow=True)
    assert (answer["relation"], answer["matched_id"]) == ("exact", "old")
    assert again["repeated"]
