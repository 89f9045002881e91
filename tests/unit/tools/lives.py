"""Stories that live: matched by a real matcher and written into a state folder, record by record."""

from pathlib import Path
from typing import Any, Self

import orjson

from pipeline.article import about, parse_line
from pipeline.life import Notices
from pipeline.matcher import Matched, Matcher, WindowRules
from tests.histories import ENGINE, stretch
from workers.journal import Journal
from workers.tools.catalogue import Catalogue
from workers.tools.feed import StateFeed

ARRIVED_MS = 1_773_136_800_000  # 10 March 2026, 10:00


class LivingState:
    """A worker of an embedded run, without its input and outputs. Use as a context manager."""

    def __init__(self, folder: Path, rules: WindowRules | None = None) -> None:
        self.folder = folder
        self.matcher = Matcher(ENGINE.fingerprint, rules or WindowRules(max_lateness_ms=None))
        self._journal = Journal(folder, 1 << 26, sync=False)
        list(self._journal.restore(ENGINE.fingerprint))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._journal.close()

    def take(self, *records: dict[str, Any]) -> Matched:
        """Match a batch and commit it."""
        articles = [parse_line(orjson.dumps(record)) for record in records]
        arrived = [ARRIVED_MS] * len(articles)
        matched = self.matcher.match(
            [a.id for a in articles],
            [a.published_ms if a.published_ms is not None else ARRIVED_MS for a in articles],
            ENGINE.sketcher.sketch(articles),
            [about(a, with_text=True) for a in articles],
            Notices.of(articles, arrived),
        )
        self._journal.append(matched.change, {"positions": {}, "lengths": {}}, 1)
        return matched


def article(article_id: str, text: str, clock: str = "08:00", **fields: Any) -> dict[str, Any]:
    """A record of an article of 10 March 2026."""
    return {"id": article_id, "text": text, "published_at": f"2026-03-10T{clock}:00Z", **fields}


def kill(article_id: str, clock: str = "09:30", **fields: Any) -> dict[str, Any]:
    """A record of a kill."""
    return {"id": article_id, "kind": "kill", "published_at": f"2026-03-10T{clock}:00Z", **fields}


FERRY = (
    "SKARVIK, Norway, March 10 (Reuters) - A passenger ferry carrying 214 people ran aground in thick fog near the "
    "northern port of Skarvik on Tuesday, and everyone on board was brought ashore by fishing vessels.\n\n"
    "The Nordlys Dronning struck the Taren reef about two nautical miles short of the harbour shortly before dawn, "
    "the coast guard said. Seventeen people were taken to hospital with bruises and mild hypothermia, hospital "
    "spokesperson Ingvild Aasnes said.\n\n"
    "The operator suspended its night service until the cause is known. Divers will look at the hull on Wednesday."
)
CORRECTED_FERRY = FERRY.replace("214", "217").replace("Seventeen", "Nineteen")
BANK = (
    "The central bank of Velonia raised its key rate by half a percentage point to 4.25 percent on Tuesday and said "
    "that governor Anselm Torvald would step down at the end of the month.\n\n"
    "The move surprised markets, where most dealers had expected a quarter point. The velo gained one percent "
    "against the euro. Inflation stood at 6.1 percent in February, three times the target that the bank had set itself."
)
START, END, WHOLE = stretch(0, 0, 2), stretch(0, 2, 5), stretch(0, 0, 5)

FIRST: list[dict[str, Any]] = [
    article("wire-1", FERRY, title="Ferry with 214 aboard runs aground", source="Nordic Wire", version=1),
    article("gazette-1", FERRY, "08:20", title="Ferry with 214 aboard runs aground", source="Gazette"),
    article("bank-1", BANK, "08:05", title="Central bank governor to go", source="Velonia Desk"),
    article("bank-2", BANK, "08:30", title="Governor to step down", source="Post"),
    article("start", START, "08:00", title="The beginning alone", source="Coast"),
    article("end", END, "08:10", title="The end alone", source="Herald"),
    article("bridge", WHOLE, "08:30", title="All of it", source="Echo"),
    article("lone", stretch(1, 0, 5), title="A story of its own", source="Echo"),
]
THEN: list[dict[str, Any]] = [
    article(
        "wire-1", CORRECTED_FERRY, title="CORRECTED-Ferry with 217 aboard runs aground", source="Nordic Wire",
        version=2, updated_at="2026-03-10T09:00:00Z",
    ),
    kill("bank-1", reason="The governor does not step down.", version=3),
    kill("bridge", reason="Withdrawn by its author."),
    kill("lone"),
    kill("never", reason="Sent by mistake."),
    article("soon", stretch(1, 0, 3), title="Budget speech", source="Wire", embargo_until="2099-01-01T06:00:00Z"),
    article("over", FERRY, "08:40", title="Ferry aground", source="Late Post", embargo_until="2026-03-10T08:45:00Z"),
]  # fmt: skip


def catalogue_of(folder: Path, **options: Any) -> Catalogue:
    """Return what a state folder holds."""
    catalogue = Catalogue(**options)
    for desk, change in StateFeed(folder).poll():
        catalogue.apply(change, desk)
    return catalogue


def living_state(folder: Path) -> Path:
    """Make a state in which every kind of thing has happened."""
    with LivingState(folder) as state:
        state.take(*FIRST)
        state.take(*THEN)
    return folder
