"""A new engine's state built beside the one that serves."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import orjson
import pytest

from config.settings import Settings
from pipeline.engine import Engine
from pipeline.errors import FingerprintError, OutputError, StateError
from pipeline.weights import build_table
from tests.conftest import SAMPLE
from tests.histories import stretch
from workers.journal import Journal, segment_files
from workers.local import LocalWorker
from workers.migrate.folder import FolderMigration, Migrated
from workers.state import load_matcher

SMALL = Settings().model_copy(update={"input": Settings().input.model_copy(update={"batch_articles": 10})})


def lines_of(path: Path) -> list[dict[str, Any]]:
    return [orjson.loads(line) for line in path.read_bytes().splitlines()]


def work(
    folder: Path,
    engine: Engine,
    source: Path,
    state: str = "old",
    follow: bool = False,
    settings: Settings = SMALL,
    stopped: Callable[[], bool] = lambda: False,
) -> LocalWorker:
    """A worker that writes `answers` and `events` in the folder."""
    return LocalWorker(
        engine,
        settings,
        source=str(source),
        output=str(folder / "answers"),
        events=str(folder / "events"),
        dead=None,
        state=folder / state,
        follow=follow,
        stopped=stopped,
    )


def run(*args: Any, **options: Any) -> None:
    with work(*args, **options) as worker:
        worker.run()


def migrate(folder: Path, engine: Engine, settings: Settings = SMALL, **options: Any) -> Migrated:
    """Bring the folder's state `new` to where `old` is."""
    with FolderMigration(folder / "old", folder / "new", engine, settings, **options) as migration:
        return migration.run()


@pytest.fixture(scope="session")
def other() -> Engine:
    """An engine for which the words of half of the sample say nothing."""
    words = {word.strip('.,"').lower() for line in SAMPLE.read_bytes().splitlines()[:60]
             for word in orjson.loads(line)["text"].split()}  # fmt: skip
    return Engine(build_table(dict.fromkeys(words, 0.05)))


@pytest.fixture
def served(tmp_path: Path, engine: Engine) -> Path:
    """A folder with the finished state of the sample, and its answers."""
    run(tmp_path, engine, SAMPLE)
    return tmp_path


def test_the_same_engine_answers_the_same_byte_for_byte(served: Path, engine: Engine) -> None:
    done = migrate(served, engine, output=str(served / "answers-2"), events=str(served / "events-2"))
    assert (served / "answers-2").read_bytes() == (served / "answers").read_bytes()
    assert (served / "events-2").read_bytes() == (served / "events").read_bytes()
    assert (done.articles, done.standing, done.compared.share_regrouped) == (106, 106, 0)
    assert done.compared.renamed == []


def test_another_engine_is_compared_with_the_one_that_serves(
    served: Path, engine: Engine, other: Engine
) -> None:
    done = migrate(served, other)
    assert (done.old_engine, done.engine) == (engine.fingerprint, other.fingerprint)
    found = done.compared.differences
    assert found.compared == 106
    assert found.split
    before = {a: c.name for c in load_matcher(served / "old").clusters() for a in c.article_ids}
    after = {a: c.name for c in load_matcher(served / "new").clusters() for a in c.article_ids}
    for a, b in done.compared.split_pairs.values():
        assert before[a] == before[b]
        assert after[a] != after[b]
    for a, b in done.compared.joined_pairs.values():
        assert before[a] != before[b]
        assert after[a] == after[b]
    partition = {a: frozenset(i for i, name in before.items() if name == before[a]) for a in before}
    again = {a: frozenset(i for i, name in after.items() if name == after[a]) for a in after}
    assert done.compared.regrouped == sum(partition[a] != again[a] for a in before)
    assert 0 < done.compared.share_regrouped < 1


def test_it_catches_up_with_a_worker_that_goes_on(tmp_path: Path, engine: Engine, other: Engine) -> None:
    lines = SAMPLE.read_bytes().splitlines(keepends=True)
    source = tmp_path / "in.jsonl"
    source.write_bytes(b"".join(lines[:40]))
    counts: list[int] = []

    def stopped() -> bool:
        """Called between two looks at the input: a migration, then more input."""
        if counts and counts[-1] == 106:
            return True
        answered = len((tmp_path / "answers").read_bytes().splitlines())
        if answered == 40 + 33 * len(counts):
            counts.append(migrate(tmp_path, other).standing)
            with source.open("ab") as file:
                file.writelines(lines[40 + 33 * (len(counts) - 1) :][:33])
        return False

    run(tmp_path, engine, source, follow=True, stopped=stopped)
    assert counts == [40, 73, 106]
    assert migrate(tmp_path, other).records == 0


