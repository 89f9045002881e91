"""Where a state is read from: a folder or topics, chosen in one way for all commands."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from config.kafka import KafkaSettings
from pipeline.changelog import encode
from pipeline.errors import SettingsError, StateError
from tests.unit.kafka.records import FakeRecord
from tests.unit.tools.states import Item, change_of, write_state
from workers.tools.source import FolderSource, TopicSource, choose, collect, load
from workers.tools.topic_feed import TopicFeed

KAFKA = KafkaSettings()


def test_a_folder_or_topics_but_not_both_and_not_neither(tmp_path: Path) -> None:
    assert choose(tmp_path, False, KAFKA) == FolderSource(tmp_path)
    assert choose(None, True, KAFKA) == TopicSource(KAFKA)
    with pytest.raises(SettingsError, match="give one of them"):
        choose(tmp_path, True, KAFKA)
    with pytest.raises(SettingsError, match=r"--state DIR .* --kafka with --config"):
        choose(None, False, KAFKA)


def test_loading_tells_how_far_it_is(tmp_path: Path) -> None:
    state = write_state(tmp_path / "state", [Item("a", "a", text="words")], [Item("b", "a", 2)])
    told: list[tuple[int, int]] = []
    seen: list[str] = []
    catalogue = load(
        FolderSource(state), lambda *done: told.append(done), also=lambda told: seen.extend(told.change.ids)
    )
    assert len(catalogue) == 2
    assert seen == ["a", "b"]
    assert told[-1][0] == told[-1][1] > told[0][0] > 0
    assert set(collect(FolderSource(state), {"b", "c"}, lambda *_: None)) == {(0, 2)}


def test_an_empty_state_says_how_to_fill_it(tmp_path: Path) -> None:
    with pytest.raises(StateError, match="samewire run --input"):
        load(FolderSource(write_state(tmp_path, [])), lambda *_: None)
    assert "samewire match" in TopicSource(KAFKA).empty


def test_a_state_folder_is_titled_by_the_folder_above() -> None:
    assert FolderSource(Path("/x/try1/state")).title == "try1/state"
    assert FolderSource(Path("/x/try1")).title == "try1"


def _reader(*values: bytes | None) -> Any:
    records = [FakeRecord(0, n, value, topic="changelog") for n, value in enumerate(values)]
    return SimpleNamespace(topic="changelog", poll=lambda: iter(records))


def test_a_topics_records_are_changes() -> None:
    feed = TopicFeed(_reader(encode(change_of([Item("a", "a")])), encode(change_of([Item("b", "b")]))))
    assert [(told.desk, list(told.change.ids)) for told in feed.poll()] == [(0, ["a"]), (0, ["b"])]


@pytest.mark.parametrize("foreign", [None, b"", b'{"id": "an article, not a changelog record"}'])
def test_a_record_that_is_no_change_is_named_by_its_place(foreign: bytes | None) -> None:
    feed = TopicFeed(_reader(encode(change_of([Item("a", "a")])), foreign))
    with pytest.raises(StateError, match=r"changelog\[0\] at offset 1: .*kafka.topics.changelog"):
        list(feed.poll())
