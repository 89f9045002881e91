"""Names, widths and retention of samewire's topics, and which desk an article goes to."""

from typing import Annotated, Self

from pydantic import Field, field_validator, model_validator

from config.frozen import Frozen, PositiveInt, Seconds

TopicName = Annotated[str, Field(pattern=r"^[a-zA-Z0-9._-]{1,249}$")]

# The order of the flow, which `samewire topics` prints.
ROLES = ("articles", "signed", "dead", "clustered", "clusters", "changelog")

# Reason, exception text (cut at 8 KiB), origin and the original headers of a dead letter.
DEAD_LETTER_HEADROOM_BYTES = 65_536


class TopicSettings(Frozen):
    """Names, widths and retention of samewire's topics."""

    articles: TopicName = Field(default="articles", description="input: one article a record")
    signed: TopicName = Field(
        default="articles.signed", description="articles with sketch and signature, one partition a desk"
    )
    dead: TopicName = Field(
        default="articles.dead", description="input that could not be processed, with the reason"
    )
    clustered: TopicName = Field(
        default="articles.clustered", description="output: every article with its cluster id"
    )
    clusters: TopicName = Field(default="clusters", description="cluster events, compacted by cluster id")
    changelog: TopicName = Field(default="match.changelog", description="the matcher's state as records")
    articles_partitions: PositiveInt = Field(
        default=6,
        description="width of the input, and so the most signers that can share it; spare ones cost little",
    )
    clustered_partitions: PositiveInt = Field(default=6, description="width of the output, for its readers")
    dead_partitions: PositiveInt = Field(
        default=1, description="dead letters are few, and one partition keeps their order"
    )
    clusters_partitions: PositiveInt = Field(
        default=1, description="cluster events in one order, so merges read simply"
    )
    replication_factor: PositiveInt = Field(
        default=3,
        description="copies of every partition; three survive the loss of one while another is serviced",
    )
    min_insync_replicas: PositiveInt | None = Field(
        default=None,
        description="copies that must confirm a write; unset means one fewer than the replication factor",
    )
    articles_retention_seconds: Seconds = Field(
        default=7 * 86400.0,
        description="how long input can be read again; a week covers a long weekend's outage",
    )
    output_retention_seconds: Seconds = Field(
        default=7 * 86400.0, description="retention of articles.clustered"
    )
    dead_retention_seconds: Seconds = Field(
        default=30 * 86400.0,
        description="how long a fix may take until dead letters can no longer be put back",
    )
    changelog_slack_seconds: float = Field(
        default=86400.0,
        ge=0,
        description="the changelog outlives the window by this much: a late restart still finds it whole",
    )
    max_record_bytes: Annotated[int, Field(ge=10_000, le=50_000_000)] = Field(
        default=1_000_000,
        description="largest record; Kafka's own default is 1 MiB. A larger article becomes a dead letter",
    )

    @property
    def names(self) -> dict[str, str]:
        """Topic name by role."""
        return {role: getattr(self, role) for role in ROLES}

    @property
    def insync_replicas(self) -> int:
        """`min.insync.replicas` for topics that samewire creates."""
        return self.min_insync_replicas or max(1, self.replication_factor - 1)

    @property
    def max_dead_letter_bytes(self) -> int:
        """Room for the largest record and the headers that say why it is dead."""
        return self.max_record_bytes + DEAD_LETTER_HEADROOM_BYTES

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        names = list(self.names.values())
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(
                f"topics: {', '.join(twice)} is named for two roles; every role needs its own topic"
            )
        if self.insync_replicas > self.replication_factor:
            raise ValueError(
                "topics.min_insync_replicas is larger than topics.replication_factor: no write could succeed"
            )
        return self


class DeskSettings(Frozen):
    """Which partition of `articles.signed`, and so which matcher, gets an article."""

    count: PositiveInt = Field(
        default=1, description="number of desks; one owner sustains more than all the world's news"
    )
    by_language: dict[str, int] = Field(
        default_factory=dict, description="desk of a language (ISO 639-1 code); copies do not cross languages"
    )
    default: int = Field(default=0, ge=0, description="desk of every language that by_language does not name")
    followed: int = Field(
        default=1,
        ge=0,
        description="desks that a matcher without one follows to be a warm standby; each costs a window of memory",
    )

    @field_validator("by_language")
    @classmethod
    def _codes(cls, value: dict[str, int]) -> dict[str, int]:
        for code in value:
            if not (code.isalpha() and code.islower() and 2 <= len(code) <= 3):
                raise ValueError(f"desks.by_language: {code!r} is not a language code such as 'en'")
        return value

    @model_validator(mode="after")
    def _in_range(self) -> Self:
        for code, desk in self.by_language.items():
            if not 0 <= desk < self.count:
                raise ValueError(
                    f"desks.by_language: {code!r} goes to desk {desk}, but there are {self.count} (from 0)"
                )
        if self.default >= self.count:
            raise ValueError(f"desks.default is {self.default}, but there are {self.count} desks (from 0)")
        return self

    def desk_of(self, language: str | None) -> int:
        """The desk of a language; of the default where the language is unknown."""
        return self.by_language.get(language, self.default) if language else self.default
