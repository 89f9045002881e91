"""How two articles of one cluster hang together, when they do not link to each other."""

from __future__ import annotations

from collections import defaultdict, deque

from workers.tools.catalogue import Catalogue


def chain(catalogue: Catalogue, start: str, end: str) -> list[str] | None:
    """Return the shortest chain of best matches from one article to another of its cluster.

    None when there is none on record: an article that joins two clusters names only its
    best match.
    """
    story = catalogue.story(catalogue.expect(start).published_in)
    assert story is not None
    links: defaultdict[str, list[str]] = defaultdict(list)
    members = {entry.id for entry in story.entries}
    for entry in story.entries:
        if entry.matched_id in members:  # it may have been withdrawn since
            links[entry.id].append(entry.matched_id)
            links[entry.matched_id].append(entry.id)
    came_from = {start: start}
    pending = deque([start])
    while pending:
        here = pending.popleft()
        if here == end:
            path = [here]
            while path[-1] != start:
                path.append(came_from[path[-1]])
            return path[::-1]
        for other in links[here]:
            if other not in came_from:
                came_from[other] = here
                pending.append(other)
    return None
