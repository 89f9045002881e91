"""The state of the sample stream, made once."""

from pathlib import Path

import pytest

from config.settings import Settings
from pipeline.engine import Engine
from tests.conftest import SAMPLE
from workers.local import LocalWorker


@pytest.fixture(scope="session")
def sample_state(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The state that clustering the sample stream leaves."""
    folder = tmp_path_factory.mktemp("sample")
    with LocalWorker(
        engine,
        Settings(),
        source=str(SAMPLE),
        output=str(folder / "articles.jsonl"),
        events=None,
        dead=None,
        state=folder / "state",
    ) as worker:
        worker.run()
    return folder / "state"
