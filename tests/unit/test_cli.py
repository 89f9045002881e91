"""The command: what it writes, and one clear line where it cannot."""

import io
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import orjson
import pytest
from typer.testing import CliRunner

from pipeline.article import Article
from pipeline.verify import RELATIONS
from pipeline.weights import build_table
from tests.conftest import ROOT, SAMPLE
from workers import cli
from workers.cli import app

Result = subprocess.CompletedProcess[bytes]


@pytest.fixture
def samewire(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Iterator[Callable[..., Result]]:
    """Run the command in this process, in a folder of its own."""
    for variable in [name for name in os.environ if name.upper().startswith("SAMEWIRE_")]:
        monkeypatch.delenv(variable)
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str | Path, stdin: bytes = b"", **environment: str) -> Result:
        command = ["samewire", *map(str, arguments)]
        capfd.readouterr()
        with monkeypatch.context() as patched:
            patched.setattr(sys, "argv", command)
            patched.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(stdin)))
            for name, value in environment.items():
                patched.setenv(name, value)
            with pytest.raises(SystemExit) as ended:
                cli.main()
        sys.stdout.flush()
        sys.stderr.flush()
        written = capfd.readouterr()
        code = ended.value.code
        return Result(
            command, code if isinstance(code, int) else 0, written.out.encode(), written.err.encode()
        )

    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield run
    for number, handler in handlers.items():
        signal.signal(number, handler)


def complaint(result: Result, code: int) -> str:
    """The one line of a failure: no output, no traceback."""
    lines = [line for line in result.stderr.decode().splitlines() if not line.startswith("{")]
    assert result.returncode == code, result.stderr.decode()
    assert result.stdout == b""
    assert len(lines) == 1
    assert lines[0].startswith("samewire: ")
    return lines[0]


def records(content: bytes) -> list[dict[str, Any]]:
    """The lines of an output."""
    return [orjson.loads(line) for line in content.splitlines()]


OUT = ("--output", "out.jsonl", "--state", "state")


@pytest.fixture
def done(samewire: Callable[..., Result], tmp_path: Path) -> Path:
    """A finished run over the sample, with a bad line in its middle; returns its folder."""
    lines = SAMPLE.read_bytes().splitlines(keepends=True)
    (tmp_path / "in.jsonl").write_bytes(b"".join([*lines[:50], b'{"id": 5}\n', *lines[50:]]))
    result = samewire("run", "--input", "in.jsonl", *OUT, "--events", "events.jsonl")
    assert result.returncode == 0, result.stderr.decode()
    assert b"106 articles published" in result.stderr
    return tmp_path


def test_a_run_answers_each_article_in_order_and_tells_of_clusters(done: Path, sample: list[Article]) -> None:
    answers = records((done / "out.jsonl").read_bytes())
    assert [answer["article_id"] for answer in answers] == [article.id for article in sample]
    events = records((done / "events.jsonl").read_bytes())
    created = [event["cluster_id"] for event in events if event["event"] == "created"]
    assert sorted(created) == sorted(a["cluster_id"] for a in answers if a["relation"] == "new")
    assert {answer["cluster_id"] for answer in answers} == set(created)


def test_a_run_that_is_finished_adds_nothing_when_it_is_repeated(
    done: Path, samewire: Callable[..., Result]
) -> None:
    before = {name: (done / name).read_bytes() for name in ("out.jsonl", "events.jsonl", "state/dead.jsonl")}
    assert samewire("run", "--input", "in.jsonl", *OUT, "--events", "events.jsonl").returncode == 0
    assert {name: (done / name).read_bytes() for name in before} == before


def test_a_bad_line_is_kept_with_its_reason_and_place(done: Path) -> None:
    (dead,) = records((done / "state" / "dead.jsonl").read_bytes())
    assert (dead["reason"], dead["line"], dead["bytes"]) == ("wrong_type", 51, "eyJpZCI6IDV9")


def test_clusters_are_printed_from_the_state(done: Path, samewire: Callable[..., Result]) -> None:
    answers = records((done / "out.jsonl").read_bytes())
    result = samewire("clusters", "--state", "state")
    found = records(result.stdout)
    assert result.returncode == 0
    assert sorted(i for cluster in found for i in cluster["articles"]) == sorted(
        a["article_id"] for a in answers
    )
    by_id = {cluster["cluster_id"]: cluster["articles"] for cluster in found}
    for answer in answers:
        if answer["relation"] == "new" and answer["cluster_id"] in by_id:
            assert answer["article_id"] in by_id[answer["cluster_id"]]
    assert [c["first_published"] for c in found] == sorted(c["first_published"] for c in found)


