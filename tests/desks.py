"""A matcher that takes texts, and texts for it."""

from collections.abc import Iterable, Sequence

from pipeline.answers import Answer, ClusterEvent
from pipeline.article import Article
from pipeline.changelog import Change
from pipeline.engine import Engine
from pipeline.matcher import Matched, Matcher, WindowRules

HOUR = 3_600_000
DAY = 24 * HOUR
ANY_ORDER = WindowRules(max_lateness_ms=None)


def story(number: int) -> str:
    """A text of its own for each number, long enough to be compared."""
    return " ".join(f"zq{number}x{word}y" + (". " if word % 9 == 8 else "") for word in range(60))


class Desk:
    """A matcher that takes texts."""

    def __init__(self, engine: Engine, rules: WindowRules | None = None, fingerprint: str = "") -> None:
        self.engine = engine
        self.matcher = Matcher(fingerprint or engine.fingerprint, rules)
        self.events: list[ClusterEvent] = []
        self.changes: list[Change] = []

    def batch(self, articles: Iterable[tuple[str, str, int]]) -> Matched:
        """Match (id, text, time in ms)."""
        found = list(articles)
        sketches = self.engine.sketcher.sketch([Article(i, text) for i, text, _ in found])
        matched = self.matcher.match([i for i, _, _ in found], [time for _, _, time in found], sketches)
        self.events += matched.events
        self.changes.append(matched.change)
        return matched

    def one(self, article_id: str, text: str, time: int) -> Answer:
        """Match one article."""
        return self.batch([(article_id, text, time)]).answers[0]


def stream(sample: Sequence[Article]) -> list[tuple[str, str, int]]:
    """The sample as (id, text, time)."""
    return [(a.id, f"{a.title}\n\n{a.text}", a.published_ms or 0) for a in sample]
