"""The journal gives back what was committed, and refuses what was damaged."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.article import Article
from pipeline.changelog import Change
from pipeline.engine import Engine
from pipeline.errors import FingerprintError, StateError
from pipeline.matcher import Matcher, WindowRules
from workers.journal import Journal, read_state, segment_files
from workers.state import load_matcher

BIG = 1 << 30


class Desk:
    """A matcher with its journal in a folder."""

    def __init__(self, folder: Path, engine: Engine, segment_bytes: int = BIG, keep: int = 1 << 20) -> None:
        self.engine = engine
        self.journal = Journal(folder, segment_bytes, sync=False)
        self.matcher = Matcher(engine.fingerprint, WindowRules(max_lateness_ms=None, max_articles=keep))
        self.extras: list[dict[str, Any]] = []
        try:
            for change, extra in self.journal.restore(engine.fingerprint):
                self.matcher.apply(change)
                self.extras.append(extra)
        except BaseException:
            self.journal.close()
            raise

    def commit(self, *numbers: int) -> Change:
        """Match and commit a batch of articles of these numbers."""
        articles = [Article(f"a{n}", " ".join(f"w{n // 2}x{k}" for k in range(40))) for n in numbers]
        matched = self.matcher.match(
            [a.id for a in articles], list(numbers), self.engine.sketcher.sketch(articles)
        )
        self.journal.append(matched.change, {"n": list(numbers)}, self.matcher.window.first)
        return matched.change

    def ids(self) -> list[str]:
        """The articles in the window, in order of arrival."""
        return [i for change, _ in read_state(self.journal._folder) for i in change.ids]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the state goes."""
    return tmp_path / "state"


@pytest.fixture
def written(folder: Path, engine: Engine) -> Path:
    """A state of ten batches in one segment; returns the segment."""
    desk = Desk(folder, engine)
    for n in range(10):
        desk.commit(2 * n, 2 * n + 1)
    desk.journal.close()
    return segment_files(folder)[-1]


def test_what_was_committed_is_restored(folder: Path, engine: Engine) -> None:
    first = Desk(folder, engine)
    first.commit(0, 1, 2)
    first.commit(3)
    first.journal.append(first.matcher.nothing().change, {"end": True}, 1)
    clusters = list(first.matcher.clusters())
    first.journal.close()
    again = Desk(folder, engine)
    assert [extra.get("n") for extra in again.extras] == [[0, 1, 2], [3], None]
    assert again.extras[-1]["end"] is True
    assert list(again.matcher.clusters()) == clusters
    again.commit(4)
    again.journal.close()
    assert Desk(folder, engine).ids() == [f"a{n}" for n in range(5)]


def test_a_new_folder_has_no_state(folder: Path, engine: Engine) -> None:
    assert Desk(folder, engine).extras == []
    with pytest.raises(StateError, match="holds no samewire state"):
        list(read_state(folder.parent / "other"))


def test_a_record_that_was_being_written_is_dropped(written: Path, folder: Path, engine: Engine) -> None:
    desk = Desk(folder, engine)
    committed = written.stat().st_size
    mark = (folder / "mark").read_bytes()
    desk.commit(98, 99)
    desk.journal.close()
    whole = written.read_bytes()
    for length in range(committed, len(whole), 97):
        written.write_bytes(whole[:length])
        (folder / "mark").write_bytes(mark)  # it is written after the record
        torn = Desk(folder, engine)
        assert len(torn.extras) == 10
        assert written.stat().st_size == committed
        torn.journal.close()
    written.write_bytes(whole)  # complete, but for the mark
    (folder / "mark").write_bytes(mark)
    whole_again = Desk(folder, engine)
    assert len(whole_again.extras) == 11
    whole_again.journal.close()


def test_zeros_at_the_end_are_dropped(written: Path, folder: Path, engine: Engine) -> None:
    size = written.stat().st_size
    with written.open("ab") as file:
        file.write(bytes(5000))
    assert len(Desk(folder, engine).extras) == 10
    assert written.stat().st_size == size


def test_a_flipped_byte_anywhere_is_refused(written: Path, folder: Path, engine: Engine) -> None:
    whole = written.read_bytes()
    for at in [*range(40), *range(40, len(whole), 211), len(whole) - 1]:
        written.write_bytes(whole[:at] + bytes([whole[at] ^ 0x10]) + whole[at + 1 :])
        with pytest.raises(StateError, match=r"restore|use the samewire"):
            Desk(folder, engine)
    written.write_bytes(whole)
    assert len(Desk(folder, engine).extras) == 10