def test_standard_input_and_output(samewire: Callable[..., Result], done: Path) -> None:
    arguments = ("run", "--input", "-", "--output", "-", "--state", "piped")
    result = samewire(*arguments, stdin=SAMPLE.read_bytes())
    assert result.returncode == 0
    assert result.stdout == (done / "out.jsonl").read_bytes()
    again = samewire(*arguments, stdin=SAMPLE.read_bytes() + b'{"id": "last", "text": "one more"}')
    assert [record["article_id"] for record in records(again.stdout)] == ["last"]


def test_repeated_articles_get_their_answer_again_or_no_line(
    samewire: Callable[..., Result], tmp_path: Path
) -> None:
    line = b'{"id": "a", "text": "The same article comes twice.", "published_at": "2026-03-10"}\n'
    (tmp_path / "in.jsonl").write_bytes(line * 2)
    samewire("run", "--input", "in.jsonl", *OUT)
    first, second = records((tmp_path / "out.jsonl").read_bytes())
    assert second == first | {"repeated": True}
    samewire("run", "--input", "in.jsonl", "--output", "o", "--state", "s", SAMEWIRE_OUTPUT__REPEATED="skip")
    assert records((tmp_path / "o").read_bytes()) == [first]


# --- failures


def test_the_installed_command_fails_with_one_line_too(tmp_path: Path) -> None:
    arguments = ["run", "--input", "gone.jsonl", *OUT]
    result = subprocess.run(
        [sys.executable, "-m", "workers.cli", *arguments],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        timeout=300,
    )
    assert "input gone.jsonl does not exist" in complaint(result, 3)


def test_a_missing_input(samewire: Callable[..., Result]) -> None:
    assert "input gone.jsonl does not exist" in complaint(samewire("run", "--input", "gone.jsonl", *OUT), 3)


