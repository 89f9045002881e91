"""Croatian and Chinese, by the texts that we wrote (``tests/data/rewordings_hr_zh.jsonl``): needs no other data."""

import numpy as np
import pytest

from benchmarks.news import written_rewordings
from pipeline.engine import Engine


# Two Chinese look-alikes link: names in Chinese have no capitals, so that the rule for templates sees figures only.
@pytest.mark.parametrize(("language", "wrong"), [("hr", 0), ("zh", 2)])
def test_renderings_of_one_article_link_and_nothing_else_does(
    engine: Engine, language: str, wrong: int
) -> None:
    pairs = written_rewordings(language, engine)
    copies = np.array(pairs.labels) == 1
    found = pairs.linked & pairs.candidates
    assert copies.sum() >= 36  # twelve articles in three renderings
    assert found[copies].mean() >= 0.90
    assert (~copies).sum() >= 36
    assert pairs.linked[~copies].sum() == wrong
