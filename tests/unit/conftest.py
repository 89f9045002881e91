"""What unit tests share."""

from collections.abc import Callable

import pytest

from pipeline.engine import Engine
from pipeline.matcher import WindowRules
from tests.desks import Desk


@pytest.fixture
def desk(engine: Engine) -> Callable[..., Desk]:
    """Make a desk: ``desk()`` or ``desk(rules)``."""

    def make(rules: WindowRules | None = None, fingerprint: str = "") -> Desk:
        return Desk(engine, rules, fingerprint)

    return make
