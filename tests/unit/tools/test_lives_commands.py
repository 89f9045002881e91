"""What the commands show and do when articles are corrected or killed."""

from pathlib import Path
from typing import Any

import orjson
from rich.console import Console
from typer.testing import CliRunner, Result

from tests.histories import stretch
from tests.unit.tools.lives import (
    FERRY,
    FIRST,
    START,
    THEN,
    WHOLE,
    LivingState,
    article,
    catalogue_of,
    kill,
)
from workers.cli import app
from workers.tools.articles import Story
from workers.tools.catalogue import Catalogue
from workers.tools.compare import compare_states
from workers.tools.missing import GoneError
from workers.tools.source import FolderSource, collect
from workers.tools.story import Family, family
from workers.tools.story_terminal import print_family
from workers.tools.stretch import as_line, cut


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, [str(a) for a in arguments])


def json_of(result: Result) -> Any:
    assert result.exit_code == 0, result.output
    return orjson.loads(result.stdout.splitlines()[-1])


def tree_of(folder: Path, article_id: str) -> tuple[Story, Family]:
    catalogue = catalogue_of(folder)
    story = catalogue.expect_story(article_id)
    editions = catalogue.all_editions(story)
    material = collect(FolderSource(folder), {e.entry.id for e in editions}, lambda *_: None)
    return story, family(story, editions, material)


def test_the_tree_marks_what_was_killed_and_what_derives_from_it(living: Path) -> None:
    _, tree = tree_of(living, "bank-2")
    assert [(m.id, m.status, m.reason, m.killed_ancestor) for m in tree.members] == [
        ("bank-1", "killed", "The governor does not step down.", None),
        ("bank-2", "stands", "", "bank-1"),
    ]
    assert tree.articles == 1
    console = Console(width=200, record=True, file=open("/dev/null", "w"))  # noqa: SIM115, PTH123
    print_family(console, tree)
    shown = console.export_text()
    assert "killed: The governor" in shown
    assert "derives from the killed bank-1" in shown


def test_the_tree_has_every_version(living: Path, tmp_path: Path) -> None:
    _, tree = tree_of(living, "wire-1")
    assert [(m.id, m.edition, m.status, m.parent_node) for m in tree.members] == [
        ("wire-1", 1, "replaced", None),
        ("wire-1", 2, "stands", 0),
    ]
    _, copies = tree_of(living, "over")
    assert [(m.id, m.edition, m.parent) for m in copies.members] == [
        ("wire-1", 1, None),
        ("gazette-1", 0, "wire-1"),
        ("over", 0, "wire-1"),
    ]
    with LivingState(tmp_path) as state:
        state.take(article("a", START, version=1), article("copy", WHOLE, "08:30"))
        state.take(article("a", WHOLE, version=2, updated_at="2026-03-10T09:00:00Z"))
    _, tree = tree_of(tmp_path, "a")
    # the correction stands in the copy first, and still comes from its own first version
    assert [(m.id, m.edition, m.parent_node) for m in tree.members] == [
        ("a", 1, None),
        ("copy", 0, 0),
        ("a", 2, 0),
    ]


def test_explain_takes_the_version_that_stands_and_says_so(living: Path) -> None:
    pair = json_of(run("explain", "wire-1", "gazette-1", "--state", living, "--json"))
    assert (pair["left"]["version"], pair["left"]["earlier_versions"]) == (2, 1)
    assert pair["right"]["earlier_versions"] == 0
    assert "217" in pair["left"]["title"]
    shown = run("explain", "wire-1", "gazette-1", "--state", living).stdout
    assert "corrected: this is version 2" in shown
    refused = run("explain", "wire-1", "bank-1", "--state", living)
    assert isinstance(refused.exception, GoneError)
    assert "The governor does not step down." in str(refused.exception)


def test_a_reason_cannot_steer_a_terminal(tmp_path: Path) -> None:
    with LivingState(tmp_path) as state:
        state.take(article("a", FERRY), kill("a", reason="\x1b[2J\u202e one\ntwo " + "x" * 3000))
    refused = run("story", "a", "--state", tmp_path)
    assert not set(str(refused.exception)) & set("\x1b\u202e\n")
    assert len(str(refused.exception)) < 700


