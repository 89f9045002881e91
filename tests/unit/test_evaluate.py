"""The figures of `samewire evaluate`, `tune` and `weights`."""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest
from typer.testing import CliRunner

from config.settings import Settings
from pipeline.engine import Engine
from pipeline.errors import InputError, SettingsError
from pipeline.weights import TermTable, default_table
from tests.unit.test_robustness import FERRY, HARVEST, LIBRARY
from workers.cli import app
from workers.evaluate import ScoredPairs, b_cubed, cluster_figures, event_figures, pair_figures, require
from workers.labelled import Kind, read_labelled
from workers.tune import at_threshold
from workers.weights_command import learn

pytest.importorskip("sklearn")


def write(path: Path, records: list[dict[str, Any]]) -> Path:
    path.write_bytes(b"\n".join(orjson.dumps(r) for r in records) + b"\n")
    return path


def article(identity: str, text: str, **fields: Any) -> dict[str, Any]:
    return {"id": identity, "text": text, **fields}


@pytest.fixture
def pairs_file(tmp_path: Path) -> Path:
    return write(
        tmp_path / "pairs.jsonl",
        [
            {"a": article("1", FERRY), "b": article("2", "Kelby (AFP) - " + FERRY), "grade": 4},
            {"a": article("3", FERRY), "b": article("4", HARVEST), "grade": 0},
            {"a": article("5", LIBRARY), "b": article("6", HARVEST), "grade": 1},
            {"a": article("7", LIBRARY), "b": article("8", LIBRARY + " More soon."), "grade": 3},
        ],
    )


def scored(scores: list[float], truth: list[int]) -> ScoredPairs:
    grades = np.array([{1: 4.0, 0: 0.0, -1: 2.0}[t] for t in truth])
    return ScoredPairs(grades, np.array(truth, np.int8), np.array(scores), np.ones(len(truth), bool))


def test_pairs_between_the_grades_do_not_score() -> None:
    figures = pair_figures(scored([0.9, 0.8, 0.2, 0.1], [1, -1, 0, 0]))
    assert figures["average_precision"] == 1
    assert figures["precision"] == 1
    assert figures["by_grade"]["2"]["linked"] == 1


def test_b_cubed_of_a_worked_example() -> None:
    precision, recall = b_cubed("aab", [1, 2, 2])
    assert precision == pytest.approx((1 + 0.5 + 0.5) / 3)
    assert recall == pytest.approx((0.5 + 0.5 + 1) / 3)


def test_cluster_figures_of_a_perfect_and_of_a_merged_partition() -> None:
    perfect = cluster_figures(["a", "a", "b"], [0, 0, 2])
    assert perfect["pairwise"]["f1"] == perfect["b_cubed"]["f1"] == perfect["adjusted_rand_index"] == 1
    assert perfect["articles_in_clusters_of_several_labels"] == 0
    merged = cluster_figures(["a", "a", "b", "c"], [0, 0, 0, 3])
    assert merged["pairwise"] == {"precision": 0.333333, "recall": 1.0, "f1": 0.5}
    assert merged["largest_cluster"] == 3
    assert merged["articles_in_clusters_of_several_labels"] == 0.75


def test_event_figures_count_within_and_across() -> None:
    figures = event_figures(["x", "x", "y", "z"], [(0, 1), (1, 2)], [0, 0, 0, 3])
    assert figures["within_events"] == {"pairs": 1, "links": 1, "rate": 1.0}
    assert figures["across_events"]["links"] == 1
    assert figures["across_events"]["pairs"] == 5


