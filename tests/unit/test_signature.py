"""Signatures are datasketch's, bit for bit, and stay the same without numba."""

import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import orjson
import pytest
from datasketch import LeanMinHash
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.article import Article
from pipeline.bands import PERMUTATIONS, estimated_similarity, low_bytes
from pipeline.engine import Engine
from pipeline.kernels import COMPILED
from pipeline.signature import lean_minhash, reference_signature, sign
from pipeline.tokens import MAX_TOKENS
from tests.conftest import ROOT, SAMPLE, News
from tests.texts import HOSTILE, article_from_news, articles


def assert_as_datasketch(engine: Engine, batch: list[Article]) -> None:
    """Sign a batch and compare each row with datasketch's own."""
    sketches, signatures = engine.sketcher.signed(batch)
    assert signatures.shape == (len(batch), PERMUTATIONS)
    for row, signature in enumerate(signatures):
        assert signature.tolist() == reference_signature(sketches.tokens_of(row), PERMUTATIONS).tolist()


def test_hostile_texts_are_signed_as_datasketch_signs_them(engine: Engine) -> None:
    assert_as_datasketch(engine, articles(HOSTILE))


def test_the_sample_is_signed_as_datasketch_signs_it(engine: Engine, sample: list[Article]) -> None:
    assert_as_datasketch(engine, sample)


@pytest.mark.news
def test_news_in_all_languages_is_signed_as_datasketch_signs_it(engine: Engine, news: News) -> None:
    records = news("rewordings_wmt")[::10] + news("background_multinews", 100) + news("reuters_stream", 100)
    assert {record["lang"] for record in records} >= {"en", "de", "fr", "is", "ja"}
    assert len(records) >= 300
    assert_as_datasketch(engine, [article_from_news(record) for record in records])


@settings(deadline=None)
@given(st.lists(st.lists(st.integers(0, 2**32 - 1), max_size=40), min_size=1, max_size=5))
def test_any_tokens_are_signed_as_datasketch_signs_them(batch: list[list[int]]) -> None:
    tokens = np.array([token for row in batch for token in row], np.uint32)
    ends = np.cumsum([len(row) for row in batch])
    signatures = sign(tokens, ends, 16)
    for signature, (first, end) in zip(signatures, pairwise([0, *ends.tolist()]), strict=True):
        assert signature.tolist() == reference_signature(tokens[first:end], 16).tolist()


def test_as_many_distinct_words_as_an_article_can_have() -> None:
    heavy = np.arange(MAX_TOKENS, dtype=np.uint32) * np.uint32(4_000_037) & np.uint32(0xFFFFFF00) | np.uint32(
        5 << 5
    )
    signature = sign(heavy, np.array([len(heavy)]), 32)[0]
    assert signature.tolist() == reference_signature(heavy, 32).tolist()


def test_an_article_without_words_has_only_ones() -> None:
    signatures = sign(np.empty(0, np.uint32), np.zeros(2, np.int64), PERMUTATIONS)
    assert (signatures == 0xFFFFFFFF).all()
    assert sign(np.empty(0, np.uint32), np.empty(0, np.int64), PERMUTATIONS).shape == (0, PERMUTATIONS)


def test_the_order_and_number_of_words_do_not_matter(engine: Engine) -> None:
    _, signatures = engine.sketcher.signed(
        articles(
            [
                "Skarvik ferry aground",
                "aground ferry Skarvik",
                "Skarvik Skarvik ferry aground aground aground",
            ]
        )
    )
    assert (signatures[0] == signatures).all()


def test_a_signature_is_a_lean_minhash(engine: Engine, sample: list[Article]) -> None:
    _, signatures = engine.sketcher.signed(sample[:20])
    for left, right in pairwise(signatures):
        mine, other = lean_minhash(left), lean_minhash(right)
        assert isinstance(mine, LeanMinHash)
        assert mine.jaccard(other) == np.mean(left == right)
        buffer = bytearray(mine.bytesize())
        mine.serialize(buffer)
        assert LeanMinHash.deserialize(buffer).jaccard(mine) == 1.0


def test_the_estimate_from_low_bytes_is_close_to_that_from_whole_values(
    engine: Engine, sample: list[Article]
) -> None:
    _, signatures = engine.sketcher.signed(sample)
    lows = low_bytes(signatures)
    for i, j in ((0, 1), (1, 2), (1, 3), (4, 7), (9, 10)):
        whole = float(np.mean(signatures[i] == signatures[j]))
        assert abs(estimated_similarity(lows[i], lows[j]) - whole) < 0.03


_WITHOUT_NUMBA = """
import sys
sys.modules["numba"] = None  # importing it raises ImportError
import orjson
from pipeline.article import parse_line
from pipeline.engine import Engine
from pipeline.kernels import COMPILED
from pipeline.matcher import Matcher
engine = Engine()
articles = [parse_line(line) for line in open(sys.argv[1], "rb").read().splitlines()[:10]]
sketches, signatures = engine.sketcher.signed(articles)
matcher = Matcher(engine.fingerprint)
answers = matcher.match([a.id for a in articles], [a.published_ms for a in articles], sketches).answers
print(orjson.dumps({
    "compiled": COMPILED,
    "tokens": sketches.tokens.tolist(),
    "ends": sketches.ends.tolist(),
    "signatures": signatures.tolist(),
    "answers": [answer.record(engine.fingerprint) for answer in answers],
    "pair": engine.score_pair(articles[1], articles[2])[0].score,
}).decode())
"""


@pytest.mark.skipif(not COMPILED, reason="numba is not here: everything is interpreted already")
def test_without_numba_the_same_answers_come_more_slowly(tmp_path: Path) -> None:
    code, compiled = _WITHOUT_NUMBA, _WITHOUT_NUMBA.replace('sys.modules["numba"] = None', "")
    results = [
        orjson.loads(
            subprocess.run(
                [sys.executable, "-c", program, str(SAMPLE)],
                cwd=ROOT,
                check=True,
                capture_output=True,
                timeout=300,
            ).stdout
        )
        for program in (code, compiled)
    ]
    assert [result.pop("compiled") for result in results] == [False, True]
    assert any(answer["matched_id"] for answer in results[0]["answers"])
    assert results[0] == results[1]
