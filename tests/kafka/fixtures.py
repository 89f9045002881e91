"""One real broker for the whole test run, and a name of its own for every topic."""

import os
import shutil
import tempfile
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.kafka.broker import KafkaBroker, missing_tools
from tests.kafka.deployment import ROOT, Deployment
from tests.kafka.waiting import wait_for


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


def fresh_names() -> Callable[[str], str]:
    """Return a maker of names that no other has used: one broker serves all tests."""
    token = uuid.uuid4().hex[:8]
    return lambda stem: f"{stem}.{token}"


@pytest.fixture
def fresh() -> Callable[[str], str]:
    """Makes names that no other test has used."""
    return fresh_names()


SAMPLE = ROOT / "tests" / "data" / "wire_sample.jsonl"
TWO_DESKS = """
[kafka.desks]
count = 2
by_language = { de = 1, fr = 1 }
"""


@pytest.fixture(scope="module")
def deployed(broker: KafkaBroker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """A signer and a matcher of two desks that have matched the sample stream, and go on."""
    broker.start()
    folder = tmp_path_factory.mktemp("deployed")
    with Deployment(folder, broker.bootstrap, fresh_names(), TWO_DESKS) as deployment:
        deployment.start("sign-0")
        deployment.start("match-0")
        lines = SAMPLE.read_bytes().splitlines()
        deployment.produce(lines)
        wait_for("the sample's answers", lambda: len(deployment.answers()) == len(lines), 120, every=0.2)
        yield deployment
