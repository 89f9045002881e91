"""What the JSON API says of articles that were corrected or killed."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from pipeline.answers import cluster_id
from pipeline.hashing import identity64
from tests.unit.tools.lives import (
    CORRECTED_FERRY,
    FERRY,
    FIRST,
    THEN,
    LivingState,
)
from workers.tools.feed import StateFeed
from workers.tools.follower import Follower
from workers.tools.serve import build_app


@pytest.fixture(scope="module")
def client(living: Path) -> Iterator[TestClient]:
    follower = Follower(StateFeed(living), 1000, 0.02)
    follower.load()
    with TestClient(build_app(follower), base_url="http://127.0.0.1", follow_redirects=False) as found:
        yield found


def test_an_article_comes_with_its_versions(client: TestClient) -> None:
    found = client.get("/api/article", params={"id": "wire-1"}).json()
    assert (found["version"], found["corrected"], found["text"]) == (2, True, CORRECTED_FERRY)
    assert found["updated_at"] == "2026-03-10T09:00:00Z"
    assert found["advisory"] == "correction"
    assert [(v["version"], v["status"], v["text"]) for v in found["versions"]] == [
        (1, "replaced", FERRY),
        (2, "stands", CORRECTED_FERRY),
    ]
    soon = client.get("/api/article", params={"id": "soon"}).json()
    assert (soon["embargo_until"], soon["corrected"], soon["version"]) == (
        "2099-01-01T06:00:00Z",
        False,
        None,
    )


@pytest.mark.parametrize("path", ["/api/article", "/api/article/cluster"])
def test_what_was_killed_is_gone_and_says_so(client: TestClient, path: str) -> None:
    answer = client.get(path, params={"id": "bank-1"})
    assert answer.status_code == 410
    told = answer.json()
    assert "was killed up to version 3" in told["detail"]
    assert told["killed"] == {
        "article_id": "bank-1",
        "killed_at": "2026-03-10T09:30:00Z",
        "through_version": 3,
        "reason": "The governor does not step down.",
        "cluster_id": cluster_id(identity64("bank-1")),
        "title": "Central bank governor to go",
        "source": "Velonia Desk",
    }
    early = client.get(path, params={"id": "never"})
    assert early.status_code == 410
    assert early.json()["killed"]["title"] is None
    assert client.get(path, params={"id": "nobody"}).status_code == 404


def test_clusters_tell_of_splits_kills_and_what_left(client: TestClient) -> None:
    start = client.get("/api/article/cluster", params={"id": "start"}).json()
    end = client.get("/api/article/cluster", params={"id": "end"}).json()
    assert (
        start["splits"]
        == end["splits"]
        == [{"cluster_id": start["cluster_id"], "split_id": end["cluster_id"], "article_id": "bridge"}]
    )
    assert [k["article_id"] for k in start["killed"]] == ["bridge"]
    assert start["killed_articles"] == 1
    ferry = client.get("/api/article/cluster", params={"id": "gazette-1"}).json()
    stands = client.get("/api/article", params={"id": "wire-1"}).json()["cluster_id"]
    assert ferry["left"] == [{"article_id": "wire-1", "version": 1, "cluster_id": stands}]
    assert client.get(f"/api/clusters/{cluster_id(identity64('lone'))}").status_code == 410
    assert client.get(f"/api/clusters/{cluster_id(identity64('end'))}").status_code == 308
    status = client.get("/api/status").json()
    assert (status["articles"], status["splits"], status["killed"]) == (7, 1, 4)


def test_the_api_describes_what_happens_to_articles(client: TestClient) -> None:
    described = client.get("/openapi.json").json()
    assert "410" in described["paths"]["/api/article"]["get"]["responses"]
    assert {"Gone", "KillRecord", "VersionRecord", "SplitRecord"} <= set(described["components"]["schemas"])


def test_the_page_is_told_what_happened_since(tmp_path: Path) -> None:
    with LivingState(tmp_path) as state:
        state.take(*FIRST)
        follower = Follower(StateFeed(tmp_path), 1000, 0.02)
        follower.load()
        with TestClient(build_app(follower), base_url="http://127.0.0.1") as client:
            first = client.get("/api/index").json()
            assert len(first["articles"]["id"]) == 8
            assert first["lives"] == []
            state.take(*THEN[1:4])  # a record without articles
            deadline = 200
            while client.get("/api/status").json()["killed"] < 3 and deadline:
                deadline -= 1
            since = {"after": 8, "splits_after": first["splits_seen"], "lives_after": first["lives_seen"]}
            more = client.get("/api/index", params=since).json()
            assert more["articles"]["id"] == []
            lives = {life["id"]: life for life in more["lives"]}
            assert set(lives) == {"bank-1", "bridge", "lone", "end"}
            assert lives["bank-1"]["gone"] == [3]
            assert lives["bank-1"]["killed"]["reason"] == "The governor does not step down."
            assert lives["end"]["stands"] == 6
            assert more["splits"] == [[cluster_id(identity64("start")), lives["end"]["cluster"], "bridge"]]
            some = client.get("/api/index", params=since | {"limit": 1, "lives_after": 1}).json()
            assert (len(some["lives"]), some["more"]) == (1, True)
            again = {"after": 8, "splits_after": 1, "lives_after": more["lives_seen"]}
            nothing = client.get("/api/index", params=again).json()
            assert nothing["lives"] == nothing["splits"] == []
