"""Python's garbage collector, for a process that works through batches for days."""

from __future__ import annotations

import gc

# Far above what a batch holds at a time (some five objects an article), so that only real cycles are collected.
YOUNG_OBJECTS = 50_000


def calm_collector() -> None:
    """Leave what is loaded by now out of all collections, and let them be seldom.

    The libraries are 130,000 objects that stay; going through them took 50 to 90 ms every ten thousand
    articles or so. What a batch makes (articles, answers, events) has no cycles and goes with its last
    reference, but at the usual threshold of 700 it was looked through several times before:
    together 3 to 5 us an article.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS)
