"""A state as one page: everything in it, nothing loaded, the texts opened when they are looked at.

The index and the texts are gzipped JSON in base64, which no text can break out of, in
blocks of one or more whole clusters. A browser unpacks the index of ten thousand
articles in tens of milliseconds and a block when its cluster is opened.
"""

from __future__ import annotations

import base64
import gzip
import re
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import orjson

from workers.tools.api_models import versions
from workers.tools.articles import Entry
from workers.tools.catalogue import Catalogue
from workers.tools.columns import COMMON_WORDS, index_columns
from workers.tools.compare import Differences
from workers.tools.pages import REPORT_SCRIPTS, inline, policy, templates
from workers.tools.words import spots, weightless_hashes

BLOCK_BYTES = 1 << 18
"""Text in a block before it is packed: what a browser unpacks to show one cluster."""

_Content = tuple[str, str | None, str, list[dict[str, Any]]]
"""Title, text, address and earlier versions."""

_WORDS_SAMPLED = 2000  # articles whose words tell which are everyday words
_WORD = re.compile(r"\w+")


def report_page(
    catalogue: Catalogue,
    name: str,
    differences: Differences | None = None,
    on_progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> str:
    """Return the page of a state called ``name``."""
    places: dict[int, tuple[int, int]] = {}
    blocks: list[tuple[str, str]] = []
    for number, block in enumerate(_blocks(catalogue, places, on_progress)):
        blocks.append((f"block-{number}", _packed(block)))
    entries = list(catalogue.entries())
    touched = [article_id for article_id, _ in catalogue.touched(0)]
    index = index_columns(catalogue, entries, catalogue.merges, catalogue.splits, touched)
    index["places"] = [places[entry.ordinal] for entry in entries]
    index["common"] = common_words(catalogue, entries)
    index["comparison"] = None if differences is None else differences.record()
    style, script = inline("tokens.css", "page.css"), inline(*REPORT_SCRIPTS)
    return (
        templates()
        .get_template("page.html")
        .render(
            mode="report",
            name=name,
            engines=", ".join(sorted(catalogue.engines)),
            style=style,
            script=script,
            policy=policy(script, style),
            blocks=[("index", _packed(index)), *blocks],
        )
    )


def _blocks(
    catalogue: Catalogue,
    places: dict[int, tuple[int, int]],
    on_progress: Callable[[int, int], None],
) -> Iterator[list[_Content]]:
    """Yield blocks of contents; fills in where each article's is."""
    block: list[_Content] = []
    size = number = done = 0
    # By arrival of their first article, so that each of the catalogue's own blocks is opened about once.
    stories = sorted(catalogue.stories(), key=lambda story: min(e.ordinal for e in story.entries))
    for story in stories:
        for entry in story.entries:
            text = catalogue.text(entry)
            places[entry.ordinal] = (number, len(block))
            found = versions(catalogue, entry)
            block.append((entry.title, text, entry.url, [each.model_dump() for each in found[:-1]]))
            size += len(entry.title) + sum(len(each.text or "") for each in found)
            done += 1
        if size >= BLOCK_BYTES:
            yield block
            block, size, number = [], 0, number + 1
        on_progress(done, len(catalogue))
    if block:
        yield block


def _packed(value: Any) -> str:
    return base64.b64encode(gzip.compress(orjson.dumps(value), compresslevel=6, mtime=0)).decode()


def common_words(catalogue: Catalogue, entries: list[Entry]) -> list[str]:
    """Return the words that the engine's table gives no weight, among those of a sample of the texts.

    A passage of these alone is chance, and is not marked.
    """
    step = max(1, len(entries) // _WORDS_SAMPLED)
    counts: Counter[str] = Counter()
    for entry in entries[::step]:
        counts.update(_WORD.findall((catalogue.text(entry) or "")[:4000].casefold()))
    weightless = weightless_hashes()
    return [
        word
        for word, _ in counts.most_common(4 * COMMON_WORDS)
        if all(spot.hash in weightless for spot in spots(word))
    ][:COMMON_WORDS]
