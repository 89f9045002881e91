"""How connections to Kafka are protected: TLS, SASL, and where tokens come from.

Secrets are `SecretStr`: they show as asterisks in `repr`, logs and JSON.
"""

from enum import StrEnum
from pathlib import Path
from typing import Self

from pydantic import Field, SecretStr, model_validator

from config.frozen import Frozen, Seconds


class SecurityProtocol(StrEnum):
    """How connections are protected."""

    PLAINTEXT = "PLAINTEXT"
    SSL = "SSL"
    SASL_PLAINTEXT = "SASL_PLAINTEXT"
    SASL_SSL = "SASL_SSL"

    @property
    def encrypted(self) -> bool:
        """Whether the connection is under TLS."""
        return self in (SecurityProtocol.SSL, SecurityProtocol.SASL_SSL)

    @property
    def authenticated(self) -> bool:
        """Whether the client logs in with SASL."""
        return self in (SecurityProtocol.SASL_PLAINTEXT, SecurityProtocol.SASL_SSL)


class SaslMechanism(StrEnum):
    """The login methods that samewire speaks."""

    PLAIN = "PLAIN"
    SCRAM_SHA_256 = "SCRAM-SHA-256"
    SCRAM_SHA_512 = "SCRAM-SHA-512"
    OAUTHBEARER = "OAUTHBEARER"


class TlsSettings(Frozen):
    """Certificates of a TLS connection."""

    ca_file: Path | None = Field(
        default=None, description="CA certificates in PEM; the system's store when unset"
    )
    certificate_file: Path | None = Field(
        default=None, description="client certificate in PEM, for mutual TLS"
    )
    key_file: Path | None = Field(default=None, description="private key of the client certificate")
    key_password: SecretStr | None = Field(default=None, description="password of the private key")
    check_hostname: bool = Field(
        default=True,
        description="the certificate must name the broker; off only for a tunnel whose end you trust",
    )

    @model_validator(mode="after")
    def _pair(self) -> Self:
        if (self.certificate_file is None) != (self.key_file is None):
            raise ValueError("tls.certificate_file and tls.key_file belong together: set both or neither")
        return self


class OAuthSettings(Frozen):
    """Where an OAUTHBEARER token comes from: a file that another process renews, or client credentials."""

    token_file: Path | None = Field(
        default=None,
        description="a file with the token, read again at every connection (Kubernetes projects such files)",
    )
    token_url: str | None = Field(
        default=None,
        pattern=r"^https?://",
        description="token endpoint for the client-credentials grant (RFC 6749, 4.4)",
    )
    client_id: str | None = Field(default=None, description="client id for the token endpoint")
    client_secret: SecretStr | None = Field(default=None, description="client secret for the token endpoint")
    scope: str | None = Field(default=None, description="scope asked for, when the endpoint wants one")
    renew_before_seconds: float = Field(
        default=60.0,
        ge=0,
        description="a token is renewed this long before it expires, so that no login uses a stale one",
    )
    request_timeout_seconds: Seconds = Field(
        default=10.0, description="limit of one token request; the broker's login waits for it"
    )

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        endpoint = (self.token_url, self.client_id, self.client_secret)
        if self.token_file is not None:
            if any(part is not None for part in endpoint):
                raise ValueError(
                    "sasl.oauth: give token_file or token_url with client_id and client_secret, not both"
                )
        elif any(part is None for part in endpoint):
            raise ValueError("sasl.oauth: set token_file, or all of token_url, client_id and client_secret")
        return self


class SaslSettings(Frozen):
    """How the client logs in."""

    mechanism: SaslMechanism = Field(
        default=SaslMechanism.SCRAM_SHA_512,
        description="SCRAM never sends the password itself, hence the default",
    )
    username: str | None = Field(default=None, description="user for PLAIN and SCRAM")
    password: SecretStr | None = Field(default=None, description="password for PLAIN and SCRAM")
    oauth: OAuthSettings | None = Field(default=None, description="token source for OAUTHBEARER")

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.mechanism is SaslMechanism.OAUTHBEARER:
            if self.oauth is None:
                raise ValueError("sasl.mechanism OAUTHBEARER needs sasl.oauth")
            if self.username is not None or self.password is not None:
                raise ValueError("sasl.username and sasl.password are not used by OAUTHBEARER; remove them")
            return self
        if self.oauth is not None:
            raise ValueError(f"sasl.oauth is not used by {self.mechanism}; remove it or set OAUTHBEARER")
        if not self.username or self.password is None:
            raise ValueError(f"sasl.mechanism {self.mechanism} needs sasl.username and sasl.password")
        return self