@pytest.mark.parametrize("lost", [1, 50, 3000])
def test_a_file_shorter_than_its_mark_is_refused(
    written: Path, folder: Path, engine: Engine, lost: int
) -> None:
    written.write_bytes(written.read_bytes()[:-lost])
    with pytest.raises(StateError, match="shorter than what was committed"):
        Desk(folder, engine)


@pytest.mark.parametrize("content", [b"x", b"SWMK" + b"\xff" * 20, bytes(24)])
def test_a_damaged_mark_is_refused(written: Path, folder: Path, engine: Engine, content: bytes) -> None:
    (folder / "mark").write_bytes(content)
    with pytest.raises(StateError, match="mark"):
        Desk(folder, engine)


def test_the_only_segment_must_not_be_missing(written: Path, folder: Path, engine: Engine) -> None:
    written.unlink()
    with pytest.raises(StateError, match="lost journal files"):
        Desk(folder, engine)


def test_the_state_of_another_engine_is_refused(written: Path, folder: Path, engine: Engine) -> None:
    journal = Journal(folder, BIG, sync=False)
    with pytest.raises(FingerprintError, match="start a new state"):
        list(journal.restore("sw0-other"))


def test_a_second_writer_is_refused_and_a_reader_is_not(folder: Path, engine: Engine) -> None:
    desk = Desk(folder, engine)
    desk.commit(0, 1)
    with pytest.raises(StateError, match="in use by another samewire"):
        Journal(folder, BIG, sync=False)
    assert [c.article_ids for c in load_matcher(folder).clusters()] == [["a0", "a1"]]
    desk.journal.close()
    Journal(folder, BIG, sync=False).close()


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StateError, match=r"state folder .*file.*can be written"):
        Journal(tmp_path / "file" / "state", BIG, sync=False)


def segmented(folder: Path, engine: Engine, keep: int = 1 << 20) -> Desk:
    """A state of 30 batches over many segments."""
    desk = Desk(folder, engine, segment_bytes=4000, keep=keep)
    for n in range(30):
        desk.commit(*range(10 * n, 10 * n + 10))
    return desk


def test_segments_are_begun_at_their_size_and_all_are_read(folder: Path, engine: Engine) -> None:
    desk = segmented(folder, engine)
    clusters = list(desk.matcher.clusters())
    desk.journal.close()
    assert len(segment_files(folder)) > 5
    again = Desk(folder, engine, segment_bytes=4000)
    assert list(again.matcher.clusters()) == clusters
    assert len(again.ids()) == 300


def test_segments_of_articles_that_left_the_window_are_deleted(folder: Path, engine: Engine) -> None:
    desk = segmented(folder, engine, keep=40)
    files = segment_files(folder)
    assert len(files) < 10
    assert [i for i in desk.ids() if i in desk.matcher] == [f"a{n}" for n in range(260, 300)]
    desk.journal.close()
    again = Desk(folder, engine, segment_bytes=4000, keep=40)
    assert [c.article_ids for c in again.matcher.clusters()][-20:] == [
        c.article_ids for c in desk.matcher.clusters()
    ][-20:]
    again.commit(300, 301)
    assert "a301" in again.matcher


@pytest.mark.parametrize("which", [0, 1, -2, -1])
def test_a_missing_segment_is_refused(folder: Path, engine: Engine, which: int) -> None:
    segmented(folder, engine).journal.close()
    [path for path in segment_files(folder) if path.stat().st_size][which].unlink()
    with pytest.raises(StateError, match=r"lost|gap|missing"):
        Desk(folder, engine, segment_bytes=4000)


def test_a_torn_record_is_dropped_from_the_newest_segment_only(folder: Path, engine: Engine) -> None:
    segmented(folder, engine).journal.close()
    older = segment_files(folder)[2]
    older.write_bytes(older.read_bytes()[:-10])
    with pytest.raises(StateError, match="cut short"):
        Desk(folder, engine, segment_bytes=4000)


def test_a_full_disk_says_what_to_do(folder: Path, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    desk = Desk(folder, engine)

    def full(_file: int, _content: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("workers.journal.os.write", full)
    with pytest.raises(StateError, match="make room and run the same command again"):
        desk.commit(0)


def test_a_record_is_written_whole_even_in_small_pieces(
    folder: Path, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    import os

    desk = Desk(folder, engine)
    whole = os.write
    with monkeypatch.context() as patched:
        patched.setattr("workers.journal.os.write", lambda file, content: whole(file, content[:7]))
        desk.commit(0, 1, 2)
    desk.journal.close()
    assert np.concatenate([c.time for c, _ in read_state(folder)]).tolist() == [0, 1, 2]