def test_the_new_state_goes_on_where_the_old_one_stopped(
    tmp_path: Path, engine: Engine, other: Engine
) -> None:
    lines = SAMPLE.read_bytes().splitlines(keepends=True)
    source = tmp_path / "in.jsonl"
    source.write_bytes(b"".join(lines[:60]))
    run(tmp_path, engine, source)
    migrate(tmp_path, other)
    source.write_bytes(b"".join(lines))
    run(tmp_path, other, source, state="new")
    answers = lines_of(tmp_path / "answers")
    assert [a["article_id"] for a in answers] == [orjson.loads(line)["id"] for line in lines]
    assert [a["engine"] for a in answers] == [engine.fingerprint] * 60 + [other.fingerprint] * 46
    straight = tmp_path / "straight"
    straight.mkdir()
    run(straight, other, source)
    assert answers[60:] == lines_of(straight / "answers")[60:]
    with pytest.raises(StateError, match="works by itself"):
        migrate(tmp_path, other)
    # and back
    run(tmp_path, engine, source)
    answers = lines_of(tmp_path / "answers")
    assert [a["article_id"] for a in answers] == [orjson.loads(line)["id"] for line in lines]
    assert {a["engine"] for a in answers} == {engine.fingerprint}


def test_what_was_late_is_late_again(tmp_path: Path, engine: Engine) -> None:
    source = tmp_path / "in.jsonl"
    text = "A trawler sank off the Marlund coast on Tuesday; all nine of its crew were brought ashore by helicopter."
    records = [
        {"id": "a", "text": text, "published_at": "2026-03-05T08:00:00Z"},
        {"id": "b", "text": "Something else.", "published_at": "2026-03-10T08:00:00Z"},
        {"id": "c", "text": text, "published_at": "2026-03-06T08:00:00Z"},
    ]
    source.write_bytes(b"\n".join(map(orjson.dumps, records)) + b"\n")
    looks: list[int] = []
    run(tmp_path, engine, source, follow=True, stopped=lambda: looks.append(1) or len(looks) > 9)  # type: ignore[func-returns-value]
    assert [a.get("late") for a in lines_of(tmp_path / "answers")] == [None, None, True]
    done = migrate(tmp_path, engine, output=str(tmp_path / "again"))
    assert lines_of(tmp_path / "again") == lines_of(tmp_path / "answers")
    assert done.compared.regrouped == 0


class Interrupted(Exception):
    """Stands in for a kill."""


@pytest.mark.parametrize("after", [1, 4, 9])
def test_a_migration_that_was_interrupted_goes_on(served: Path, other: Engine, after: int) -> None:
    steps: Iterator[int] = iter(range(1, 1000))

    def interrupt(_bytes: int, _articles: int) -> None:
        if next(steps) == after:
            raise Interrupted

    with pytest.raises(Interrupted):
        migrate(served, other, on_progress=interrupt, output=str(served / "interrupted"))
    done = migrate(served, other, output=str(served / "interrupted"))
    assert done.articles < 106 or after < 2
    whole = served / "whole"
    whole.mkdir()
    (whole / "old").symlink_to(served / "old")
    migrate(whole, other, output=str(whole / "output"))
    assert (served / "interrupted").read_bytes() == (whole / "output").read_bytes()


def test_kills_and_corrections_are_carried_over(tmp_path: Path, engine: Engine) -> None:
    text = "A trawler sank off the Marlund coast on Tuesday; all nine of its crew were brought ashore by helicopter."
    other = "Parliament in Velm passed its first budget in three years after a night of talks over farm subsidies."
    records: Sequence[dict[str, Any]] = [
        {"id": "a", "text": text, "published_at": "2026-03-10T08:00:00Z"},
        {"id": "b", "text": text, "published_at": "2026-03-10T09:00:00Z"},
        {"id": "c", "text": other, "published_at": "2026-03-10T09:30:00Z"},
        {"id": "a", "text": other, "published_at": "2026-03-10T10:00:00Z", "version": 2},
        {"id": "b", "text": text, "published_at": "2026-03-10T09:00:00Z", "version": 3},
        {"id": "b", "kind": "kill", "version": 2},
        {"id": "c", "kind": "kill"},
    ]
    source = tmp_path / "in.jsonl"
    for size in (1, 2, 10):
        folder = tmp_path / str(size)
        folder.mkdir()
        source.write_bytes(b"\n".join(map(orjson.dumps, records)) + b"\n")
        settings = SMALL.model_copy(update={"input": SMALL.input.model_copy(update={"batch_articles": size})})
        run(folder, engine, source, settings=settings)
        migrate(folder, engine, settings)
        found = load_matcher(folder / "new")
        assert {i for c in found.clusters() for i in c.article_ids} == {"a", "b"}
        assert "c" in found.store.kills
        known = found.store.ordinals["b"]
        assert found.store.stamp(found.window.slot(known)).version == 3


