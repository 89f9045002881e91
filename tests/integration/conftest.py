"""Settings for the test broker."""

import pytest

from config.kafka import KafkaSettings
from tests.kafka.broker import KafkaBroker


@pytest.fixture
def settings(live_broker: KafkaBroker) -> KafkaSettings:
    """Settings for the test broker with time limits that suit a test."""
    return KafkaSettings.model_validate(
        {
            "bootstrap_servers": [live_broker.bootstrap],
            "groups": {"session_timeout_seconds": 3.0, "heartbeat_seconds": 0.5},
            "transactions": {"timeout_seconds": 5.0, "deadline_seconds": 20.0},
            "topics": {"replication_factor": 1},
        }
    )
