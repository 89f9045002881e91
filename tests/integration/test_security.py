"""Logging in to a real broker, and being refused."""

import logging
from typing import Any

import pytest

from config.kafka import KafkaSettings
from tests.kafka.broker import PASSWORD, USER, KafkaBroker
from workers.kafka.client import make_admin, make_consumer, make_producer
from workers.kafka.errors import BrokerUnreachableError, CredentialsRefusedError

pytestmark = pytest.mark.kafka


def _settings(broker: KafkaBroker, mechanism: str, password: str = PASSWORD) -> KafkaSettings:
    document: dict[str, Any] = {
        "bootstrap_servers": [f"127.0.0.1:{broker.sasl_port}"],
        "security_protocol": "SASL_PLAINTEXT",
        "sasl": {"mechanism": mechanism, "username": USER, "password": password},
    }
    return KafkaSettings.model_validate(document)


@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"])
def test_logs_in_and_the_password_is_in_no_log(
    live_broker: KafkaBroker, mechanism: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    settings = _settings(live_broker, mechanism)
    clients = [
        make_admin(settings),
        make_consumer(settings, "samewire.security"),
        make_producer(settings, "security"),
    ]
    clients[2].init_transactions()
    assert clients[0].list_topics() is not None
    for client in clients:
        client.close()
    assert caplog.text
    assert PASSWORD not in caplog.text


@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-512"])
def test_a_wrong_password_ends_with_a_line_about_the_login(live_broker: KafkaBroker, mechanism: str) -> None:
    """On a loaded machine kafka-python may see only the hang-up; then the line names the login as a cause."""
    settings = _settings(live_broker, mechanism, "wrong-one")
    impatient = settings.model_copy(
        update={"watchdog": settings.watchdog.model_copy(update={"startup_seconds": 15.0})}
    )
    with pytest.raises((CredentialsRefusedError, BrokerUnreachableError), match="login") as caught:
        make_consumer(impatient, "samewire.security")
    assert "wrong-one" not in str(caught.value)
