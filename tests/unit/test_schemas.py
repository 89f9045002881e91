"""What a real run writes keeps to the published schemas, and what they promise is refused is refused."""

import gzip
from pathlib import Path
from typing import Any

import orjson
import pytest
from jsonschema import Draft202012Validator

from config.settings import Settings
from pipeline.answers import cluster_id
from pipeline.article import REASONS, Rejected, parse_line
from pipeline.dates import format_date
from pipeline.engine import Engine
from pipeline.killing import KILLED
from pipeline.verify import RELATIONS
from tests.conftest import ROOT, SAMPLE, News
from workers.local import LocalWorker
from workers.pairs import score_file

SCHEMAS = ROOT / "config" / "schemas"
OUTPUTS = ("clustered", "cluster-event", "dead-letter", "cluster", "pair")
BAD = (
    b"{",
    b"\xff",
    b"{}",
    b'{"id": "a"}',
    b'{"id": 1}',
    b'{"id": "\\u0007", "text": "a"}',
    b'{"id": "a", "text": "\\u0000"}',
    b'{"id": "a", "text": "b", "kind": "picture"}',
    b'{"id": "a", "text": "b", "version": -1}',
)
BAD_DATE = b'{"id": "a", "text": "a", "published_at": "soon"}'
LINE_REASONS = {
    "too_large",
    "invalid_utf8",
    "malformed",
    "missing_id",
    "missing_text",
    "wrong_type",
    "invalid_id",
    "invalid_date",
    "nul",
    "unknown_kind",
}
UNDATED = b'{"id": "undated", "text": "This one has no date and is matched at the moment of reading."}'


def lives(lines: list[bytes]) -> list[bytes]:
    """Corrections, kills, an embargo and an advisory for the first articles of the sample."""
    first, second, third, fourth, _ = (orjson.loads(line) for line in lines[:5])
    return [
        orjson.dumps(record)
        for record in (
            first | {"version": 2, "text": fourth["text"], "updated_at": "2026-03-11T08:00:00Z"},
            {"id": second["id"], "kind": "kill", "reason": 'wrong "name"'},
            {"id": "never came", "kind": "kill", "published_at": "2026-03-11"},
            third | {"text": "Quite another text under the same id."},
            fourth | {"id": "embargoed", "embargo_until": "2199-01-01T00:00:00Z", "title": "CORRECTED-Title"},
        )
    ]


def schema(name: str) -> dict[str, Any]:
    """Read a schema."""
    found: dict[str, Any] = orjson.loads((SCHEMAS / f"{name}.schema.json").read_bytes())
    return found


def assert_valid(name: str, content: bytes) -> list[dict[str, Any]]:
    """Check each line against a schema; returns the records."""
    validator = Draft202012Validator(schema(name), format_checker=Draft202012Validator.FORMAT_CHECKER)
    records = [orjson.loads(line) for line in content.splitlines()]
    for record in records:
        validator.validate(record)
    return records


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory, engine: Engine) -> Path:
    """The folder of a run over the sample that met everything that can be met."""
    folder = tmp_path_factory.mktemp("run")
    lines = SAMPLE.read_bytes().splitlines()
    long = orjson.dumps({"id": "long", "text": "x" * (1 << 21)})
    (folder / "in.jsonl").write_bytes(
        b"\n".join([*lines, *BAD, BAD_DATE, long, b"y" * (1 << 24), lines[3], UNDATED, *lives(lines)])
    )
    arguments = {
        "source": str(folder / "in.jsonl"),
        "output": str(folder / "out"),
        "events": str(folder / "events"),
        "dead": str(folder / "dead"),
        "state": folder / "state",
    }
    with LocalWorker(engine, Settings(), **arguments) as worker:  # type: ignore[arg-type]
        worker.run()
        (folder / "clusters").write_bytes(
            b"".join(
                orjson.dumps(
                    {
                        "cluster_id": cluster_id(cluster.name),
                        "articles": cluster.article_ids,
                        "first_published": format_date(cluster.first_ms),
                        "last_published": format_date(cluster.last_ms),
                    }
                )
                + b"\n"
                for cluster in worker.matcher.clusters()
            )
        )
    return folder


