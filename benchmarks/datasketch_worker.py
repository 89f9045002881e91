"""The competitor: what one writes with datasketch and its README in an afternoon.

orjson in, regex words, word 3-grams, ``MinHash.update_batch`` with 128 permutations,
``MinHashLSH`` query and insert, orjson out. Nothing in it is slow on purpose.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import orjson
from datasketch import MinHash, MinHashLSH

_WORD = re.compile(r"\w+")
_SHINGLE = 3
_PERMUTATIONS = 128


class DatasketchWorker:
    """Assigns each article the cluster of its first match."""

    def __init__(self, threshold: float = 0.5) -> None:
        self.lsh = MinHashLSH(threshold=threshold, num_perm=_PERMUTATIONS)
        self.clusters: dict[str, str] = {}

    def process(self, lines: Iterable[bytes]) -> list[bytes]:
        """Return one JSON line an article."""
        results = []
        for line in lines:
            article = orjson.loads(line)
            words = _WORD.findall(article["text"].lower())
            shingles = {
                " ".join(words[i : i + _SHINGLE]).encode() for i in range(max(1, len(words) - _SHINGLE + 1))
            }
            minhash = MinHash(num_perm=_PERMUTATIONS)
            minhash.update_batch(shingles)
            matches = self.lsh.query(minhash)
            cluster = self.clusters[matches[0]] if matches else article["id"]
            self.clusters[article["id"]] = cluster
            self.lsh.insert(article["id"], minhash, check_duplication=False)
            results.append(
                orjson.dumps(
                    {
                        "article_id": article["id"],
                        "cluster_id": cluster,
                        "matched_id": matches[0] if matches else None,
                    }
                )
            )
        return results
