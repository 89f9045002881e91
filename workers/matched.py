"""Counting what a batch of matching did; the embedded and the Kafka matcher share it."""

from collections import Counter
from collections.abc import Sequence

from pipeline.answers import Answer
from pipeline.matcher import Matched, Matcher
from workers.metrics import Metrics


def count_matched(metrics: Metrics, matcher: Matcher, matched: Matched, answers: Sequence[Answer]) -> None:
    """Add a batch to the metrics; ``answers`` are those that are published."""
    counted = matched.counters
    for relation, number in Counter(answer.relation for answer in answers).items():
        metrics.count("articles_published", number, relation=relation)
    for kind, number in Counter(event.event for event in matched.events).items():
        metrics.count("cluster_events", number, event=kind)
    metrics.count("articles_late", counted.late)
    metrics.count("articles_repeated", counted.repeated)
    metrics.count("articles_evicted", counted.evicted_early)
    metrics.count("candidates", counted.candidates)
    metrics.count("checks", counted.checks)
    metrics.count("links", counted.links)
    metrics.count("hot_buckets", counted.cut_buckets)
    metrics.set("window_articles", len(matcher))
    metrics.set("window_bytes", matcher.window.bytes_allocated)
    metrics.set("watermark_seconds", max(0, matcher.watermark_ms) / 1000)
