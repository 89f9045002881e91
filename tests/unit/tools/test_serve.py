"""The JSON API, who may ask it, and what it carries."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from pipeline.answers import cluster_id
from pipeline.errors import SettingsError
from pipeline.hashing import identity64
from tests.unit.tools.states import Item, Writer, write_state
from workers.tools.feed import StateFeed
from workers.tools.follower import Follower
from workers.tools.guard import is_loopback, read_token
from workers.tools.serve import build_app

TOKEN = "0123456789abcdef0123456789abcdef"
A, B = cluster_id(identity64("a")), cluster_id(identity64("b"))
BATCHES = (
    [Item("a", "a", title="First", text="Some words", source="Wire"), Item("b", "b", 5)],
    [Item("c/../d?e=1&#x", "a", 7, "copy", "a", 0.9, merges=[("a", "b")]), Item("solo", "solo", 9)],
)


def _run(work: Any) -> Any:
    """Run a coroutine in a thread: the browser tests leave an event loop running in this one."""
    with ThreadPoolExecutor(1) as threads:
        return threads.submit(asyncio.run, work).result(60)


def _client(state: Path, host: str = "127.0.0.1", token: str | None = None) -> TestClient:
    follower = Follower(StateFeed(state), 1000, 0.02)
    follower.load()
    return TestClient(build_app(follower, host, token), base_url="http://127.0.0.1", follow_redirects=False)


@pytest.fixture
def client(tmp_path: Path) -> Iterator[TestClient]:
    with _client(write_state(tmp_path, *BATCHES)) as found:
        yield found


def test_articles_and_their_clusters(client: TestClient) -> None:
    article = client.get("/api/article", params={"id": "b"}).json()
    assert (article["cluster_id"], article["published_cluster_id"]) == (A, B)
    assert client.get("/api/article", params={"id": "a"}).json()["text"] == "Some words"
    cluster = client.get("/api/article/cluster", params={"id": "c/../d?e=1&#x"}).json()
    assert [m["id"] for m in cluster["members"]] == ["a", "b", "c/../d?e=1&#x"]
    assert cluster["merged_ids"] == [{"cluster_id": A, "merged_id": B, "article_id": "c/../d?e=1&#x"}]


def test_merged_ids_redirect(client: TestClient) -> None:
    answer = client.get(f"/api/clusters/{B}")
    assert answer.status_code == 308
    assert client.get(f"/api/clusters/{B}", follow_redirects=True).json()["cluster_id"] == A
    assert client.get(f"/api/clusters/{A}").status_code == 200


def test_newest_clusters_by_pages(client: TestClient) -> None:
    first = client.get("/api/clusters", params={"limit": 1}).json()
    assert first["clusters"][0]["first_article"]["id"] == "solo"
    second = client.get("/api/clusters", params={"limit": 1, "before": first["next"]}).json()
    assert second["clusters"][0]["cluster_id"] == A
    assert len(client.get("/api/clusters", params={"min_size": 2}).json()["clusters"]) == 1


def test_unknown_ids_name_the_next_step(client: TestClient) -> None:
    answer = client.get("/api/article", params={"id": "sol"})
    assert answer.status_code == 404
    assert "nearest: solo" in answer.json()["detail"]
    assert client.get("/api/clusters/c0000000000000000").status_code == 404


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/api/clusters?limit=501", 422),
        ("/api/clusters?limit=0", 422),
        ("/api/clusters?before=-1", 422),
        ("/api/clusters/zzz", 422),
        ("/api/article", 422),
        ("/api/article?id=" + "x" * 600, 422),
        ("/api/article?id=" + "x" * 5000, 414),
        ("/api/index?limit=1000000", 422),
        ("/api/index?after=99999999999999999999999", 422),
        ("/static/../serve.py", 404),
        ("/static/page.html", 404),
        ("/nothing", 404),
    ],
)
def test_inputs_are_bounded(client: TestClient, path: str, status: int) -> None:
    assert client.get(path).status_code == status


@pytest.mark.parametrize("path", ["/", "/api/status", "/static/page.js", "/nothing", "/openapi.json"])
def test_every_answer_carries_the_headers(client: TestClient, path: str) -> None:
    headers = client.get(path).headers
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"


def test_only_reads(client: TestClient) -> None:
    for method in ("POST", "PUT", "DELETE", "PATCH", "OPTIONS"):
        assert client.request(method, "/api/status").status_code == 405


def test_other_names_for_loopback_are_refused(client: TestClient) -> None:
    for name in ("evil.example", "evil.example:8400", "127.0.0.1.evil.example", ""):
        assert client.get("/api/status", headers={"Host": name}).status_code == 421
    for name in ("localhost:8400", "127.0.0.1", "[::1]:8400"):
        assert client.get("/api/status", headers={"Host": name}).status_code == 200


def test_is_described(client: TestClient) -> None:
    described = client.get("/openapi.json").json()
    assert {"/api/clusters/{identifier}", "/api/article", "/api/article/cluster", "/api/clusters"} <= set(
        described["paths"]
    )
    assert "308" in described["paths"]["/api/clusters/{identifier}"]["get"]["responses"]


def test_beyond_loopback_a_token_is_required(tmp_path: Path) -> None:
    state = write_state(tmp_path / "state", *BATCHES)
    with pytest.raises(SettingsError, match="token"):
        _client(state, "0.0.0.0")
    with pytest.raises(SettingsError, match="openssl"):
        read_token(None, "0.0.0.0")
    (tmp_path / "short").write_text("secret\n")
    with pytest.raises(SettingsError, match="at least 16"):
        read_token(tmp_path / "short", "0.0.0.0")
    assert read_token(None, "127.0.0.1") is None
    assert [is_loopback(h) for h in ("127.0.0.2", "::1", "localhost", "0.0.0.0", "::", "example.org")] == [
        True,
        True,
        True,
        False,
        False,
        False,
    ]


def test_the_token_opens_it(tmp_path: Path) -> None:
    with _client(write_state(tmp_path, *BATCHES), "0.0.0.0", TOKEN) as client:
        assert client.get("/api/status").status_code == 401
        assert client.get("/openapi.json").status_code == 401
        assert client.get("/api/status", headers={"Authorization": "Bearer wrong"}).status_code == 401
        assert client.get("/api/status", headers={"Authorization": f"Bearer {TOKEN}"}).status_code == 200
        page = client.get("/", headers={"Accept": "text/html"})
        assert (page.status_code, page.headers["location"]) == (303, "login")
        assert "Access token" in client.get("/login").text
        assert client.post("/login", data={"token": "wrong"}).status_code == 401
        assert client.post("/login", data={"token": "x" * 10_000}).status_code == 413
        answer = client.post("/login", data={"token": TOKEN})
        assert answer.status_code == 303
        assert "HttpOnly" in answer.headers["set-cookie"]
        assert TOKEN not in answer.headers["set-cookie"]
        assert client.get("/api/status").status_code == 200


def test_the_page_gets_the_newest_articles_and_then_what_is_new(tmp_path: Path) -> None:
    writer = Writer(tmp_path)
    writer.write(BATCHES[0])
    follower = Follower(StateFeed(tmp_path), 1000, 0.02)
    follower.load()
    app = build_app(follower)
    with TestClient(app, base_url="http://localhost") as client:
        first = client.get("/api/index", params={"limit": 1}).json()
        assert (first["articles"]["id"], first["forgotten"]) == (["b"], 1)
        writer.write(BATCHES[1])
        deadline = 200
        while client.get("/api/status").json()["articles"] < 4 and deadline:
            deadline -= 1
        more = client.get("/api/index", params={"after": 2, "merges_after": first["merges_seen"]}).json()
        assert more["articles"]["id"] == ["c/../d?e=1&#x", "solo"]
        assert more["merges"][0][:2] == [A, B]
        assert not more["more"]
    writer.close()


def test_waiting_ends_with_a_change_or_with_time(tmp_path: Path) -> None:
    writer = Writer(tmp_path)
    writer.write(BATCHES[0])
    follower = Follower(StateFeed(tmp_path), 1000, 0.01)
    follower.load()

    async def check() -> None:
        following = asyncio.create_task(follower.follow())
        seen = follower.catalogue.version
        assert not await follower.wait(seen, follower.generation, 0.05)
        writer.write(BATCHES[1])
        assert await follower.wait(seen, follower.generation, 10)
        assert len(follower.catalogue) == 4
        following.cancel()

    _run(check())
    writer.close()


def test_a_damaged_state_is_reported_and_what_was_read_stays(tmp_path: Path) -> None:
    state = write_state(tmp_path, *BATCHES)
    with _client(state) as client:
        [path] = state.glob("journal-*.swj")
        with path.open("ab") as file:
            file.write(b"no record at all, but long enough to be one")
        deadline = 400
        while client.get("/healthz").status_code == 200 and deadline:
            deadline -= 1
        assert client.get("/healthz").status_code == 503
        assert client.get("/api/status").json()["articles"] == 4
