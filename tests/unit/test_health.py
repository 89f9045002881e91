"""The endpoint answers probes and scrapes over real HTTP."""

import urllib.error
import urllib.request
from collections.abc import Iterator

import orjson
import pytest

from config.settings import MetricsSettings
from pipeline.errors import SettingsError
from workers.health import Endpoint, Health
from workers.metrics import METRICS, Metrics


class Served:
    """A running endpoint with what it serves."""

    def __init__(self) -> None:
        self.metrics, self.health = Metrics(), Health()
        self.endpoint = Endpoint(MetricsSettings(port=0), self.metrics, self.health)

    def get(self, path: str) -> tuple[int, bytes]:
        """Return status and body."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.endpoint.port}{path}", timeout=10) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()


@pytest.fixture
def served() -> Iterator[Served]:
    """An endpoint on a free port."""
    running = Served()
    with running.endpoint:
        yield running


def test_alive_from_the_beginning(served: Served) -> None:
    assert served.get("/healthz") == (200, b'{"status":"alive"}')


def test_ready_when_nothing_blocks(served: Served) -> None:
    status, body = served.get("/readyz")
    assert (status, orjson.loads(body)["reasons"].keys()) == (503, {"starting"})
    served.health.not_ready("restoring", "the state is being read")
    assert orjson.loads(served.get("/readyz")[1])["reasons"] == {"restoring": "the state is being read"}
    served.health.ready()
    assert served.get("/readyz")[0] == 200
    served.health.not_ready("disk", "full")
    assert served.get("/readyz")[0] == 503


def test_metrics_count_as_they_are_told(served: Served) -> None:
    served.metrics.count("articles_dead", 3, reason="nul")
    served.metrics.count("articles_late", 0)
    served.metrics.set("window_articles", 41)
    served.metrics.observe("batch_seconds", 0.02)
    status, body = served.get("/metrics")
    lines = body.decode().splitlines()
    assert status == 200
    assert 'samewire_articles_dead_total{reason="nul"} 3.0' in lines
    assert "samewire_articles_late_total 0.0" in lines
    assert "samewire_window_articles 41.0" in lines
    assert 'samewire_batch_seconds_bucket{le="0.025"} 1.0' in lines


def test_every_metric_is_exposed_with_its_meaning(served: Served) -> None:
    body = served.get("/metrics")[1].decode()
    for metric in METRICS:
        suffix = "_total" if metric.kind == "counter" else ""
        assert f"# HELP samewire_{metric.name}{suffix} {metric.meaning}" in body


def test_another_path_says_which_there_are(served: Served) -> None:
    status, body = served.get("/")
    assert status == 404
    assert b"/metrics" in body


def test_a_port_that_is_taken_is_named(served: Served) -> None:
    with pytest.raises(
        SettingsError, match=f"metrics port 127.0.0.1:{served.endpoint.port}: .*--metrics-port"
    ):
        Endpoint(MetricsSettings(port=served.endpoint.port), Metrics(), Health())
