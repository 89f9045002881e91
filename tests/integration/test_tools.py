"""The tools on a real deployment of two desks: what they show is what the deployment decided."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from kafka import KafkaProducer
from typer.testing import CliRunner, Result

from config.settings import Settings
from pipeline.answers import cluster_id
from pipeline.changelog import encode
from pipeline.engine import Engine
from pipeline.errors import SamewireError
from pipeline.hashing import identity64
from tests.conftest import SAMPLE
from tests.kafka import topic
from tests.kafka.broker import free_ports
from tests.kafka.deployment import Deployment
from tests.kafka.waiting import wait_for
from tests.runs import cluster
from tests.served import Served
from tests.unit.tools.states import Item, change_of
from workers.cli import app
from workers.kafka.client import make_admin
from workers.kafka.reader import open_reader

pytestmark = pytest.mark.kafka


def run(deployed: Deployment, *arguments: str | Path, **environment: str) -> Result:
    options = [*map(str, arguments), "--kafka"]
    if "--config" not in options:
        options += ["--config", str(deployed.config)]
    return CliRunner().invoke(app, options, env=environment)


def json_of(result: Result) -> Any:
    assert result.exit_code == 0, result.output
    return orjson.loads(result.stdout.splitlines()[-1])


def refusal(result: Result) -> str:
    assert isinstance(result.exception, SamewireError), result.output
    return str(result.exception)


@pytest.fixture(scope="module")
def embedded(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The state of an embedded run over the same articles."""
    return cluster(engine, Settings(), SAMPLE.read_bytes().splitlines(), tmp_path_factory.mktemp("embedded"))


@pytest.fixture
def changelog(deployed: Deployment, fresh: Callable[[str], str]) -> Iterator[str]:
    """A changelog topic with nothing in it."""
    name = topic.create(deployed.bootstrap, fresh("lone.changelog"))
    yield name
    admin = make_admin(deployed.kafka)
    admin.delete_topics([name])
    admin.close()


def test_report_shows_the_partition_of_an_embedded_run(
    deployed: Deployment, embedded: Path, tmp_path: Path
) -> None:
    page = tmp_path / "report.html"
    facts = json_of(run(deployed, "report", "--html", page, "--compare", embedded, "--json"))
    assert facts["articles"] == 106
    assert page.stat().st_size == facts["bytes"]
    plain = json_of(
        CliRunner().invoke(app, ["report", "--state", str(embedded), "--html", str(page), "--json"])
    )
    assert facts["clusters"] == plain["clusters"]


def test_explain_and_story_name_articles_of_every_desk(deployed: Deployment, tmp_path: Path) -> None:
    page = tmp_path / "why.html"
    pair = json_of(run(deployed, "explain", "n-0002", "n-0007", "--json", "--html", page))
    assert pair["linked"]
    assert pair["left"]["cluster_id"] == pair["right"]["cluster_id"]
    assert page.stat().st_size > 5000
    tree = json_of(run(deployed, "story", pair["left"]["cluster_id"], "--json"))
    assert {"n-0002", "n-0007"} <= {member["id"] for member in tree["members"]}
    german = next(orjson.loads(line)["id"] for line in SAMPLE.open() if '"lang": "de"' in line)
    assert json_of(run(deployed, "story", german, "--json"))["members"]
    assert "n-0002" in refusal(run(deployed, "story", "n-00022"))


def test_serve_shows_what_is_matched_meanwhile(deployed: Deployment) -> None:
    with Served("--kafka", "--config", deployed.config) as served:
        before = served.json("api/status")
        assert before["articles"] >= 106
        original = next(orjson.loads(line) for line in SAMPLE.open() if '"n-0002"' in line)
        deployed.produce([orjson.dumps(original | {"id": "live-1", "source": "Late Paper"})])
        wait_for("the new copy", lambda: served.get("api/article", id="live-1").status_code == 200)
        cluster = served.json("api/article/cluster", id="live-1")
        assert cluster == served.json("api/article/cluster", id="n-0002")
        assert served.json("api/clusters", limit=1)["clusters"][0]["cluster_id"] == cluster["cluster_id"]
        assert served.json(f"api/clusters/{cluster['cluster_id']}")["articles"] == cluster["articles"]
        assert served.json("healthz") == {"status": "following"}


def test_replay_compares_with_what_the_deployment_decided(deployed: Deployment, tmp_path: Path) -> None:
    stretch = ("--from", "2026-03-01", "--to", "2026-03-12T00:00:00Z")
    same = json_of(run(deployed, "replay", *stretch, "--output", tmp_path / "same", "--json"))
    assert same["differences"]["compared"] > 80
    assert same["differences"]["joined"] == same["differences"]["split"] == []
    config = tmp_path / "short.toml"
    config.write_text(deployed.config.read_text().replace("[window]", '[window]\nlength = "1h"'))
    short = json_of(
        run(deployed, "replay", *stretch, "--config", config, "--output", tmp_path / "short", "--json")
    )
    assert short["stretch"] == same["stretch"]
    assert short["differences"]["split"]
    assert not short["differences"]["joined"]


