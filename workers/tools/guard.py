"""Who may ask the server, and what every answer carries.

Bound to loopback, it answers only under loopback names, so that a web page cannot reach it
by pointing its own name at 127.0.0.1 (DNS rebinding). Bound elsewhere, every request needs
the access token: in the ``Authorization`` header, or in the cookie that the login page sets.
"""

from __future__ import annotations

import hmac
from hashlib import sha256
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import parse_qs

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pipeline.errors import SettingsError
from workers.tools.pages import templates

SHORTEST_TOKEN = 16
COOKIE = "samewire"
MAX_QUERY_BYTES = 4096
_MAX_FORM_BYTES = 4096
_LOOPBACK_NAMES = ("localhost", "127.0.0.1", "::1")

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
        "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}


def is_loopback(host: str) -> bool:
    """Tell whether an address to listen on is reached from this machine alone."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def read_token(file: Path | None, host: str) -> str | None:
    """Return the access token; raises :class:`SettingsError` when one is needed and there is none."""
    if file is None:
        if is_loopback(host):
            return None
        raise SettingsError(
            f"--host {host} can be reached from other machines, so an access token is required: "
            "`(umask 077; openssl rand -hex 32 > token)` makes one, then add --token-file token"
        )
    try:
        token = file.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"token file {file} cannot be read ({error}); check --token-file") from error
    if len(token) < SHORTEST_TOKEN:
        raise SettingsError(
            f"token file {file} holds {len(token)} characters, at least {SHORTEST_TOKEN} are needed; "
            "`openssl rand -hex 32` makes a good one"
        )
    return token


class Guard:
    """ASGI middleware: checks requests before the application sees them, adds the headers after."""

    def __init__(self, app: ASGIApp, *, token: str | None, loopback: bool) -> None:
        self._app = app
        self._token = token
        self._loopback = loopback
        self._session = (
            "" if token is None else hmac.new(token.encode(), b"samewire page", sha256).hexdigest()
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or pass the request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        refusal = await self._refusal(scope, receive)
        if refusal is not None:
            await refusal(scope, receive, with_headers)
        else:
            await self._app(scope, receive, with_headers)

    async def _refusal(self, scope: Scope, receive: Receive) -> Response | None:
        headers = Headers(scope=scope)
        if self._loopback and not self._token and _host_name(headers.get("host", "")) not in _LOOPBACK_NAMES:
            return JSONResponse(
                {
                    "detail": "this server answers under localhost only; bind it with --host to be reached by other names"
                },
                421,
            )
        if len(scope.get("query_string", b"")) > MAX_QUERY_BYTES:
            return JSONResponse({"detail": f"the query has more than {MAX_QUERY_BYTES} bytes"}, 414)
        if scope["path"] == "/login" and self._token is not None:
            return await self._login(Request(scope, receive))
        if scope["method"] not in ("GET", "HEAD"):
            return JSONResponse({"detail": "this server only reads; use GET"}, 405)
        if self._token is None or self._admits(headers, Request(scope)):
            return None
        if scope["path"].startswith("/static/"):  # the login page's style, and scripts that anyone may read
            return None
        if "text/html" in headers.get("accept", ""):
            return RedirectResponse("login", 303)
        return JSONResponse(
            {"detail": "an access token is required: send `Authorization: Bearer TOKEN`"},
            401,
            {"WWW-Authenticate": "Bearer"},
        )

    def _admits(self, headers: Headers, request: Request) -> bool:
        assert self._token is not None
        scheme, _, given = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and hmac.compare_digest(given.strip().encode(), self._token.encode()):
            return True
        return hmac.compare_digest(request.cookies.get(COOKIE, "").encode(), self._session.encode())

    async def _login(self, request: Request) -> Response:
        assert self._token is not None
        page = templates().get_template("login.html")
        if request.method == "GET":
            return HTMLResponse(page.render(wrong=False))
        body = b""
        async for chunk in request.stream():
            body += chunk
            if len(body) > _MAX_FORM_BYTES:
                return JSONResponse({"detail": "the form is too long"}, 413)
        given = parse_qs(body.decode("utf-8", "replace")).get("token", [""])[0].strip()
        if not hmac.compare_digest(given.encode(), self._token.encode()):
            return HTMLResponse(page.render(wrong=True), 401)
        response = RedirectResponse("./", 303)
        response.set_cookie(
            COOKIE, self._session, httponly=True, samesite="strict", secure=request.url.scheme == "https"
        )
        return response


def _host_name(host: str) -> str:
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0]
