"""Runs the server: binds, reads what is there, says where, follows until stopped."""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import AbstractContextManager, closing

import uvicorn

from pipeline.errors import SettingsError
from workers.tools.feed import Feed, Progress
from workers.tools.follower import Follower
from workers.tools.serve import MAX_STREAMS, build_app

_SPARE_CONNECTIONS = 100  # beyond those that follow
_GRACE_SECONDS = 2


def run_server(
    feed: Feed,
    *,
    host: str,
    port: int,
    token: str | None,
    poll_seconds: float,
    max_articles: int,
    loading: Callable[[], AbstractContextManager[Progress]],
    say: Callable[[str], None],
) -> None:
    """Serve a feed until SIGINT or SIGTERM; ``loading`` shows progress while what is there is read.

    Raises :class:`SettingsError` when the address cannot be bound.
    """
    with closing(feed), _bind(host, port) as listener:
        follower = Follower(feed, max_articles, poll_seconds)
        with loading() as moved:
            follower.load(moved)
        app = build_app(follower, host, token)
        listener.listen()  # from here on nobody is refused, though uvicorn has yet to start
        shown = f"[{host}]" if ":" in host else host
        say(
            f"{len(follower.catalogue):,} articles in {follower.catalogue.cluster_count:,} clusters at "
            f"http://{shown}:{listener.getsockname()[1]}/ (API: /openapi.json; stop with Ctrl-C)"
        )
        config = uvicorn.Config(
            app,
            log_level="warning",
            access_log=False,
            server_header=False,
            limit_concurrency=MAX_STREAMS + _SPARE_CONNECTIONS,
            timeout_graceful_shutdown=_GRACE_SECONDS,
            timeout_keep_alive=20,
            h11_max_incomplete_event_size=32_768,
        )
        uvicorn.Server(config).run(sockets=[listener])


def _bind(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        reason = error.strerror or str(error)
        raise SettingsError(
            f"{host}:{port} cannot be bound: {reason}; choose another with --host or --port"
        ) from error
    return listener
