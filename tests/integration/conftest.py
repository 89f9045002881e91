"""One real broker for the whole test run, and a name of its own for every topic."""

import os
import shutil
import tempfile
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from config.kafka import KafkaSettings
from tests.kafka.broker import KafkaBroker, missing_tools


@pytest.fixture(scope="session")
def broker(request: pytest.FixtureRequest) -> Iterator[KafkaBroker]:
    """A running broker; skips with one line where Java or Maven lack, and fails there when CI is true."""
    missing = missing_tools()
    if missing:
        reason = f"NO REAL KAFKA: {' and '.join(missing)} not installed, the exactly-once tests did not run"
        if os.environ.get("CI", "").lower() == "true":
            pytest.fail(reason, pytrace=False)
        pytest.skip(reason)
    with KafkaBroker() as running:
        yield running
        if request.session.testsfailed:
            kept = Path(tempfile.gettempdir()) / "samewire-failed-broker.log"
            shutil.copyfile(running.log_file, kept)
            print(f"\nthe broker's log is kept in {kept}")  # noqa: T201 - said to whoever runs the tests


@pytest.fixture
def live_broker(broker: KafkaBroker) -> KafkaBroker:
    """The session's broker, started again if the test before left it down."""
    broker.start()
    return broker


@pytest.fixture
def fresh() -> Callable[[str], str]:
    """Makes names that no other test has used: one broker serves all of them."""
    token = uuid.uuid4().hex[:8]

    def name(stem: str) -> str:
        return f"{stem}.{token}"

    return name


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
