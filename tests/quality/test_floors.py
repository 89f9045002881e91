"""Detection quality must not fall: floors a little below what is reached (`make bench-quality` prints that)."""

import numpy as np
import pytest

from benchmarks import news as sets
from benchmarks.judged import COPY_GRADE, OTHER_GRADE
from pipeline.engine import Engine
from tests.conftest import News

pytestmark = pytest.mark.news
average_precision_score = pytest.importorskip("sklearn.metrics").average_precision_score


@pytest.fixture(autouse=True)
def _data(news: News) -> None:
    news("natural_pairs", limit=1)  # skips where the data is absent


def test_natural_pairs(engine: Engine) -> None:
    pairs = sets.natural_pairs(engine)
    grades = np.array(pairs.labels)
    scored = grades != 2
    assert average_precision_score(grades[scored] >= 3, pairs.scores[scored]) >= 0.90
    rates = {grade: pairs.linked[grades == grade].mean() for grade in (4, 3, 1, 0)}
    assert rates[4] == 1
    assert rates[3] >= 0.70
    assert rates[1] <= 0.03
    assert rates[0] == 0


def test_web_news(engine: Engine) -> None:
    pairs = sets.web_pairs(engine)
    grades = np.array(pairs.labels)
    copies, others = grades >= COPY_GRADE, grades <= OTHER_GRADE
    assert average_precision_score(copies[copies | others], pairs.scores[copies | others]) >= 0.74
    assert pairs.linked[copies].mean() >= 0.58
    assert pairs.linked[others].mean() <= 0.16


def test_reports_of_one_event_and_follow_ups(engine: Engine) -> None:
    near = sets.near_pairs("background_us2018", 3, engine)
    assert near.linked.sum() <= 1  # of 327 that the index proposes


def test_professional_rewrites(engine: Engine) -> None:
    assert sets.onestop(engine).linked.mean() >= 0.975


def test_the_same_event_written_independently(engine: Engine) -> None:
    assert sets.basil(engine).linked.mean() <= 0.01


def test_lookalike_events(engine: Engine) -> None:
    assert sets.ecb(engine).linked.sum() == 0


def test_wire_templates(engine: Engine) -> None:
    pairs = sets.reuters_pairs("hand", engine)
    labels = np.array(pairs.labels)
    assert average_precision_score(labels, pairs.scores) >= 0.93
    assert pairs.linked[labels == 0].mean() <= 0.06
    assert pairs.linked[labels == 1].mean() >= 0.90
    silver = sets.reuters_pairs("silver", engine)
    labels = np.array(silver.labels)
    assert silver.linked[labels == 0].mean() <= 0.04
    assert silver.linked[labels == 1].mean() >= 0.99


@pytest.mark.parametrize(
    ("language", "floor"), [("en", 0.965), ("de", 0.975), ("fr", 0.985), ("is", 0.91), ("ja", 0.95)]
)
def test_rewordings(engine: Engine, language: str, floor: float) -> None:
    pairs = sets.rewordings(language, engine)
    assert (pairs.linked & pairs.candidates).mean() >= floor
    assert pairs.candidates[pairs.linked].mean() >= 0.95


def test_the_seed_pair(engine: Engine) -> None:
    pairs = sets.seed_pair(engine)
    assert pairs.linked.all()
    assert pairs.candidates.all()
    assert pairs.scores[0] >= 0.55 * 1.1