def test_an_output_that_cannot_be_written(samewire: Callable[..., Result], tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    arguments = ("run", "--input", SAMPLE, "--output", "file/out.jsonl", "--state", "state")
    assert "output file/out.jsonl: " in complaint(samewire(*arguments), 4)


def test_an_output_that_belongs_to_nobody_is_left_alone(
    samewire: Callable[..., Result], tmp_path: Path
) -> None:
    (tmp_path / "out.jsonl").write_bytes(b"mine\n")
    assert "does not belong to this state" in complaint(samewire("run", "--input", SAMPLE, *OUT), 4)
    assert (tmp_path / "out.jsonl").read_bytes() == b"mine\n"


def test_two_outputs_in_one_file(samewire: Callable[..., Result]) -> None:
    message = complaint(samewire("run", "--input", SAMPLE, *OUT, "--events", "./out.jsonl"), 4)
    assert "out.jsonl" in message


def test_a_state_folder_that_cannot_be_made(samewire: Callable[..., Result], tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    arguments = ("run", "--input", SAMPLE, "--output", "out.jsonl", "--state", "file/state")
    assert "state folder file/state" in complaint(samewire(*arguments), 5)


@pytest.mark.parametrize("command", [("run", "--input", "x", *OUT), ("check-config",), ("score-pairs", "x")])
def test_an_unknown_setting(
    samewire: Callable[..., Result], tmp_path: Path, command: tuple[str, ...]
) -> None:
    (tmp_path / "s.toml").write_text("[window]\nlenght = '1d'\n")
    assert "did you mean window.length?" in complaint(samewire(*command, "--config", "s.toml"), 2)
    assert "did you mean window.length?" in complaint(samewire(*command, SAMEWIRE_WINDOW__LENGHT="1d"), 2)


def test_a_state_of_another_engine(done: Path, samewire: Callable[..., Result]) -> None:
    build_table({"other": 0.1}).save(done / "other.terms")
    again = ("run", "--input", "in.jsonl", *OUT, "--events", "events.jsonl")
    before = (done / "out.jsonl").read_bytes()
    message = complaint(samewire(*again, SAMEWIRE_ENGINE__TERMS="other.terms"), 6)
    assert "must not be mixed" in message
    assert "start a new state" in message
    assert (done / "out.jsonl").read_bytes() == before


def test_a_damaged_state(done: Path, samewire: Callable[..., Result]) -> None:
    (journal,) = (done / "state").glob("journal-*")
    content = bytearray(journal.read_bytes())
    content[len(content) // 2] ^= 1
    journal.write_bytes(content)
    again = ("run", "--input", "in.jsonl", *OUT, "--events", "events.jsonl")
    assert "checksum" in complaint(samewire(*again), 5)
    assert "checksum" in complaint(samewire("clusters", "--state", "state"), 5)


def test_clusters_of_no_state(samewire: Callable[..., Result], tmp_path: Path) -> None:
    assert "holds no samewire state" in complaint(samewire("clusters", "--state", tmp_path), 5)


def test_a_term_table_that_is_none(samewire: Callable[..., Result]) -> None:
    message = complaint(samewire("run", "--input", SAMPLE, *OUT, SAMEWIRE_ENGINE__TERMS="gone"), 2)
    assert "term table gone" in message


@pytest.mark.parametrize(
    "arguments", [("run",), ("run", "--input", "x"), ("nonsense",), ("clusters", "--nonsense")]
)
def test_wrong_usage(samewire: Callable[..., Result], arguments: tuple[str, ...]) -> None:
    result = samewire(*arguments)
    assert result.returncode == 2
    assert b"Usage" in result.stderr
    assert b"Traceback" not in result.stderr


# --- the other commands


def test_check_config_prints_what_takes_effect(samewire: Callable[..., Result]) -> None:
    result = samewire("check-config", SAMEWIRE_WINDOW__LENGTH="30d")
    assert result.returncode == 0
    assert orjson.loads(result.stdout)["window"]["length"] == "30d"


PAIR = {
    "a": {
        "id": "1",
        "text": "The harbour of Skarvik was closed on Tuesday after a ferry ran aground in thick fog.",
    },
    "b": {
        "id": "2",
        "text": "The harbour of Skarvik was closed on Tuesday after a ferry ran aground in thick fog.",
    },
    "note": "kept",
}
BAD_PAIRS = [
    (b"{", "malformed"),
    (b"[]", "malformed"),
    (b'{"a": {"id": "1", "text": "x"}}', "malformed"),
    (b'{"a": {"id": "1", "text": "x"}, "b": {"id": "2"}}', "missing_text"),
    (b'{"a": 7, "b": {"id": "2", "text": "x"}}', "malformed"),
]


def test_pairs_are_scored_and_bad_ones_say_why(samewire: Callable[..., Result], tmp_path: Path) -> None:
    other = PAIR | {
        "b": {"id": "3", "text": "Prices of nickel fell sharply in London as inventories rose again."}
    }
    lines = [orjson.dumps(PAIR), *(line for line, _ in BAD_PAIRS), orjson.dumps(other)]
    (tmp_path / "pairs.jsonl").write_bytes(b"\n".join(lines))
    result = samewire("score-pairs", "pairs.jsonl")
    scored = records(result.stdout)
    assert result.returncode == 0
    assert scored[0] == PAIR | {"score": 1.0, "linked": True, "relation": "exact", "candidate": True}
    assert [record["error"].split(":")[0] for record in scored[1:-1]] == [reason for _, reason in BAD_PAIRS]
    assert (scored[-1]["linked"], scored[-1]["relation"]) == (False, None)
    assert 0 <= scored[-1]["score"] < 0.5
    assert scored[0]["relation"] in RELATIONS


def test_pairs_from_stdin_to_a_file(samewire: Callable[..., Result], tmp_path: Path) -> None:
    assert samewire("score-pairs", "-", "--output", "scored", stdin=orjson.dumps(PAIR)).returncode == 0
    assert records((tmp_path / "scored").read_bytes())[0]["linked"] is True


def test_pairs_that_cannot_be_read_or_written(samewire: Callable[..., Result], tmp_path: Path) -> None:
    (tmp_path / "pairs").write_bytes(orjson.dumps(PAIR))
    assert "gone does not exist" in complaint(samewire("score-pairs", "gone"), 3)
    assert "is a folder" in complaint(samewire("score-pairs", tmp_path), 3)
    assert "output pairs/x: " in complaint(samewire("score-pairs", "pairs", "--output", "pairs/x"), 4)


def test_every_command_has_an_example_in_its_help() -> None:
    names = [
        command.name or command.callback.__name__ for command in app.registered_commands if command.callback
    ]
    assert len(names) > 15
    for name in names:
        shown = CliRunner().invoke(app, [name.replace("_", "-"), "--help"])
        assert shown.exit_code == 0, name
        assert "Example" in shown.output, name
