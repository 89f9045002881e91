"""A term table from a user's own stream: `samewire weights`.

The built-in table knows how common words are in a language, not in a newsroom's stream.
Words that enough of the stream's articles use get the level of their frequency there; all
others keep the built-in one. The table is a file, and its digest is in the engine's
fingerprint: nothing is learned while the engine runs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from math import log10
from typing import Any

import numpy as np

from config.settings import Settings, milliseconds
from pipeline.article import Article, Rejected, article_from
from pipeline.engine import Engine
from pipeline.errors import InputError
from pipeline.hashing import word_hash
from pipeline.text import clean
from pipeline.weights import DEFAULT_EDGES, LEVEL_BITS, TermTable, default_table
from pipeline.wordlists import folded_runs
from workers.candidates import proposed, sketch_all
from workers.evaluate import SCHEMA, pair_figures, score_pairs
from workers.labelled import Labelled, records

# A word of fewer articles says nothing about the stream.
MIN_ARTICLES = 20
# With fewer articles the frequencies are noise, and the built-in table is better.
FEWEST_ARTICLES = 500
# Probing slows down in a fuller table.
_MAX_LOAD = 0.75


@dataclass(slots=True)
class Learned:
    """A table, and how many words it took from the stream and how many of them changed level."""

    table: TermTable
    words: int
    lighter: int
    heavier: int


def read_stream(source: str, settings: Settings, limit: int | None = None) -> list[Article]:
    """Read a stream's articles; raises :class:`InputError` when there are too few to learn from."""
    articles: list[Article] = []
    for record in records(source, settings, {}):
        try:
            articles.append(article_from(record, settings.input.max_text_bytes))
        except Rejected:
            continue
        if limit is not None and len(articles) >= limit:
            break
    if len(articles) < FEWEST_ARTICLES:
        raise InputError(
            f"{source}: {len(articles)} articles are too few to learn weights from; give at least {FEWEST_ARTICLES}"
        )
    return articles


def count_words(texts: Iterable[str]) -> tuple[Counter[str], Counter[str], int]:
    """Return how often words occur, in how many texts, and how many words there are in all."""
    occurrences: Counter[str] = Counter()
    documents: Counter[str] = Counter()
    for text in texts:
        words = []
        for run, spaceless in folded_runs(clean(text)):
            if not spaceless:
                words.append(run)
            else:
                words += [run[i : i + 2] for i in range(max(1, len(run) - 1))]
        occurrences.update(words)
        documents.update(set(words))
    return occurrences, documents, sum(occurrences.values())


def learn(texts: Iterable[str], base: TermTable | None = None, min_articles: int = MIN_ARTICLES) -> Learned:
    """Learn a table; deterministic, whatever the order of the texts."""
    base = base if base is not None else default_table()
    occurrences, documents, total = count_words(texts)
    slots = base.slots.copy()
    mask = len(slots) - 1
    terms, words, lighter, heavier = base.terms, 0, 0, 0
    for word in sorted(occurrences):
        if documents[word] < min_articles or word[0].isdigit():
            continue
        rarity = -log10(occurrences[word] / total)
        level = sum(rarity >= edge for edge in DEFAULT_EDGES)
        before = base.level(word)
        words += 1
        lighter += level < before
        heavier += level > before
        if level == before:
            continue
        hashed = word_hash(word)
        slot = hashed & mask
        while slots[slot] and int(slots[slot]) >> LEVEL_BITS != hashed >> LEVEL_BITS:
            slot = (slot + 1) & mask
        if not slots[slot]:
            if terms >= _MAX_LOAD * len(slots):
                continue
            terms += 1
        slots[slot] = np.uint32((hashed & ~0xF) | level)
    return Learned(TermTable(slots, terms), words, lighter, heavier)


def compare_tables(
    learned: Learned, articles: list[Article], pairs: Labelled | None, settings: Settings
) -> dict[str, Any]:
    """Return candidates per article, and quality on labelled pairs, for the built-in and the learned table."""
    figures: dict[str, Any] = {
        "schema": SCHEMA,
        "kind": "weights",
        "articles": len(articles),
        "table": learned.table.digest,
        "words_of_the_stream": learned.words,
        "lighter": learned.lighter,
        "heavier": learned.heavier,
    }
    window = milliseconds(settings.window.length)
    for name, table in (("built_in", default_table()), ("learned", learned.table)):
        engine = Engine(table)
        count = len(proposed(sketch_all(articles, engine), window))
        of_table: dict[str, Any] = {
            "engine": engine.fingerprint,
            "candidate_pairs": count,
            "candidates_per_article": round(2 * count / len(articles), 4),
        }
        if pairs is not None:
            of_table["pairs"] = pair_figures(score_pairs(pairs.pairs, engine))
        figures[name] = of_table
    return figures
