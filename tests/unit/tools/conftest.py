"""The state of the sample stream, and one in which stories live, each made once."""

from pathlib import Path

import pytest

from config.settings import Settings
from pipeline.engine import Engine
from tests.conftest import SAMPLE
from tests.runs import cluster
from tests.unit.tools.lives import catalogue_of, living_state
from workers.tools.catalogue import Catalogue


@pytest.fixture(scope="session")
def sample_state(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The state that clustering the sample stream leaves."""
    return cluster(engine, Settings(), SAMPLE.read_bytes().splitlines(), tmp_path_factory.mktemp("sample"))


@pytest.fixture(scope="session")
def living(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A state in which articles were corrected and killed, and clusters came apart."""
    return living_state(tmp_path_factory.mktemp("living") / "state")


@pytest.fixture(scope="session")
def living_catalogue(living: Path) -> Catalogue:
    """What that state holds."""
    return catalogue_of(living)