@pytest.mark.parametrize("path", sorted(SCHEMAS.glob("*.json")), ids=lambda path: path.name)
def test_schemas_are_valid_and_explain_every_field(path: Path) -> None:
    content = orjson.loads(path.read_bytes())
    Draft202012Validator.check_schema(content)
    assert content["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert content["description"]
    for name, field in content["properties"].items():
        assert field.get("description"), name


def test_there_is_a_schema_for_everything_that_is_written() -> None:
    assert {path.name.split(".")[0] for path in SCHEMAS.glob("*.json")} >= {"article", *OUTPUTS}


def test_answers(written: Path) -> None:
    answers = assert_valid("clustered", (written / "out").read_bytes())
    assert len(answers) == 113
    assert {answer["relation"] for answer in answers} <= {*RELATIONS, KILLED}
    assert any(answer.get("repeated") for answer in answers)
    told = {name for answer in answers for name in answer}
    assert told >= {"version", "replaces", "conflict", "embargoed", "embargo_until", "advisory", "reason"}
    assert [answer["article_id"] for answer in answers if answer["cluster_id"] is None] == ["never came"]


def test_cluster_events(written: Path) -> None:
    events = assert_valid("cluster-event", (written / "events").read_bytes())
    assert {event["event"] for event in events} >= {"created", "killed"}


def test_dead_letters(written: Path) -> None:
    letters = assert_valid("dead-letter", (written / "dead").read_bytes())
    assert {letter["reason"] for letter in letters} == LINE_REASONS
    assert [letter["truncated"] for letter in letters].count(True) == 1


def test_clusters(written: Path) -> None:
    assert_valid("cluster", (written / "clusters").read_bytes())


def test_pairs(tmp_path: Path) -> None:
    lines = [orjson.loads(line) for line in SAMPLE.read_bytes().splitlines()]
    pairs = [orjson.dumps({"a": a, "b": b, "label": 1}) for a, b in zip(lines[::2], lines[1::2], strict=True)]
    (tmp_path / "in").write_bytes(b"\n".join([*pairs, b"{", b"[]", b'{"a": {}, "b": {}}']))
    score_file(str(tmp_path / "in"), str(tmp_path / "out"), Settings())
    scored = assert_valid("pair", (tmp_path / "out").read_bytes())
    assert sum("error" in record for record in scored) == 3
    assert {record.get("linked") for record in scored} == {True, False, None}


def test_every_reason_is_in_the_schema_with_its_meaning() -> None:
    reason = schema("dead-letter")["properties"]["reason"]
    assert set(reason["enum"]) == set(REASONS) >= LINE_REASONS
    for name, meaning in REASONS.items():
        assert f"{name}: {meaning}" in reason["description"]


@pytest.mark.parametrize("name", OUTPUTS[:-1])
def test_outputs_may_have_no_other_fields(name: str) -> None:
    assert schema(name)["additionalProperties"] is False


@pytest.mark.parametrize("event", ["created", "merged", "closed", "split", "shrunk"])
@pytest.mark.parametrize(
    "fields",
    [(), ("merged_id",), ("article_id",), ("article_id", "merged_id"), ("article_id", "split_id")],
)
def test_each_kind_of_event_has_its_own_fields(event: str, fields: tuple[str, ...]) -> None:
    needed = {
        "created": ("article_id",),
        "merged": ("article_id", "merged_id"),
        "closed": (),
        "split": ("article_id", "split_id"),
        "shrunk": ("article_id",),
    }
    record = {
        "event": event,
        "cluster_id": "c0123456789abcdef",
        "articles": 2,
        "first_published": "2026-03-10T12:00:00Z",
        "last_published": "2026-03-10T12:00:00.500Z",
        "engine": "sw1-0123456789ab",
        "schema": "samewire.cluster/1",
    } | dict.fromkeys(fields, "cfedcba9876543210")
    assert Draft202012Validator(schema("cluster-event")).is_valid(record) == (fields == needed[event])


ARTICLES: list[dict[str, Any]] = [
    {"id": "a", "text": "b"},
    {"id": "a", "text": "b", "title": None, "published_at": None, "other": [1]},
    {"id": "a", "text": "b", "published_at": ""},
    {"id": "a", "text": "b", "version": 3, "updated_at": "2026-03-10T12:00:00Z", "kind": "article"},
    {"id": "a", "text": "b", "version": "3", "embargo_until": "2026-03-10T12:00:00Z", "kind": None},
    {"id": "a", "text": "b", "version": 1 << 31},
    {"id": "a", "text": "b", "version": 1.5},
    {"id": "a", "text": "b", "version": True},
    {"id": "a", "text": "b", "kind": "picture"},
    {"id": "a", "text": "b", "updated_at": "soon"},
    {"id": "a", "kind": "kill"},
    {"id": "a", "kind": "kill", "reason": 5},
    {"id": "a", "kind": "kill", "reason": "wrong", "version": 2, "lang": None},
    {"kind": "kill"},
    {"id": "a", "text": "b", "published_at": "2026-03-10"},
    {"id": "a", "text": "b", "published_at": "2026-03-10 12:00:00,5 +0100"},
    {"id": "a", "text": "b", "published_at": "10 March"},
    {"id": "a", "text": "b", "published_at": 5},
    {"id": "a", "text": "b", "title": 5},
    {"id": "a", "text": " "},
    {"id": " ", "text": "b"},
    {"id": "", "text": "b"},
    {"id": "x" * 513, "text": "b"},
    {"id": 7, "text": "b"},
    {"id": "a"},
    {"text": "b"},
]


@pytest.mark.parametrize("record", ARTICLES, ids=range(len(ARTICLES)))
def test_the_schema_of_articles_agrees_with_the_parser(record: dict[str, Any]) -> None:
    try:
        parse_line(orjson.dumps(record))
        accepted = True
    except Rejected:
        accepted = False
    assert Draft202012Validator(schema("article")).is_valid(record) == accepted


@pytest.mark.news
def test_real_news_keeps_to_the_schema_of_articles(news: News) -> None:
    validator = Draft202012Validator(schema("article"))
    for record in news("reuters_stream", 300) + news("rewordings_wmt", 300) + news("background_us2018", 100):
        validator.validate(record)


def test_a_compressed_stream_is_answered_alike(written: Path, tmp_path: Path, engine: Engine) -> None:
    (tmp_path / "in.jsonl.gz").write_bytes(gzip.compress(SAMPLE.read_bytes()))
    output, dead = str(tmp_path / "output"), str(tmp_path / "dead")
    source, state = str(tmp_path / "in.jsonl.gz"), tmp_path / "state"
    with LocalWorker(
        engine, Settings(), source=source, output=output, events=None, dead=dead, state=state
    ) as worker:
        summary = worker.run()
    assert (summary.read, summary.published, summary.dead) == (106, 106, 0)
    assert (tmp_path / "output").read_bytes().splitlines() == (written / "out").read_bytes().splitlines()[
        :106
    ]
