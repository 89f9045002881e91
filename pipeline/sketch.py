"""A batch of articles as the engine sees them: tokens and signatures.

This is the work of the *sign* step: it needs nothing but the articles, so any number
of workers can do it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipeline.article import Article
from pipeline.bands import PERMUTATIONS, Bytes, low_bytes
from pipeline.codepoints import CodePoints, code_points
from pipeline.furniture import default_furniture
from pipeline.prescan import PRESCAN_PADDING, prescan
from pipeline.signature import Signatures, sign
from pipeline.text import clean, strip_lead
from pipeline.tokenizer import PADDING_BYTES, tokenize
from pipeline.tokens import MAX_TOKENS, Tokens
from pipeline.weights import TermTable, default_table, recent_words

# Editors write their own headlines, so in a whole story the title says more about the outlet
# than about the copy (docs/quality.md has the measurement). In a flash it is half of the story.
TITLED_BYTES = 240
# So many texts are read together: what is done to them stays in the processor's second cache.
RUN = 256
_PADDING = bytes(max(PADDING_BYTES, PRESCAN_PADDING))


@dataclass(frozen=True, slots=True)
class Sketches:
    """The features of a batch of ``n`` articles.

    ``tokens``: uint32, all articles' tokens back to back. ``ends``: int64 ``[n]``,
    where each article's tokens end. ``low``: uint8 ``[n, PERMUTATIONS]``, the low
    bytes of the signatures.
    """

    tokens: Tokens
    ends: npt.NDArray[np.int64]
    low: Bytes

    def __len__(self) -> int:
        return len(self.ends)

    @classmethod
    def none(cls) -> Sketches:
        """Return the features of no articles."""
        return cls(np.empty(0, np.uint32), np.empty(0, np.int64), np.empty((0, PERMUTATIONS), np.uint8))

    def tokens_of(self, row: int) -> Tokens:
        """Return one article's tokens."""
        return self.tokens[int(self.ends[row - 1]) if row else 0 : int(self.ends[row])]

    def between(self, first: int, end: int) -> Sketches:
        """Return the sketches of a run of the articles."""
        before = int(self.ends[first - 1]) if first else 0
        after = int(self.ends[end - 1]) if end > first else before
        return Sketches(self.tokens[before:after], self.ends[first:end] - before, self.low[first:end])

    def select(self, rows: Sequence[int]) -> Sketches:
        """Return the sketches of some of the articles."""
        kept = [self.tokens_of(row) for row in rows]
        return Sketches(
            np.concatenate(kept) if kept else np.empty(0, np.uint32),
            np.cumsum([len(t) for t in kept], dtype=np.int64),
            self.low[rows],
        )


def _joined(texts: list[bytes]) -> tuple[Bytes, npt.NDArray[np.int64]]:
    """Return texts in one padded buffer, and where each begins and the last ends."""
    starts = np.zeros(len(texts) + 1, dtype=np.int64)
    np.cumsum([len(text) for text in texts], out=starts[1:])
    return np.frombuffer(b"".join((*texts, _PADDING)), dtype=np.uint8), starts


class Sketcher:
    """Makes sketches with one term table and one set of furniture phrases."""

    def __init__(
        self, table: TermTable | None = None, furniture: npt.NDArray[np.uint32] | None = None
    ) -> None:
        self.table = table if table is not None else default_table()
        self.furniture = furniture if furniture is not None else default_furniture()
        self._points: CodePoints = code_points()

    def tokens(self, articles: Sequence[Article]) -> tuple[Tokens, npt.NDArray[np.int64]]:
        """Return the tokens of a batch, back to back, and where each article's end."""
        recent = recent_words()
        runs = [self._read(articles[at : at + RUN], recent) for at in range(0, len(articles), RUN)]
        if len(runs) == 1:
            return runs[0]
        before = np.cumsum([0] + [len(tokens) for tokens, _ in runs])
        return (
            np.concatenate([np.empty(0, np.uint32), *(tokens for tokens, _ in runs)]),
            np.concatenate(
                [np.empty(0, np.int64), *(ends + n for (_, ends), n in zip(runs, before, strict=False))]
            ),
        )

    def _read(
        self, articles: Sequence[Article], recent: npt.NDArray[np.uint32]
    ) -> tuple[Tokens, npt.NDArray[np.int64]]:
        """Return the tokens of a run of articles, back to back, and where each article's end."""
        texts = [article.text.encode("utf-8", "replace") for article in articles]
        buffer, starts = _joined(texts)
        suspicions = prescan(buffer, starts)
        cleaned: dict[int, str] = {}
        for row in np.flatnonzero(suspicions).tolist():
            cleaned[row] = clean(articles[row].text, int(suspicions[row]))
            texts[row] = cleaned[row].encode("utf-8", "replace")
        titles = np.zeros(len(articles), dtype=np.int64)
        for row, text in enumerate(texts):
            if len(text) < TITLED_BYTES and articles[row].title:
                headline = strip_lead(articles[row].title)
                start = cleaned.get(row, articles[row].text).lstrip().casefold()
                repeated = start.startswith(headline.casefold())
                title = (b"" if repeated else headline.encode("utf-8", "replace")) + b"\n\n"
                titles[row] = len(title)
                texts[row] = title + text
        buffer, starts = _joined(texts)
        length = int(starts[-1])
        # A token takes at least half a byte of text: the three of U+3316 become six kana.
        tokens = np.empty(min(2 * length + len(articles), MAX_TOKENS * len(articles)) + 1, dtype=np.uint32)
        ends = np.empty(len(articles), dtype=np.int64)
        points = self._points
        tokenize(
            buffer,
            starts,
            starts[:-1] + titles,
            points.rows,
            points.expansions,
            self.table.slots,
            recent,
            self.furniture,
            tokens,
            ends,
        )
        return tokens[: int(ends[-1]) if len(ends) else 0].copy(), ends

    def signed(self, articles: Sequence[Article]) -> tuple[Sketches, Signatures]:
        """Sketch a batch; also return the whole signatures (uint32 ``[n, PERMUTATIONS]``)."""
        tokens, ends = self.tokens(articles)
        signatures = sign(tokens, ends, PERMUTATIONS)
        return Sketches(tokens, ends, low_bytes(signatures)), signatures

    def sketch(self, articles: Sequence[Article]) -> Sketches:
        """Sketch a batch."""
        return self.signed(articles)[0]


def resketch(tokens: Tokens, ends: npt.NDArray[np.int64]) -> Sketches:
    """Make sketches from stored tokens: everything else is a function of them."""
    return Sketches(tokens, ends, low_bytes(sign(tokens, ends, PERMUTATIONS)))
