"""Texts of many articles in little memory: compressed by batch, a few batches open."""

from __future__ import annotations

from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Sequence

import orjson
import zstandard

_OPEN_BATCHES = 8  # whose texts are kept decompressed
_MAX_BATCH_BYTES = 1 << 30


class Texts:
    """Texts by ordinal. Batches come in the order of their ordinals. Not thread-safe."""

    def __init__(self) -> None:
        self._firsts: list[int] = []
        self._packed: dict[int, bytes] = {}  # a JSON list of texts; empty when there are none
        self._open: OrderedDict[int, list[str]] = OrderedDict()
        self._compressor = zstandard.ZstdCompressor(level=3)

    def add(self, first: int, texts: Sequence[str]) -> None:
        """Keep the texts of a batch whose first article has the ordinal ``first``."""
        self._firsts.append(first)
        self._packed[first] = self._compressor.compress(orjson.dumps(list(texts))) if any(texts) else b""

    def drop_oldest(self) -> None:
        """Forget the oldest batch."""
        first = self._firsts.pop(0)
        del self._packed[first]
        self._open.pop(first, None)

    def get(self, ordinal: int) -> str | None:
        """Return an article's text; None when there is none."""
        place = bisect_right(self._firsts, ordinal)
        if not place:
            return None
        first = self._firsts[place - 1]
        if not self._packed[first]:
            return None
        texts = self._open.get(first)
        if texts is None:
            raw = zstandard.decompress(self._packed[first], max_output_size=_MAX_BATCH_BYTES)
            texts = self._open[first] = orjson.loads(raw)
            if len(self._open) > _OPEN_BATCHES:
                self._open.popitem(last=False)
        return texts[ordinal - first]
