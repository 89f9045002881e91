"""Under which key a cluster event stands in its compacted topic: the id that it is the last word on.

A merge is kept under the lost id, so that a reader of the compacted topic finds its redirect, and a
split under the new one. The names of a killed article's copies have a key of their own: the cluster goes on.
"""

from typing import Any

from pipeline.answers import ClusterEvent, cluster_id


def event_key(event: ClusterEvent) -> bytes:
    """Return an event's key."""
    other = None if event.other is None else cluster_id(event.other)
    return _key(event.event, cluster_id(event.cluster), other, event.article_id)


def key_of_record(event: dict[str, Any]) -> bytes:
    """Return the key of an event in its published form."""
    other = event.get("merged_id") or event.get("split_id")
    return _key(event["event"], event["cluster_id"], other, event.get("article_id"))


def _key(kind: str, cluster: str, other: str | None, article_id: str | None) -> bytes:
    if kind == "killed":
        return f"{cluster}/{article_id}".encode()
    return (other or cluster).encode()
