"""Every metric with its meaning, its labels and their bounds: the table behind /metrics and docs/metrics.md.

Names follow the Prometheus conventions: base units (seconds, bytes), ``_total`` on counters (added on
exposition), ``_info`` for facts. No label takes its values from the input: each has a fixed set, or an upper
bound on how many different ones are kept, so that no article can make a worker grow series.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pipeline.article import REASONS
from pipeline.killing import KILLED
from pipeline.verify import RELATIONS
from workers.kafka.exit_codes import ExitCode

PREFIX = "samewire_"
OTHER = "other"
"""The value that a label takes where its own is not among the known ones, or is one too many."""


@dataclass(frozen=True, slots=True)
class Label:
    """A label: its known ``values``, or how many different ones are kept (``most``)."""

    name: str
    meaning: str
    values: tuple[str, ...] = ()
    most: int = 0


@dataclass(frozen=True, slots=True)
class Metric:
    """The definition of a metric; ``name`` without the prefix ``samewire_``."""

    kind: Literal["counter", "gauge", "histogram"]
    name: str
    meaning: str
    labels: tuple[Label, ...] = ()
    buckets: tuple[float, ...] = ()
    roles: str = "sign match run"
    """The commands that report it."""

    @property
    def exposed(self) -> str:
        """The name under which Prometheus sees it."""
        return PREFIX + self.name + ("_total" if self.kind == "counter" else "")


RELATION = Label("relation", "how the article relates to its best match", (*RELATIONS, KILLED))
KNOWN = Label("known", "whether the article was in the window", ("yes", "no"))
REASON = Label("reason", "why it could not be used", (*REASONS, OTHER))
EVENT = Label(
    "event",
    "what happened to the cluster",
    ("created", "grown", "shrunk", "merged", "split", "killed", "closed"),
)
STAGE = Label(
    "stage",
    "what the time went to",
    ("read", "parse", "sketch", "decode", "match", "encode", "write", "commit"),
)
FAILURE = Label(
    "reason",
    "why the transaction was undone",
    ("stale_member", "unpublishable", "slot_taken", "refused", "broken", OTHER),
)
CHANGE = Label("kind", "what happened to the partitions", ("assigned", "revoked", "lost", OTHER))
BROKER_FAILURE = Label("kind", "what went wrong", ("unreachable", "refused"))
EXIT_CODE = Label(
    "exit_code",
    "the child's exit status, or `signal`",
    (*(str(int(code)) for code in ExitCode), "2", "signal", OTHER),
)
COMMAND = Label("command", "the command", ("run", "sign", "match", "up", OTHER))
DESK = Label("desk", "the desk's number", most=256)
TOPIC = Label("topic", "the topic", most=8)
PARTITION = Label("partition", "the partition's number", most=1024)
VERSION = Label("version", "samewire's version", most=1)
ENGINE = Label("engine", "the engine fingerprint", most=1)

# From a commit on fast storage to the longest that a stuck broker lets a call take.
DURATIONS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
# From the latency of a healthy deployment to a backlog over a night.
ARRIVAL_DELAYS = (
    0.025,
    0.05,
    0.1,
    0.25,
    0.5,
    1.0,
    2.5,
    5.0,
    10.0,
    30.0,
    60.0,
    300.0,
    1800.0,
    7200.0,
    43200.0,
)
# Feeds themselves are minutes behind; a day and more is a backfill.
PUBLISHED_DELAYS = (
    0.5,
    1.0,
    5.0,
    15.0,
    60.0,
    300.0,
    900.0,
    3600.0,
    10800.0,
    43200.0,
    86400.0,
    259200.0,
    604800.0,
)
BATCH_SIZES = (1.0, 5.0, 10.0, 50.0, 100.0, 250.0, 500.0, 1000.0, 2000.0, 5000.0, 20000.0)
CLUSTER_SIZES = (1.0, 2.0, 3.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0, 5000.0)

METRICS = (
    # --- what came in and went out
    Metric("counter", "articles_read", "Articles taken from the input and dealt with.", roles="sign run"),
    Metric("counter", "articles_signed", "Articles signed and passed on.", roles="sign run"),
    Metric(
        "counter",
        "articles_published",
        "Answers published, by relation to the best match.",
        (RELATION,),
        roles="match run",
    ),
    Metric("counter", "articles_dead", "Articles that could not be used, by reason.", (REASON,)),
    Metric(
        "counter",
        "articles_late",
        "Articles published alone because they came too late to be linked.",
        roles="match run",
    ),
    Metric(
        "counter",
        "articles_repeated",
        "Articles whose id was known; they got their earlier answer.",
        roles="match run",
    ),
    Metric(
        "counter",
        "articles_corrected",
        "Articles that came again with a higher version and something changed.",
        roles="match run",
    ),
    Metric(
        "counter",
        "articles_conflicting",
        "Articles that came again with another text under the same version; the first text stands.",
        roles="match run",
    ),
    Metric(
        "counter",
        "articles_moved",
        "Articles that got a new cluster because theirs came apart.",
        roles="match run",
    ),
    Metric("counter", "kills", "Orders to withdraw a story.", (KNOWN,), roles="match run"),
    Metric(
        "counter",
        "kills_forgotten",
        "Kills that were forgotten before their time because window.max_articles of them were remembered.",
        roles="match run",
    ),
    Metric("gauge", "kills_remembered", "Kills that wait for articles to come.", roles="match run"),
    Metric(
        "counter",
        "articles_clamped",
        "Articles dated further ahead of the clock than window.max_clock_skew.",
        roles="sign run",
    ),
    Metric(
        "counter",
        "articles_evicted",
        "Articles that left the window early because it was full.",
        roles="match run",
    ),
    Metric(
        "counter", "records_expired", "Input that retention removed before it was read.", roles="sign match"
    ),
    # --- how long it took
    Metric("histogram", "batch_articles", "Articles in one batch.", buckets=BATCH_SIZES),
    Metric(
        "histogram",
        "batch_seconds",
        "Time to work through one batch; without its transaction, which transaction_seconds has.",
        buckets=DURATIONS,
    ),
    Metric("counter", "stage_seconds", "Time spent by stage of the work, in seconds.", (STAGE,)),
    Metric(
        "histogram",
        "arrival_delay_seconds",
        "From an article's arrival (its record's timestamp; in `run`, when its batch was read) to its committed answer.",
        buckets=ARRIVAL_DELAYS,
        roles="match run",
    ),
    Metric(
        "histogram",
        "published_delay_seconds",
        "From an article's published_at (its arrival, where undated) to its committed answer.",
        buckets=PUBLISHED_DELAYS,
        roles="match run",
    ),
    # --- what matching did
    Metric("counter", "candidates", "Pairs that shared a band.", roles="match run"),
    Metric("counter", "checks", "Candidates that were compared exactly.", roles="match run"),
    Metric("counter", "links", "Compared pairs that linked.", roles="match run"),
    Metric("counter", "hot_buckets", "Bucket walks cut off at the limit.", roles="match run"),
    Metric("counter", "cluster_events", "Cluster events published.", (EVENT,), roles="match run"),
    Metric(
        "histogram",
        "cluster_articles",
        "Size of the cluster that an article ended in, one observation an article.",
        buckets=CLUSTER_SIZES,
        roles="match run",
    ),
    Metric(
        "histogram",
        "closed_cluster_articles",
        "Final size of a cluster, observed when it closes.",
        buckets=CLUSTER_SIZES,
        roles="match run",
    ),
    Metric(
        "gauge",
        "largest_grown_cluster_articles",
        "Size of the largest cluster that the last batch added to.",
        roles="match run",
    ),
    # --- the window
    Metric("gauge", "window_articles", "Articles in the window, over all owned desks.", roles="match run"),
    Metric(
        "gauge", "window_limit_articles", "The setting window.max_articles, for one desk.", roles="match run"
    ),
    Metric("gauge", "window_clusters", "Clusters with articles in the window.", roles="match run"),
    Metric("gauge", "window_bytes", "Memory reserved for the window's arrays.", roles="match run"),
    Metric(
        "gauge",
        "watermark_timestamp_seconds",
        "Newest event time seen, in seconds since 1970.",
        roles="match run",
    ),
    # --- desks and their state
    Metric("gauge", "desks_owned", "Desks that this matcher owns; 0 on a standby.", roles="match"),
    Metric("gauge", "desks_configured", "Desks that the settings ask for.", roles="match"),
    Metric(
        "gauge",
        "restoring_records",
        "Changelog records still to be read before an owned desk can work.",
        (DESK,),
        roles="match",
    ),
    Metric("gauge", "restore_seconds", "How long the last restore of a desk took.", (DESK,), roles="match"),
    Metric(
        "gauge",
        "standby_records_behind",
        "Changelog records that a standby has not followed yet.",
        (DESK,),
        roles="match",
    ),
    # --- Kafka
    Metric(
        "gauge",
        "lag_records",
        "Records waiting in a partition, told by its owner.",
        (TOPIC, PARTITION),
        roles="sign match",
    ),
    Metric("counter", "transactions_committed", "Transactions committed, for certain.", roles="sign match"),
    Metric(
        "counter", "transactions_aborted", "Transactions undone, by reason.", (FAILURE,), roles="sign match"
    ),
    Metric(
        "histogram", "transaction_seconds", "Time to publish a batch.", buckets=DURATIONS, roles="sign match"
    ),
    Metric(
        "counter",
        "producer_rebuilds",
        "Producers that were replaced after a fatal error.",
        roles="sign match",
    ),
    Metric("counter", "rebalances", "Changes of assignment, by kind.", (CHANGE,), roles="sign match"),
    Metric(
        "counter",
        "broker_failures",
        "Failed attempts to connect to the brokers at the start, by kind.",
        (BROKER_FAILURE,),
        roles="sign match",
    ),
    # --- the process
    Metric("gauge", "ready", "1 when /readyz says ready, else 0.", roles="sign match run up"),
    Metric(
        "gauge",
        "memory_limit_bytes",
        "Memory that the process may use: its control group's limit, else the machine's memory.",
        roles="sign match run up",
    ),
    Metric("gauge", "state_disk_free_bytes", "Room left on the state folder's file system.", roles="run"),
    Metric(
        "counter",
        "children_ended",
        "Supervised processes that ended by themselves, by exit code.",
        (EXIT_CODE,),
        roles="up",
    ),
    Metric("gauge", "children_running", "Supervised processes that run.", roles="up"),
    Metric(
        "gauge",
        "build_info",
        "1; the labels say what runs.",
        (VERSION, ENGINE, COMMAND),
        roles="sign match run up",
    ),
)

PROCESS_METRICS = (
    ("process_cpu_seconds_total", "User and system CPU time."),
    ("process_resident_memory_bytes", "Resident memory; compare it with samewire_memory_limit_bytes."),
    ("process_virtual_memory_bytes", "Virtual memory."),
    ("process_start_time_seconds", "When the process started, in seconds since 1970."),
    ("process_open_fds", "Open file descriptors."),
    ("process_max_fds", "Most file descriptors."),
)
"""What prometheus_client's process collector adds (Linux)."""
