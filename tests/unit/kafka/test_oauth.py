"""Tokens are read anew from files, and kept from endpoints until they age."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from pydantic import SecretStr

from config.kafka_security import OAuthSettings
from workers.kafka.errors import CredentialsRefusedError
from workers.kafka.oauth import ClientCredentialsProvider, FileTokenProvider


def test_a_file_is_read_at_every_connection(tmp_path: Path) -> None:
    path = tmp_path / "token"
    provider = FileTokenProvider(path)
    with pytest.raises(CredentialsRefusedError, match="token file"):
        provider.token()
    path.write_text("one\n")
    assert provider.token() == "one"
    path.write_text("two")
    assert provider.token() == "two"


class _Endpoint(BaseHTTPRequestHandler):
    issued = 0

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        known = "client_secret=right" in body and "grant_type=client_credentials" in body
        self.send_response(200 if known else 401)
        self.end_headers()
        if known:
            type(self).issued += 1
            token = {"access_token": f"t{self.issued}", "expires_in": 100}
            self.wfile.write(json.dumps(token).encode())

    def log_message(self, *_: object) -> None:
        """Quiet."""


@pytest.fixture
def url() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), _Endpoint)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/token"
    server.shutdown()
    server.server_close()


def _settings(url: str, secret: str) -> OAuthSettings:
    return OAuthSettings(
        token_url=url, client_id="c", client_secret=SecretStr(secret), renew_before_seconds=20
    )


def test_a_token_is_used_until_shortly_before_it_expires(url: str) -> None:
    now = [0.0]
    provider = ClientCredentialsProvider(_settings(url, "right"), clock=lambda: now[0])
    first = provider.token()
    now[0] = 79.0
    assert provider.token() == first
    now[0] = 80.0
    assert provider.token() != first


def test_a_refusal_names_the_endpoint_and_not_the_secret(url: str) -> None:
    provider = ClientCredentialsProvider(_settings(url, "wrong"))
    with pytest.raises(CredentialsRefusedError, match="token endpoint") as caught:
        provider.token()
    assert "wrong" not in str(caught.value)
