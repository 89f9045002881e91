"""The read-only web page and JSON API over a state or topic that is being followed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from itertools import islice
from typing import Annotated, Any

import orjson
from fastapi import FastAPI, HTTPException, Query, Request
from fastapi import Path as PathParameter
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response, StreamingResponse
from starlette.middleware.gzip import GZipMiddleware

from pipeline.answers import cluster_name
from pipeline.article import MAX_ID_CHARACTERS
from pipeline.dates import format_date
from pipeline.errors import InputError, SettingsError
from workers.tools.api_models import (
    ArticleDetail,
    ClusterDetail,
    ClusterPage,
    Gone,
    Problem,
    Status,
    article_detail,
    cluster_detail,
    cluster_head,
    kill_record,
)
from workers.tools.columns import index_columns
from workers.tools.follower import Follower
from workers.tools.guard import Guard, is_loopback
from workers.tools.missing import GoneError
from workers.tools.pages import LIVE_SCRIPTS, asset, templates
from workers.tools.report import common_words
from workers.version import samewire_version

ROWS_AT_ONCE = 20_000
"""Articles that the page asks for in one go: about 5 MB of JSON."""

MAX_STREAMS = 200
_HEARTBEAT_SECONDS = 15.0
_STYLES = ("tokens.css", "page.css", "login.css")

ArticleId = Annotated[
    str, Query(alias="id", min_length=1, max_length=MAX_ID_CHARACTERS, description="An article id.")
]
_UNKNOWN: dict[int | str, dict[str, Any]] = {
    404: {"model": Problem, "description": "Not in the state."},
    410: {"model": Gone, "description": "Killed: the order that withdrew it, without the text."},
}


def build_app(follower: Follower, host: str = "127.0.0.1", token: str | None = None) -> FastAPI:
    """Return the application; ``token`` is required when ``host`` is not loopback."""
    if token is None and not is_loopback(host):
        raise SettingsError(f"--host {host} needs an access token; add --token-file FILE")

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        following = asyncio.create_task(follower.follow())
        yield
        following.cancel()
        with suppress(asyncio.CancelledError):
            await following

    app = FastAPI(
        title="samewire",
        version=samewire_version(),
        description="Clusters of wire copy, read-only. Ids of merged clusters redirect to the one that goes on.",
        openapi_url="/openapi.json",
        docs_url=None,  # their pages load scripts from elsewhere
        redoc_url=None,
        lifespan=lifespan,
    )
    app.add_middleware(GZipMiddleware, minimum_size=2000)
    app.add_middleware(Guard, token=token, loopback=is_loopback(host))
    _add_pages(app, follower)
    _add_api(app, follower)
    _add_stream(app, follower)

    @app.exception_handler(GoneError)
    async def gone(_: Request, error: GoneError) -> JSONResponse:
        killed = None if error.killed is None else kill_record(error.killed)
        return JSONResponse(Gone(detail=str(error), killed=killed).model_dump(), 410)

    @app.exception_handler(InputError)
    async def unknown(_: Request, error: InputError) -> JSONResponse:
        return JSONResponse({"detail": str(error)}, 404)

    return app


def _add_pages(app: FastAPI, follower: Follower) -> None:
    @app.get("/", include_in_schema=False)
    async def page() -> HTMLResponse:
        return HTMLResponse(
            templates()
            .get_template("page.html")
            .render(
                mode="live",
                name=follower.feed.name,
                engines=", ".join(sorted(follower.catalogue.engines)) or "not known yet",
                style=None,
                script=None,
                policy=None,
                scripts=LIVE_SCRIPTS,
                blocks=(),
            )
        )

    @app.get("/static/{name}", include_in_schema=False)
    async def static(name: str) -> Response:
        if name in LIVE_SCRIPTS:
            return Response(asset(name), media_type="text/javascript")
        if name in _STYLES:
            return Response(asset(name), media_type="text/css")
        raise HTTPException(404)

    @app.get("/healthz", include_in_schema=False)
    async def health() -> JSONResponse:
        if follower.trouble is not None:
            return JSONResponse({"status": "cannot read", "reason": follower.trouble}, 503)
        return JSONResponse({"status": "following"})


def _add_api(app: FastAPI, follower: Follower) -> None:
    @app.get("/api/status", summary="What is being shown")
    async def status() -> Status:
        catalogue = follower.catalogue
        newest = catalogue.newest_ms
        return Status(
            name=follower.feed.name,
            articles=len(catalogue),
            clusters=catalogue.cluster_count,
            merges=len(catalogue.merges),
            splits=len(catalogue.splits),
            killed=sum(1 for _ in catalogue.kills()),
            forgotten=catalogue.forgotten,
            newest_published=None if newest is None else format_date(newest),
            engines=sorted(catalogue.engines),
        )

    @app.get("/api/clusters", summary="The clusters that grew last")
    async def clusters(
        limit: Annotated[int, Query(ge=1, le=500)] = 50,
        min_size: Annotated[int, Query(ge=1, le=1_000_000)] = 1,
        before: Annotated[
            int | None, Query(ge=0, le=1 << 62, description="`next` of the page before.")
        ] = None,
    ) -> ClusterPage:
        catalogue = follower.catalogue
        found = catalogue.newest(limit, min_size, before)
        return ClusterPage(
            clusters=[cluster_head(catalogue, story) for _, story in found],
            next=found[-1][0] if len(found) == limit else None,
        )

    @app.get(
        "/api/clusters/{identifier}",
        summary="A cluster by its id",
        response_model=ClusterDetail,
        responses={
            308: {"description": "It was merged: Location names the cluster that goes on."},
            **_UNKNOWN,
        },
    )
    async def cluster(identifier: Annotated[str, PathParameter(pattern="^c[0-9a-f]{16}$")]) -> Any:
        catalogue = follower.catalogue
        story = catalogue.expect_story(identifier)
        if story.id != identifier and catalogue.resolve(cluster_name(identifier)) == story.name:
            return RedirectResponse(story.id, 308)
        return cluster_detail(catalogue, story)

    @app.get("/api/article", summary="An article by its id", responses=_UNKNOWN)
    async def article(article_id: ArticleId) -> ArticleDetail:
        return article_detail(follower.catalogue, follower.catalogue.expect(article_id))

    @app.get("/api/article/cluster", summary="The cluster that an article stands in", responses=_UNKNOWN)
    async def cluster_of(article_id: ArticleId) -> ClusterDetail:
        catalogue = follower.catalogue
        story = catalogue.story(catalogue.expect(article_id).published_in)
        assert story is not None
        return cluster_detail(catalogue, story)

    @app.get("/api/index", summary="Articles in columns, in order of arrival: what the page reads")
    async def index(
        after: Annotated[
            int, Query(ge=-1, le=1 << 62, description="Only later ordinals; -1: the newest articles.")
        ] = -1,
        merges_after: Annotated[int, Query(ge=0, le=1 << 62, description="Only later merges.")] = 0,
        splits_after: Annotated[int, Query(ge=0, le=1 << 62, description="Only later splits.")] = 0,
        lives_after: Annotated[
            int,
            Query(
                ge=0, le=1 << 62, description="`lives_seen` of the answer before: only what was told since."
            ),
        ] = 0,
        limit: Annotated[int, Query(ge=1, le=ROWS_AT_ONCE)] = ROWS_AT_ONCE,
    ) -> Response:
        catalogue = follower.catalogue
        skipped = max(0, len(catalogue) - limit) if after < 0 else 0
        found = list(islice(catalogue.entries(after), skipped, skipped + limit + 1))
        rows = found[:limit]
        # at the beginning the newest, as of the articles
        told = catalogue.touched(lives_after)
        touched = told[:limit] if lives_after else told[-limit:]
        columns = index_columns(
            catalogue,
            rows,
            catalogue.merges[merges_after:],
            catalogue.splits[splits_after:],
            [article_id for article_id, _ in touched],
        )
        columns |= {
            "forgotten": catalogue.forgotten + skipped,
            "more": len(found) > limit or (lives_after > 0 and len(told) > limit),
            "merges_seen": len(catalogue.merges),
            "splits_seen": len(catalogue.splits),
            "lives_seen": touched[-1][1] if touched else lives_after,
            "generation": follower.generation,
            "common": common_words(catalogue, rows) if after < 0 else [],
        }
        return Response(orjson.dumps(columns), media_type="application/json")


def _add_stream(app: FastAPI, follower: Follower) -> None:
    streams = 0

    @app.get(
        "/api/stream",
        summary="Server-sent events: `change` whenever there is more",
        responses={200: {"content": {"text/event-stream": {}}}},
        response_class=StreamingResponse,
    )
    async def stream() -> Response:
        if streams >= MAX_STREAMS:
            raise HTTPException(503, f"{MAX_STREAMS} pages are following already; close some")
        return StreamingResponse(events(), media_type="text/event-stream")

    async def events() -> AsyncIterator[bytes]:
        nonlocal streams
        streams += 1
        try:
            # Before anything is sent: what comes while a page reads must wake it again.
            seen, generation = follower.catalogue.version, follower.generation
            yield b"retry: 2000\n\n"
            while True:
                if await follower.wait(seen, generation, _HEARTBEAT_SECONDS):
                    seen, generation = follower.catalogue.version, follower.generation
                    body = {"articles": len(follower.catalogue), "generation": follower.generation}
                    yield b"event: change\ndata: " + orjson.dumps(body) + b"\n\n"
                else:
                    yield b": still here\n\n"
        finally:
            streams -= 1
