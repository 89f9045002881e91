"""Reading a state that somebody may be writing."""

from pathlib import Path

import pytest

from pipeline.errors import StateError
from tests.unit.tools.states import Item, Writer, write_state
from workers.journal import segment_files
from workers.tools.feed import StateFeed


def _ids(feed: StateFeed) -> list[str]:
    return [i for told in feed.poll() for i in told.change.ids]


def test_no_state_names_the_next_step(tmp_path: Path) -> None:
    with pytest.raises(StateError, match="samewire run --state"):
        StateFeed(tmp_path)


def test_goes_on_where_it_stopped(tmp_path: Path) -> None:
    writer = Writer(tmp_path)
    writer.write([Item("a", "a")])
    feed = StateFeed(tmp_path)
    assert _ids(feed) == ["a"]
    assert _ids(feed) == []
    writer.write([Item("b", "b"), Item("c", "b")])
    assert _ids(feed) == ["b", "c"]
    writer.close()


def test_reading_leaves_the_worker_its_lock_and_the_folder_as_it_was(tmp_path: Path) -> None:
    writer = Writer(tmp_path)
    writer.write([Item("a", "a")])
    before = {p.name: (p.stat().st_size, p.stat().st_mtime_ns) for p in tmp_path.iterdir()}
    assert _ids(StateFeed(tmp_path)) == ["a"]
    assert {p.name: (p.stat().st_size, p.stat().st_mtime_ns) for p in tmp_path.iterdir()} == before
    writer.write([Item("b", "b")])
    writer.close()


@pytest.mark.parametrize("kept", [1, 7, 14, 40, -1])
def test_a_record_that_is_being_written_comes_when_it_is_whole(tmp_path: Path, kept: int) -> None:
    write_state(tmp_path, [Item("a", "a")], [Item("b", "b")])
    [path] = segment_files(tmp_path)
    whole = path.read_bytes()
    feed = StateFeed(write_state(tmp_path / "one", [Item("a", "a")]))
    cut = len((segment_files(tmp_path / "one")[0]).read_bytes())
    path.write_bytes(whole[: cut + kept] if kept > 0 else whole[:kept])
    feed = StateFeed(tmp_path)
    assert _ids(feed) == ["a"]
    with path.open("r+b") as file:
        file.write(whole)
    assert _ids(feed) == ["b"]


def test_a_last_record_of_zeros_is_not_there_yet(tmp_path: Path) -> None:
    write_state(tmp_path, [Item("a", "a")])
    with segment_files(tmp_path)[0].open("ab") as file:
        file.write(bytes(100))
    assert _ids(StateFeed(tmp_path)) == ["a"]


def test_damage_inside_is_said(tmp_path: Path) -> None:
    write_state(tmp_path, [Item("a", "a")], [Item("b", "b")])
    [path] = segment_files(tmp_path)
    content = bytearray(path.read_bytes())
    content[60] ^= 0xFF
    path.write_bytes(content)
    with pytest.raises(StateError, match="checksum"):
        _ids(StateFeed(tmp_path))


def test_follows_into_new_files_and_past_deleted_ones(tmp_path: Path) -> None:
    writer = Writer(tmp_path, segment_bytes=1)  # every record begins a new file
    writer.write([Item("a", "a")])
    feed = StateFeed(tmp_path)
    assert _ids(feed) == ["a"]
    for name in "bcd":
        writer.write([Item(name, name)], oldest_kept=writer.first)
    assert _ids(feed)[-1] == "d"
    writer.close()
    assert feed.restarts == 0


def test_a_state_that_was_replaced_is_read_anew(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    write_state(folder, [Item("a", "a")], [Item("b", "b")])
    feed = StateFeed(folder)
    assert _ids(feed) == ["a", "b"]
    folder.rename(tmp_path / "old")
    write_state(folder, [Item("c", "c")])
    assert _ids(feed) == ["c"]
    assert feed.restarts == 1


def test_a_new_file_in_the_place_of_the_old_one_is_noticed_though_it_is_longer(tmp_path: Path) -> None:
    feed = StateFeed(write_state(tmp_path, [Item("a", "a")]))
    assert _ids(feed) == ["a"]
    other = write_state(tmp_path / "other", [Item("b", "b", text="longer " * 50)], [Item("c", "c")])
    with segment_files(tmp_path)[0].open("r+b") as file:  # the same inode
        file.write(segment_files(other)[0].read_bytes())
    assert _ids(feed) == ["b", "c"]
    assert feed.restarts == 1