def test_evaluate_pairs_from_the_command_line(pairs_file: Path, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    plot, output = tmp_path / "plot.png", tmp_path / "figures.json"
    result = CliRunner().invoke(
        app, ["evaluate", str(pairs_file), "--plot", str(plot), "--output", str(output)]
    )
    assert result.exit_code == 0, result.output
    figures = orjson.loads(output.read_bytes())
    assert figures["kind"] == "pairs"
    assert figures["average_precision"] == 1
    assert figures["by_grade"]["4"]["linked"] == 1
    assert figures["by_grade"]["0"]["linked"] == 0
    assert plot.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(("name", "kind"), [("label", Kind.CLUSTERS), ("event", Kind.EVENTS)])
def test_evaluate_tells_the_kind_of_articles_by_their_field(tmp_path: Path, name: str, kind: Kind) -> None:
    texts = [("1", FERRY, "f"), ("2", FERRY + " More soon.", "f"), ("3", HARVEST, "h")]
    file = write(tmp_path / "articles.jsonl", [article(i, t, **{name: label}) for i, t, label in texts])
    output = tmp_path / "figures.json"
    result = CliRunner().invoke(app, ["evaluate", str(file), "--quiet", "--output", str(output)])
    assert result.exit_code == 0, result.output
    figures = orjson.loads(output.read_bytes())
    assert figures["kind"] == kind
    if kind is Kind.CLUSTERS:
        assert figures["pairwise"]["f1"] == 1
    else:
        assert figures["within_events"]["links"] == 1


def test_lines_that_cannot_be_used_are_counted(tmp_path: Path) -> None:
    file = tmp_path / "articles.jsonl"
    file.write_bytes(
        orjson.dumps(article("1", FERRY, label="f")) + b'\nnonsense\n{"id": "2", "label": "f"}\n'
    )
    found = read_labelled(str(file), Settings())
    assert len(found.articles) == 1
    assert sum(found.unusable.values()) == 2


@pytest.mark.parametrize("content", [b"", b'{"id": "1", "text": "no label"}\n'])
def test_input_without_labels_is_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "articles.jsonl"
    file.write_bytes(content)
    with pytest.raises(InputError):
        read_labelled(str(file), Settings())


def test_a_missing_extra_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(SettingsError, match=r"samewire\[evaluate\]"):
        require("matplotlib")


def test_tune_finds_the_gap_between_copies_and_others(pairs_file: Path, tmp_path: Path) -> None:
    output = tmp_path / "tuning.json"
    result = CliRunner().invoke(app, ["tune", str(pairs_file), "--quiet", "--output", str(output)])
    assert result.exit_code == 0, result.output
    figures = orjson.loads(output.read_bytes())
    assert figures["best"]["f1"] == 1
    assert figures["best_bands"] in [row["bands"] for row in figures["curve"]]
    found = [row["found_of_accepted"] for row in figures["curve"]]
    assert found == sorted(found)


def test_at_threshold_ignores_pairs_that_do_not_score() -> None:
    assert at_threshold(scored([0.9, 0.9, 0.2], [1, -1, 1]), 0.5)["recall"] == 0.5


def test_learned_weights_make_a_streams_common_words_light(tmp_path: Path) -> None:
    texts = [f"The zorblat committee met on matter number {n}. " + LIBRARY for n in range(40)]
    learned = learn(texts)
    assert default_table().level("zorblat") == 4
    assert learned.table.level("zorblat") < 4
    assert learned.table.level("quixotry") == default_table().level("quixotry")
    assert learn(reversed(texts)).table.digest == learned.table.digest
    file = tmp_path / "own.terms"
    learned.table.save(file)
    assert TermTable.load(file).digest == learned.table.digest
    assert Engine(learned.table).fingerprint != Engine().fingerprint


def test_weights_from_the_command_line(pairs_file: Path, tmp_path: Path) -> None:
    stream = write(tmp_path / "stream.jsonl", [article(str(n), f"{n} {FERRY}") for n in range(500)])
    output, table = tmp_path / "figures.json", tmp_path / "own.terms"
    arguments = [
        "weights",
        "--input",
        str(stream),
        "--table",
        str(table),
        "--pairs",
        str(pairs_file),
        "--sample",
        "100",
    ]
    result = CliRunner().invoke(app, [*arguments, "--quiet", "--output", str(output)])
    assert result.exit_code == 0, result.output
    figures = orjson.loads(output.read_bytes())
    assert figures["table"] == TermTable.load(table).digest
    assert figures["learned"]["pairs"]["pairs"] == 4


def test_too_few_articles_to_learn_from_are_refused(tmp_path: Path) -> None:
    stream = write(tmp_path / "stream.jsonl", [article("1", FERRY)])
    result = CliRunner().invoke(app, ["weights", "--input", str(stream), "--table", str(tmp_path / "t")])
    assert isinstance(result.exception, InputError)
