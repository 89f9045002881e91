"""The band index finds what datasketch's LSH finds, within the window and under its cap."""

from collections.abc import Iterable

import numpy as np
import pytest
from datasketch import MinHashLSH

from pipeline.article import Article
from pipeline.bands import BANDS, PERMUTATIONS, ROWS, Bytes, candidate_probability, low_bytes, shares_band
from pipeline.engine import Engine
from pipeline.index import gather, insert, link_all
from pipeline.signature import Signatures, lean_minhash
from pipeline.window import MIN_CAPACITY, NO_ROW, ORDINAL_MASK, Window
from tests.conftest import News
from tests.texts import HOSTILE, article_from_news

NO_LIMIT = 1 << 30


class Index:
    """The index alone, driven one article at a time, without clusters."""

    def __init__(self, first: int = 1) -> None:
        self.window = Window(MIN_CAPACITY)
        self.window.first = self.window.open = self.window.next = first
        self.cut = 0

    def add(self, low: Bytes, limit: int = NO_LIMIT) -> set[int]:
        """Enter an article (low bytes); return the ordinals before it that share a band."""
        window = self.window
        ordinal, slot = window.next, window.slot(window.next)
        window.slots.low[slot] = low
        window.slots.row[slot] = 0
        window.slots.tokens[slot] = 1
        seen, candidates = np.zeros(window.capacity, np.int64), np.empty(window.capacity, np.int64)
        count = ordinal - window.open
        slots = window.slots
        insert(ordinal, slot, window.heads, slots.low, slots.following)
        found, cut = gather(
            slot, ordinal, count, slots.low, slots.following, slots.row, limit, seen, candidates
        )
        self.cut += cut
        window.next += 1
        return set(candidates[:found].tolist())


def random_lows(count: int, values: int) -> Bytes:
    """Low bytes from so few values that many bands agree."""
    drawn = np.random.default_rng(5).integers(0, values, (count, PERMUTATIONS))
    return low_bytes(drawn.astype(np.uint32))


def expected(lows: Bytes, first: int) -> list[set[int]]:
    """The candidates of each row among the rows before it, by comparing all pairs."""
    return [{first + j for j in range(i) if shares_band(lows[i], lows[j])} for i in range(len(lows))]


def signatures_of(engine: Engine, articles: Iterable[Article]) -> Signatures:
    """The whole signatures of the articles that have tokens."""
    sketches, signatures = engine.sketcher.signed(list(articles))
    return signatures[np.diff(sketches.ends, prepend=0) > 0]


def assert_agrees_with_datasketch(signatures: Signatures) -> None:
    """Feed both indexes the same articles and compare each query."""
    index, lsh = Index(), MinHashLSH(num_perm=PERMUTATIONS, params=(BANDS, ROWS))
    lows = low_bytes(signatures)
    pairs = extras = compared = 0
    for ordinal, (signature, low) in enumerate(zip(signatures, lows, strict=True), 1):
        theirs = set(lsh.query(lean_minhash(signature)))
        ours = index.add(low)
        assert ours >= theirs
        for extra in ours - theirs:
            assert shares_band(low, lows[extra - 1])
        pairs, extras, compared = pairs + len(theirs), extras + len(ours - theirs), compared + ordinal - 1
        lsh.insert(ordinal, lean_minhash(signature))
    assert pairs > 0
    assert extras < 0.001 * compared  # the 24 bits that are kept of a band's 96 are nearly enough


def test_candidates_are_those_of_datasketch_on_the_sample(engine: Engine, sample: list[Article]) -> None:
    assert_agrees_with_datasketch(signatures_of(engine, sample))


@pytest.mark.news
def test_candidates_are_those_of_datasketch_on_news(engine: Engine, news: News) -> None:
    records = news("reuters_stream", 500) + news("rewordings_wmt")[::10]
    texts = [article_from_news(record) for record in records]
    assert_agrees_with_datasketch(signatures_of(engine, texts + [Article(t[:9], t) for t in HOSTILE]))


def test_candidates_are_exactly_the_pairs_that_share_a_band() -> None:
    lows = random_lows(400, 40)
    wanted = expected(lows, 1)
    assert 0 < sum(map(len, wanted)) < 400 * 399 / 2
    index = Index()
    assert [index.add(low) for low in lows] == wanted
    assert index.cut == 0


def test_nothing_is_lost_when_the_ring_grows() -> None:
    lows = random_lows(400, 40)
    wanted = expected(lows, 1)
    index = Index()
    for low in lows[:200]:
        index.add(low)
    window = index.window
    window.grow_slots()
    link_all(window.first, window.next, window.heads, window.slots)
    assert [index.add(low) for low in lows[200:]] == wanted[200:]


def test_ordinals_may_pass_32_bits() -> None:
    first = ORDINAL_MASK - 50
    lows = random_lows(300, 40)
    index = Index(first)
    found = [index.add(low) for low in lows]
    wanted = expected(lows, first)
    assert found == wanted
    assert index.window.next > ORDINAL_MASK + 200


def test_the_ring_can_be_reused_without_finding_what_was_there() -> None:
    same = random_lows(1, 200)[0]
    index = Index()
    kept = 20
    for n in range(3 * MIN_CAPACITY):
        window = index.window
        window.first = window.open = max(window.open, window.next - kept)
        low = same if n % 7 == 0 else np.roll(same, 1 + n % 97)
        assert all(window.open <= ordinal < window.next for ordinal in index.add(low))


def test_expired_articles_are_not_found() -> None:
    low = random_lows(1, 200)[0]
    index = Index()
    for _ in range(10):
        index.add(low)
    index.window.open = 8
    assert index.add(low) == {8, 9, 10}


def test_withdrawn_articles_are_not_found_and_take_nobodys_place() -> None:
    low = random_lows(1, 200)[0]
    index = Index()
    for _ in range(10):
        index.add(low)
    index.window.slots.row[index.window.slot(10)] = NO_ROW
    index.window.slots.row[index.window.slot(8)] = NO_ROW
    assert index.add(low, limit=3) == {6, 7, 9}


def test_of_a_hot_bucket_only_the_newest_are_looked_at_and_each_cut_is_counted() -> None:
    low = random_lows(1, 200)[0]
    index = Index()
    for _ in range(5):
        index.add(low, limit=5)
    assert index.cut == 0
    assert index.add(low, limit=5) == {1, 2, 3, 4, 5}
    assert index.cut == 0
    assert index.add(low, limit=5) == {2, 3, 4, 5, 6}
    assert index.cut == BANDS


@pytest.mark.parametrize(
    ("similarity", "least", "most"), [(0.0, 0, 0), (0.1, 0.05, 0.15), (0.3, 0.9, 0.96), (1.0, 1, 1)]
)
def test_the_s_curve(similarity: float, least: float, most: float) -> None:
    assert least <= candidate_probability(similarity) <= most