def test_what_is_published_of_kills_and_splits_is_published_again(tmp_path: Path, engine: Engine) -> None:
    start, end, whole = stretch(0, 0, 2), stretch(0, 2, 5), stretch(0, 0, 5)
    day = "2026-03-10T08:00:00Z"
    records: Sequence[dict[str, Any]] = [
        {"id": "a", "text": start, "published_at": day},
        {"id": "b", "text": end, "published_at": day},
        {"id": "w", "text": whole, "published_at": day},
        {"id": "w", "kind": "kill", "reason": "wrong name", "published_at": "2026-03-10T09:00:00Z"},
    ]
    source = tmp_path / "in.jsonl"
    source.write_bytes(b"\n".join(map(orjson.dumps, records)) + b"\n")
    run(tmp_path, engine, source)
    published = lines_of(tmp_path / "answers")
    assert [(a["article_id"], a["relation"], a.get("moved")) for a in published][3:] == [
        ("w", "killed", None),
        ("b", "new", True),
    ]
    migrate(tmp_path, engine, output=str(tmp_path / "again"), events=str(tmp_path / "again-events"))
    assert lines_of(tmp_path / "again") == published
    assert lines_of(tmp_path / "again-events") == lines_of(tmp_path / "events")


# --- refusals


def test_without_texts_it_says_the_way_out(tmp_path: Path, engine: Engine, other: Engine) -> None:
    lean = SMALL.model_copy(update={"state": SMALL.state.model_copy(update={"keep_texts": False})})
    run(tmp_path, engine, SAMPLE, settings=lean)
    with pytest.raises(StateError, match="build the new state from the input"):
        migrate(tmp_path, other)


def test_states_that_cannot_be_built(served: Path, engine: Engine, other: Engine) -> None:
    with pytest.raises(StateError, match="from itself"):
        FolderMigration(served / "old", served / "old", other, SMALL)
    with pytest.raises(StateError, match="holds no samewire state"):
        FolderMigration(served / "nothing", served / "new", other, SMALL)
    assert not (served / "new").exists()
    run(served / "old", other, SAMPLE, state="mine")
    with pytest.raises(StateError, match="works by itself"):
        FolderMigration(served / "old", served / "old" / "mine", other, SMALL)
    migrate(served, other)
    with pytest.raises(FingerprintError):
        migrate(served, engine)
    with pytest.raises(StateError, match="begun from"):
        FolderMigration(served / "old" / "mine", served / "new", other, SMALL)
    with pytest.raises(OutputError, match="does not belong to this state"):
        migrate(served, other, output=str(served / "events"))


def test_an_empty_state_is_nothing_to_migrate(tmp_path: Path, engine: Engine) -> None:
    with Journal(tmp_path / "old", 1 << 20, sync=False) as journal:
        assert list(journal.restore(engine.fingerprint)) == []
    with pytest.raises(StateError, match="holds no samewire state"):
        migrate(tmp_path, engine)


def test_a_window_that_is_too_small_is_noticed(served: Path, other: Engine, monkeypatch: Any) -> None:
    tiny = SMALL.model_copy(update={"window": SMALL.window.model_copy(update={"max_articles": 50})})
    with pytest.raises(StateError, match=r"raise window\.max_articles"):
        migrate(served, other, tiny)


def test_damage_of_the_old_state_is_refused(served: Path, other: Engine) -> None:
    path = segment_files(served / "old")[0]
    content = path.read_bytes()
    path.write_bytes(content[:5000] + bytes([content[5000] ^ 1]) + content[5001:])
    with pytest.raises(StateError, match="checksum"):
        migrate(served, other)
