"""OAUTHBEARER tokens, from a file that another process renews or by the client-credentials grant."""

import json
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Callable
from pathlib import Path

from kafka.net.sasl.oauth import AbstractTokenProvider

from config.kafka_security import OAuthSettings
from workers.kafka.errors import CredentialsRefusedError

# Lifetime of a token whose endpoint does not say: RFC 6749 leaves `expires_in` optional.
UNSTATED_LIFETIME_SECONDS = 300.0


class FileTokenProvider(AbstractTokenProvider):  # type: ignore[misc] # kafka-python ships no types
    """Reads the token anew at every connection, since projected files are replaced before they expire."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path

    def token(self) -> str:
        """The file's content.

        Raises:
            CredentialsRefusedError: the file is missing or empty.
        """
        try:
            token = self._path.read_text(encoding="utf-8").strip()
        except OSError as error:
            raise CredentialsRefusedError(f"token file {self._path}: {error.strerror}") from error
        if not token:
            raise CredentialsRefusedError(f"token file {self._path} is empty")
        return token


class ClientCredentialsProvider(AbstractTokenProvider):  # type: ignore[misc] # kafka-python ships no types
    """Fetches a token by the client-credentials grant (RFC 6749, section 4.4) and keeps it until it ages."""

    def __init__(self, settings: OAuthSettings, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._settings = settings
        self._clock = clock
        self._lock = threading.Lock()  # producer and consumer threads may connect at once
        self._token = ""
        self._renew_at = 0.0

    def token(self) -> str:
        """A token that is valid for at least `renew_before_seconds`.

        Raises:
            CredentialsRefusedError: the endpoint refused or did not answer with a token.
        """
        with self._lock:
            if not self._token or self._clock() >= self._renew_at:
                self._token, lifetime_seconds = self._fetch()
                # A token shorter-lived than the margin is renewed at half its life instead of every time.
                margin_seconds = min(self._settings.renew_before_seconds, lifetime_seconds / 2)
                self._renew_at = self._clock() + lifetime_seconds - margin_seconds
            return self._token

    def _fetch(self) -> tuple[str, float]:
        settings = self._settings
        assert settings.token_url is not None
        assert settings.client_secret is not None
        form = {
            "grant_type": "client_credentials",
            "client_id": settings.client_id or "",
            "client_secret": settings.client_secret.get_secret_value(),
        }
        if settings.scope:
            form["scope"] = settings.scope
        request = urllib.request.Request(  # noqa: S310 - the settings allow http and https only
            settings.token_url,
            data=urllib.parse.urlencode(form).encode(),
            headers={"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=settings.request_timeout_seconds) as answer:  # noqa: S310
                document = json.load(answer)
            return str(document["access_token"]), float(document.get("expires_in", UNSTATED_LIFETIME_SECONDS))
        except (OSError, ValueError, KeyError, TypeError) as error:
            # The error's own text may quote the request; name only the endpoint and the kind.
            raise CredentialsRefusedError(
                f"token endpoint {settings.token_url}: {type(error).__name__};"
                " check client_id and client_secret"
            ) from None


def token_provider(settings: OAuthSettings) -> FileTokenProvider | ClientCredentialsProvider:
    """The provider that the settings ask for."""
    if settings.token_file is not None:
        return FileTokenProvider(settings.token_file)
    return ClientCredentialsProvider(settings)