def test_a_replay_into_fresh_topics_can_be_looked_at(
    deployed: Deployment, tmp_path: Path, fresh: Callable[[str], str]
) -> None:
    prefix = fresh("try")
    result = json_of(run(deployed, "replay", "--output", tmp_path / "try", "--topics", prefix, "--json"))
    names = deployed.kafka.topics
    answers = topic.read_committed(deployed.bootstrap, f"{prefix}.{names.clustered}")
    assert {record.key.decode() for record in answers} == {
        orjson.loads(record.value)["article_id"] for record in answers
    }
    assert len(answers) == result["articles"]
    events = [
        orjson.loads(r.value) for r in topic.read_committed(deployed.bootstrap, f"{prefix}.{names.clusters}")
    ]
    assert sum(event["event"] == "created" for event in events) >= result["clusters"]
    fresh_changelog = {"SAMEWIRE_KAFKA__TOPICS__CHANGELOG": f"{prefix}.{names.changelog}"}
    page = tmp_path / "try.html"
    facts = json_of(run(deployed, "report", "--html", page, "--json", **fresh_changelog))
    assert (facts["articles"], facts["clusters"]) == (result["articles"], result["clusters"])
    again = run(deployed, "replay", "--output", tmp_path / "again", "--topics", prefix)
    assert "is there already" in refusal(again)
    three = {"SAMEWIRE_KAFKA__TOPICS__REPLICATION_FACTOR": "3"}  # of one broker
    refused = run(deployed, "replay", "--output", tmp_path / "more", "--topics", fresh("more"), **three)
    assert "did not take the replay" in refusal(refused)
    assert (tmp_path / "more" / "articles.jsonl").exists()


def test_a_time_picks_the_records_from_there_on(deployed: Deployment, fresh: Callable[[str], str]) -> None:
    name = topic.create(deployed.bootstrap, fresh("times"), partitions=2)
    producer = KafkaProducer(bootstrap_servers=deployed.bootstrap)
    for second in range(10):
        producer.send(
            name, b"%d" % second, partition=second % 2, timestamp_ms=1_790_000_000_000 + 1000 * second
        )
    producer.flush()
    producer.close()
    reader = open_reader(deployed.kafka, name, 1_790_000_006_500)
    assert [record.value for record in reader.poll()] == [b"7", b"8", b"9"]
    assert list(reader.poll()) == []
    assert reader.progress == (3, 3)
    reader.close()
    reader = open_reader(deployed.kafka, name)
    assert [record.value for record in reader.poll()] == [b"%d" % second for second in range(10)]
    reader.close()


OPTIONS: dict[str, tuple[str, ...]] = {
    "explain": ("a", "b"),
    "report": ("--html", "r.html"),
    "story": ("a",),
    "serve": (),
    "replay": ("--output", "out"),
}


