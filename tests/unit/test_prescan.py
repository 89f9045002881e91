"""Steps that the prescan rules out would have changed nothing."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.article import Article
from pipeline.engine import Engine
from pipeline.kernels import COMPILED
from pipeline.prescan import EVERYTHING, PRESCAN_PADDING, prescan
from pipeline.sketch import RUN
from pipeline.text import AGENCIES, MONTHS, clean
from tests.conftest import News
from tests.texts import HOSTILE, any_text, article_from_news

# What the steps look for, whole and in pieces.
FRAGMENTS = (
    *("WASHINGTON, ", "Offenbach ", "SÃO PAULO", "NEW YORK, N.Y. ", "Paris ", "Köln, ", "U.S. ", "SALVADOR, Feb 26 "),
    *("(Reuters) ", "(dpa)", "( AP )", "(AP Photo/A Name)", "(Photo by", " via Getty)", "(Quelle: reuters/X)", "(a"),
    *("- ", " - - ", "—", "–", ": ", "|", "* ", "Feb 26 ", "5. März ", ", 3. Mai ", ", May 3, 2018", ",\n", ", décembre"),
    *(", 3. svibnja 2026. - ", ", 12. prosinca —", "ZAGREB, ", "中新社雅加达7月14日电", "中央社台北3日電", "word " * 90),
    *("By Jane Doe\n", "Von A. B. | ", "Par ", "UPDATE 1-", "Breaking: ", "BREAKING NEWS   - ", "ÚLTIMA HORA: ", "RPT"),
    *("(Adds quotes) ", "(This May 4 story corrects x)", "【速報】", "東京（共同社）", "新华社北京3月10日电", "(速報)"),
    *("&amp;", "&", "<p>", "<GM.N>", "</", "â€™", "Ã©", "ï", "https://a.org/b ", "www.a", "http", "Watch more: "),
    *("(@jane) May 3, 2018", "( @", "@", "window.x = 1;", "a.push(b{", "=", "{", "Jane RoeOther headline MORE said", "MOR"),
    *("\n", "\n\n", "  ", "\u00a0", "\u2028", "\t", "ſ", "ı", "K", "a", "The ferry ran aground. ", "said on Monday, and "),
)  # fmt: skip
composed = st.lists(st.sampled_from(FRAGMENTS), max_size=9).map("".join)


def suspicions(texts: list[str]) -> list[int]:
    """What the prescan says of texts."""
    contents = [text.encode("utf-8", "replace") for text in texts]
    starts = np.cumsum([0] + [len(content) for content in contents], dtype=np.int64)
    buffer = np.frombuffer(b"".join(contents) + bytes(PRESCAN_PADDING), np.uint8)
    return [int(found) for found in prescan(buffer, starts)]


def assert_nothing_missed(texts: list[str]) -> None:
    """Clean with and without the prescan."""
    for text, found in zip(texts, suspicions(texts), strict=True):
        assert clean(text, found) == clean(text)


def test_every_month_and_every_agency_is_suspected() -> None:
    months = MONTHS.split("|")
    datelines = [f"BRENHOLM, {month} 3 - A ferry ran aground." for month in months]
    datelines += [f"Brenholm, 3. {month} - A ferry ran aground." for month in months]
    datelines += [f"Brenholm ({agency}) - A ferry ran aground." for agency in AGENCIES.split("|")]
    assert all(clean(text) == "A ferry ran aground." for text in datelines)
    assert_nothing_missed(datelines)


@settings(max_examples=500, deadline=None)
@given(st.lists(composed, min_size=1, max_size=5))
def test_no_step_is_missed_in_composed_texts(texts: list[str]) -> None:
    assert_nothing_missed(texts)


@settings(deadline=None)
@given(any_text)
def test_no_step_is_missed_in_any_text(text: str) -> None:
    assert_nothing_missed([text, text[::-1]])


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_no_step_is_missed_in_hostile_texts(text: str) -> None:
    assert_nothing_missed([text[:30_000]])


@pytest.mark.news
def test_no_step_is_missed_in_news(news: News) -> None:
    records = news("rewordings_wmt")[::5] + news("background_us2018", 500) + news("reuters_stream", 500)
    assert_nothing_missed([article_from_news(record).text for record in records])


@pytest.mark.skipif(not COMPILED, reason="without numba everything is suspected")
def test_prose_is_not_suspected() -> None:
    assert suspicions(["The ferry ran aground near the port on Monday evening.", "Nobody was hurt."]) == [
        0,
        0,
    ]


def test_every_suspicion_cleans_all() -> None:
    text = "WASHINGTON, March 3 (Reuters) - The <b>ferry</b> ran aground."
    assert clean(text, EVERYTHING) == clean(text) != text
    assert clean(text, 0) == text


def test_an_article_is_the_same_in_any_batch(engine: Engine, sample: list[Article]) -> None:
    many = (sample * (2 * RUN // len(sample) + 2))[: 2 * RUN + 1]
    together = engine.sketcher.sketch(many)
    for row in (0, RUN - 1, RUN, 2 * RUN):
        alone = engine.sketcher.sketch([many[row]])
        assert together.tokens_of(row).tolist() == alone.tokens.tolist()
        assert together.low[row].tolist() == alone.low[0].tolist()
