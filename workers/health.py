"""``/metrics``, ``/healthz`` and ``/readyz`` over HTTP, on a thread of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from socketserver import ThreadingMixIn
from typing import Any, Self, cast
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import orjson
from prometheus_client import make_wsgi_app

from config.settings import MetricsSettings
from pipeline.errors import SettingsError
from workers.metrics import Metrics


class Health:
    """What the probes answer.

    A worker goes through stages (starting, unassigned, restoring) until it is ready; beside
    that, something may stand in the way of its work for a while (publishing fails).
    """

    def __init__(self) -> None:
        self._stage: dict[str, str] = {"starting": "the worker has not begun"}
        self._obstacles: dict[str, str] = {}

    @property
    def blockers(self) -> dict[str, str]:
        """Why the worker is not ready, by reason; empty when it is."""
        return self._stage | self._obstacles

    def ready(self) -> None:
        """Declare the worker's start complete."""
        self._stage = {}

    def block(self, what: str, why: str) -> None:
        """Note an obstacle that stays, whatever the stage, until it is cleared."""
        self._obstacles = self._obstacles | {what: why}

    def clear(self, what: str) -> None:
        """The obstacle is gone."""
        if what in self._obstacles:
            self._obstacles = {key: why for key, why in self._obstacles.items() if key != what}

    def not_ready(self, what: str, why: str) -> None:
        """Declare one reason why it is not."""
        self._stage = {what: why}


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Quiet(WSGIRequestHandler):
    timeout = 10

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (the name is the base class's)
        """Say nothing: a scrape every few seconds is no event."""


class Endpoint:
    """The HTTP server; ``port`` is the one that it really listens on."""

    def __init__(self, settings: MetricsSettings, metrics: Metrics, health: Health) -> None:
        assert settings.port is not None
        expose = make_wsgi_app(metrics.registry)
        metrics.live("ready", lambda: 0.0 if health.blockers else 1.0)

        def app(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
            path = environ["PATH_INFO"]
            if path == "/metrics":
                return cast("Iterable[bytes]", expose(environ, start))
            if path == "/healthz":
                status, body = "200 OK", {"status": "alive"}
            elif path == "/readyz":
                blockers = health.blockers
                status = "503 Service Unavailable" if blockers else "200 OK"
                body = {"status": "not ready" if blockers else "ready", "reasons": blockers}  # type: ignore[dict-item]
            else:
                status, body = "404 Not Found", {"status": "unknown path; try /metrics, /healthz or /readyz"}
            start(status, [("Content-Type", "application/json")])
            return [orjson.dumps(body)]

        try:
            self._server = make_server(
                settings.host, settings.port, app, server_class=_Server, handler_class=_Quiet
            )
        except OSError as error:
            raise SettingsError(
                f"metrics port {settings.host}:{settings.port}: {error.strerror}; choose another with --metrics-port"
            ) from error
        self.port = self._server.server_port
        self._thread = threading.Thread(target=self._server.serve_forever, name="metrics", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