@pytest.mark.parametrize("command", OPTIONS)
def test_a_missing_topic_is_named_and_nothing_is_left(
    deployed: Deployment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.chdir(tmp_path)
    missing = run(deployed, command, *OPTIONS[command], SAMEWIRE_KAFKA__TOPICS__CHANGELOG="no.such.topic")
    assert "there is no topic no.such.topic" in refusal(missing)
    assert "samewire topics --apply" in refusal(missing)
    assert list(tmp_path.iterdir()) == []


def test_a_silent_broker_is_named_soon(deployed: Deployment) -> None:
    [port] = free_ports(1)
    servers = f'["127.0.0.1:{port}"]'
    started = time.monotonic()
    told = refusal(run(deployed, "story", "a", SAMEWIRE_KAFKA__BOOTSTRAP_SERVERS=servers))
    assert f"no broker answered at 127.0.0.1:{port}" in told
    assert time.monotonic() - started < 30


def test_an_empty_topic_says_how_to_fill_it_and_fills_live(
    deployed: Deployment, changelog: str, tmp_path: Path
) -> None:
    empty = {"SAMEWIRE_KAFKA__TOPICS__CHANGELOG": changelog}
    for command in (("story", "a"), ("explain", "a", "b"), ("report", "--html", tmp_path / "r.html")):
        assert "samewire match" in refusal(run(deployed, *command, **empty))
    with Served("--kafka", "--config", deployed.config, **empty) as served:
        assert served.json("api/status")["articles"] == 0
        topic.fill(deployed.bootstrap, changelog, [(None, encode(change_of([Item("a", "a")])))])
        wait_for("the first article", lambda: served.json("api/status")["articles"] == 1)
        later = change_of([Item("b", "b"), Item("c", "a", 3, "copy", "a", 0.9, merges=[("a", "b")])], 2)
        topic.fill(deployed.bootstrap, changelog, [(None, encode(later))])
        wait_for("a merge", lambda: served.json("api/status")["merges"] == 1)
        [survivor, lost] = [cluster_id(identity64(name)) for name in "ab"]
        redirect = served.get(f"api/clusters/{lost}")
        assert (redirect.status_code, redirect.headers["location"]) == (308, survivor)
    nothing = {"SAMEWIRE_KAFKA__TOPICS__ARTICLES": changelog + ".none"}
    topic.create(deployed.bootstrap, changelog + ".none")
    assert "holds no articles" in refusal(run(deployed, "replay", "--output", tmp_path / "out", **nothing))


def test_another_engines_topic_is_shown_but_not_explained(
    deployed: Deployment, changelog: str, tmp_path: Path
) -> None:
    topic.fill(
        deployed.bootstrap, changelog, [(None, encode(change_of([Item("a", "a"), Item("b", "a", 1)])))]
    )
    other = {"SAMEWIRE_KAFKA__TOPICS__CHANGELOG": changelog}
    assert json_of(run(deployed, "report", "--html", tmp_path / "r.html", "--json", **other))["articles"] == 2
    assert "was made by engine sw1-000000000000" in refusal(run(deployed, "explain", "a", "b", **other))


def test_a_foreign_record_is_named_by_its_place(deployed: Deployment, changelog: str) -> None:
    good = encode(change_of([Item("a", "a")]))
    topic.fill(deployed.bootstrap, changelog, [(None, good), (None, b"not a changelog record, but long")])
    told = refusal(run(deployed, "story", "a", SAMEWIRE_KAFKA__TOPICS__CHANGELOG=changelog))
    assert f"{changelog}[0] at offset 1" in told


def test_a_topic_that_is_made_anew_is_shown_anew(deployed: Deployment, fresh: Callable[[str], str]) -> None:
    name = topic.create(deployed.bootstrap, fresh("again"))
    topic.fill(
        deployed.bootstrap, name, [(None, encode(change_of([Item(i, i)], n))) for n, i in enumerate("abc", 1)]
    )
    with Served("--kafka", "--config", deployed.config, SAMEWIRE_KAFKA__TOPICS__CHANGELOG=name) as served:
        assert served.json("api/status")["articles"] == 3
        admin = make_admin(deployed.kafka)
        admin.delete_topics([name])
        admin.close()
        wait_for("trouble", lambda: served.get("healthz").status_code == 503)
        assert served.json("api/status")["articles"] == 3
        topic.create(deployed.bootstrap, name)
        topic.fill(deployed.bootstrap, name, [(None, encode(change_of([Item("d", "d")])))])
        wait_for("the new topic", lambda: served.json("api/status")["articles"] == 1)
        assert served.get("api/article", id="a").status_code == 404


def test_corrections_and_kills_are_shown_live_and_replayed(
    deployed: Deployment, tmp_path: Path, fresh: Callable[[str], str]
) -> None:
    original = next(orjson.loads(line) for line in SAMPLE.open() if '"lang": "de"' in line)
    copies = [orjson.dumps(original | {"id": f"life-{n}", "version": 1}) for n in range(2)]
    corrected = original | {"id": "life-1", "version": 2, "text": original["text"] + "\n\nKorrigiert."}
    kill = {"id": "life-0", "kind": "kill", "reason": "Gesperrt", "published_at": original["published_at"]}
    with Served("--kafka", "--config", deployed.config) as served:
        deployed.produce(copies)
        wait_for("both copies", lambda: served.get("api/article", id="life-1").status_code == 200)
        deployed.produce([orjson.dumps(corrected | {"lang": "de"}), orjson.dumps(kill | {"lang": "de"})])
        wait_for("the kill", lambda: served.get("api/article", id="life-0").status_code == 410)
        wait_for("the correction", lambda: served.json("api/article", id="life-1")["version"] == 2)
        assert served.get("api/article", id="life-0").json()["killed"]["reason"] == "Gesperrt"
        article = served.json("api/article", id="life-1")
        assert [version["status"] for version in article["versions"]] == ["replaced", "stands"]
        cluster = served.json("api/article/cluster", id=original["id"])
        assert [killed["article_id"] for killed in cluster["killed"]] == ["life-0"]
        assert "life-0" not in {member["id"] for member in cluster["members"]}
    assert "Gesperrt" in refusal(run(deployed, "story", "life-0"))
    prefix, folder = fresh("lives"), tmp_path / "lives"
    result = json_of(run(deployed, "replay", "--output", folder, "--topics", prefix, "--json"))
    assert result["differences"]["withdrawn"] == 1
    assert result["differences"]["joined"] == result["differences"]["split"] == []
    records = topic.read_committed(deployed.bootstrap, f"{prefix}.{deployed.kafka.topics.clusters}")
    keys = {orjson.loads(r.value)["event"]: r.key.decode() for r in records}
    assert keys["killed"].endswith("/life-0")
    changelog = {"SAMEWIRE_KAFKA__TOPICS__CHANGELOG": f"{prefix}.{deployed.kafka.topics.changelog}"}
    assert "Gesperrt" in refusal(run(deployed, "story", "life-0", **changelog))
