"""Croatian and Chinese, by the texts that we wrote (``tests/data/rewordings_hr_zh.jsonl``): needs no other data."""

import numpy as np
import pytest

from benchmarks.news import WRITTEN_LANGUAGES, written_rewordings
from pipeline.engine import Engine


@pytest.mark.parametrize("language", WRITTEN_LANGUAGES)
def test_renderings_of_one_article_link_and_nothing_else_does(engine: Engine, language: str) -> None:
    pairs = written_rewordings(language, engine)
    copies = np.array(pairs.labels) == 1
    found = pairs.linked & pairs.candidates
    assert copies.sum() >= 36  # twelve articles in three renderings
    assert found[copies].mean() >= 0.90
    assert (~copies).sum() >= 36
    assert not pairs.linked[~copies].any()