def test_clusters_lists_them_as_they_are(living: Path) -> None:
    lines = [orjson.loads(line) for line in run("clusters", "--state", living).stdout.splitlines()]
    assert {tuple(line["articles"]) for line in lines} == {
        ("start",), ("wire-1",), ("soon",), ("end",), ("gazette-1", "over"), ("bank-2",),
    }  # fmt: skip


def test_what_was_withdrawn_on_either_side_is_not_compared(
    living_catalogue: Catalogue, tmp_path: Path
) -> None:
    with LivingState(tmp_path) as state:
        state.take(*FIRST)
    before = catalogue_of(tmp_path)
    found = compare_states(before, living_catalogue, "before")
    # bank-1, bridge and lone were killed, wire-1 stands in another version
    assert (found.withdrawn, found.compared, found.only_old, found.only_new) == (4, 4, 0, 2)
    assert compare_states(living_catalogue, before, "after").withdrawn == 4
    same = compare_states(before, before, "itself")
    assert (same.withdrawn, same.compared) == (0, 8)


def test_a_replay_goes_through_kills_and_corrections(living: Path, tmp_path: Path) -> None:
    lines = b"\n".join(orjson.dumps(record) for record in [*FIRST, *THEN])
    (tmp_path / "news.jsonl").write_bytes(lines)
    found = json_of(
        run(
            "replay", "--input", tmp_path / "news.jsonl", "--from", "2026-03-10", "--to", "2026-03-11",
            "--against", living, "--output", tmp_path / "try", "--json",
        )
    )  # fmt: skip
    assert found["stretch"]["kept"] == len(FIRST) + len(THEN)
    assert (found["articles"], found["differences"]["withdrawn"]) == (7, 3)
    assert found["differences"]["compared"] == 7
    assert found["differences"]["joined"] == found["differences"]["split"] == []


def test_a_stretch_keeps_undated_kills_and_corrections_of_what_is_in_it(tmp_path: Path) -> None:
    records = [
        {"id": "a", "text": FERRY, "published_at": "2026-03-10", "version": 1},
        {"id": "b", "text": FERRY, "published_at": "2026-03-01"},
        {"id": "a", "text": FERRY, "version": 2},
        {"id": "b", "text": FERRY, "version": 2},
        {"id": "c", "text": FERRY},
        {"id": "a", "kind": "kill"},
    ]
    target = tmp_path / "stretch.jsonl"
    day = 1_773_100_800_000
    found = cut([orjson.dumps(record) for record in records], target, day, day + 86_400_000, 10_000)
    assert (found.kept, found.outside, found.undated) == (3, 1, 2)


def test_an_undated_correction_in_a_topic_has_the_time_of_what_it_corrects() -> None:
    seen: set[str] = set()
    first = orjson.dumps({"id": "a", "text": "words", "published_at": "2026-03-10"})
    later = orjson.dumps({"id": "a", "text": "other words", "version": 2})
    assert as_line(first, 0, 0, seen) != later
    assert "published_at" not in orjson.loads(as_line(later, 0, 0, seen))
    assert "published_at" in orjson.loads(as_line(orjson.dumps({"id": "a", "kind": "kill"}), 0, 0, seen))
    assert "published_at" in orjson.loads(as_line(orjson.dumps({"id": "b", "version": 2}), 0, 0, seen))


def test_a_run_tells_what_happened_to_stories(tmp_path: Path) -> None:
    lines = [orjson.dumps(record) for record in [*FIRST, *THEN, article("end", stretch(1, 0, 5))]]
    (tmp_path / "news.jsonl").write_bytes(b"\n".join(lines))
    found = run(
        "run", "--input", tmp_path / "news.jsonl", "--output", tmp_path / "out.jsonl", "--state", tmp_path / "state"
    )  # fmt: skip
    told = " ".join(found.stderr.split())
    assert "1 corrected, 4 killed, 1 cluster came apart, 1 with another text under an id and version" in told
