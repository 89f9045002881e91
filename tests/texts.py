"""Texts that are meant to break things, and articles made quickly."""

from collections.abc import Iterable
from typing import Any

from hypothesis import strategies as st

from pipeline.article import Article

HOSTILE = (
    "",
    " ",
    ".",
    "…",
    "?!" * 50,
    "\n" * 500,
    "\u2028\u2029\x85\x0b\x0c",
    "a",
    "1",
    "１，０００",
    "1,",
    "1,,000 3..5 ,5 .5 5.",
    "1,000,000.00." * 90,
    "漢",
    "漢字",
    "漢 字",
    "COVID-19対策で3,000人",
    "ไทย ภาษาไทย",
    "ກຂ ລາວ",
    "カ゚ガギグ",
    "ﬁnance ﬂow ﬃ",
    "\ufdfa" * 400,  # four words in one character
    "\ufdfa " * 400,
    "\u3316" * 3000,  # six kana in one character: more pairs than bytes
    "\u3300 a" * 600,
    "x " * 3999 + "\u3316",  # the word limit falls inside one character
    "漢" * 3998 + "\u3316" * 3,
    "e\u0301" * 100,
    "\u0301" * 100,
    "\u200b\u200d\u00ad" * 100,
    "👩\u200d👩\u200d👧 family",
    "𠀀𠀁𠀂",
    "𝕬𝖑𝖎𝖈𝖊 ①②③ Ⅷ",
    "\U0010fffd\ue000\ufffe",
    "İstanbul'da ıı",
    "ΌΣΟΣ ς",
    '"' * 99,
    "“" * 99,
    "“quote " + "word " * 400,
    "word " * 5000,
    "w" * 100_000,
    "1" * 100_000,
    "漢" * 9000,
    " ".join(f"word{n}" for n in range(6000)),
    "Read more: " * 300,
    "Read more\n" * 300,
    "مرحبا بالعالم، 123",
    "שלום עולם",
    "हिन्दी में समाचार।",
    "한국어 뉴스 기사",
    "\u1100\u1161\u11a8",
    "<GM.N> rose & fell &amp;amp; rose",
    "&#0; &#xd800; &#99999999999; &notanentity; &",
    "<script>" * 50,
    "<!--" * 50,
    "a<b>c</b>" * 200,
)

# Any text that JSON can carry, denser in what the text rules look at.
_PIECES = st.one_of(
    st.text(max_size=12),
    st.text(alphabet="aé1,.\n\"“ 漢カไ-'&<>;", max_size=12),
    st.sampled_from(HOSTILE[:34]).map(lambda text: text[:60]),
    st.sampled_from(
        ["<p>", "</p>", "&amp;", "\n\n", "Read more", "LONDON (Reuters) - ", "3.5", "Mr. Smith", "\u3316"]
    ),
)
any_text = st.lists(_PIECES, max_size=30).map(lambda pieces: "".join(pieces))


def articles(texts: Iterable[str]) -> list[Article]:
    """Articles ``a0``, ``a1``, … of these texts."""
    return [Article(id=f"a{number}", text=text) for number, text in enumerate(texts)]


def article_from_news(record: dict[str, Any]) -> Article:
    """An article of the evaluation data."""
    return Article(id=str(record["id"]), text=record["text"], title=record["title"] or "")
