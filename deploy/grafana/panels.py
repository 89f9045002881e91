"""The panels of the dashboards: title, queries and what to read from them, in one table.

``generate.py`` makes Grafana JSON of it, the tests ask a real Prometheus every query, and ``render.py`` draws
some of it with matplotlib.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

WORKER = 'job="samewire",instance="$instance"'


@dataclass(frozen=True, slots=True)
class Query:
    """A PromQL expression and the legend of its lines."""

    expr: str
    legend: str = ""
    quiet: bool = False
    """Healthy workers give no data, or none in the first minutes."""


@dataclass(frozen=True, slots=True)
class Panel:
    """One panel. ``limit`` draws a line where it gets red."""

    title: str
    queries: tuple[Query, ...]
    unit: str = "short"
    meaning: str = ""
    kind: Literal["lines", "stacked", "number"] = "lines"
    limit: float | None = None


@dataclass(frozen=True, slots=True)
class Board:
    """A dashboard: rows of panels."""

    uid: str
    title: str
    description: str
    rows: dict[str, tuple[Panel, ...]]
    per_worker: bool = False
    tags: tuple[str, ...] = field(default=("samewire",))


def quantiles(metric: str, where: str = 'job="samewire"', window: str = "5m") -> tuple[Query, ...]:
    """Return the median, 95th and 99th percentile of a histogram."""
    return tuple(
        Query(
            f"histogram_quantile({q}, sum by (le) (rate({metric}_bucket{{{where}}}[{window}])))",
            f"p{q * 100:g}",
        )
        for q in (0.5, 0.95, 0.99)
    )


OVERVIEW = Board(
    "samewire-overview",
    "samewire: overview",
    "Does it keep up, are its answers sane, is every desk owned?",
    {
        "At a glance": (
            Panel(
                "Articles in",
                (Query("samewire:articles_read:rate5m"),),
                "cps",
                "Articles read and dealt with, a second.",
                "number",
            ),
            Panel(
                "Arrival to answer, p95",
                (Query("samewire:arrival_delay_seconds:p95_5m"),),
                "s",
                "From the record's arrival to its committed answer.",
                "number",
                60.0,
            ),
            Panel(
                "Linked",
                (Query("samewire:linked_ratio:rate1h"),),
                "percentunit",
                "Share of articles that are a copy of an earlier one.",
                "number",
            ),
            Panel(
                "Dead",
                (Query("samewire:dead_ratio:rate5m"),),
                "percentunit",
                "Share of the input that could not be used.",
                "number",
                0.05,
            ),
            Panel(
                "Desks without owner",
                (
                    Query(
                        'max(samewire_desks_configured{job="samewire"}) - sum(samewire_desks_owned{job="samewire"})'
                    ),
                ),
                "short",
                "Should be 0.",
                "number",
                1.0,
            ),
            Panel(
                "Workers not ready",
                (Query('sum(1 - samewire_ready{job="samewire"})'),),
                "short",
                "Should be 0; /readyz of each says why.",
                "number",
                1.0,
            ),
        ),
        "Flow": (
            Panel(
                "Articles a second",
                (
                    Query("samewire:articles_read:rate5m", "read"),
                    Query("samewire:articles_published:rate5m", "published"),
                    Query("sum(samewire:articles_dead:rate5m)", "dead"),
                ),
                "cps",
                "Read = published + dead + repeated ones that are skipped.",
            ),
            Panel(
                "Records waiting, by topic",
                (Query("samewire:lag_records:sum", "{{topic}}"),),
                "short",
                "A record of articles.signed holds many articles.",
            ),
            Panel(
                "Arrival to answer",
                quantiles("samewire_arrival_delay_seconds"),
                "s",
                "What samewire itself adds.",
                limit=60.0,
            ),
            Panel(
                "Publication to answer",
                quantiles("samewire_published_delay_seconds"),
                "s",
                "Includes how late the feeds are; a backfill shows as days.",
            ),
        ),
        "Where the time goes": (
            Panel(
                "Cores by stage",
                (Query("samewire:stage_seconds:rate5m > 0", "{{role}} {{stage}}"),),
                "short",
                "Share of one core; the rest of a core is Kafka and waiting.",
                "stacked",
            ),
            Panel(
                "Transaction, p95",
                (Query("samewire:transaction_seconds:p95_5m", "{{role}}"),),
                "s",
                "From begin to certain commit.",
            ),
            Panel(
                "Transactions a second",
                (
                    Query(
                        'sum(rate(samewire_transactions_committed_total{job="samewire"}[5m]))', "committed"
                    ),
                    Query(
                        'sum by (reason) (rate(samewire_transactions_aborted_total{job="samewire"}[5m]))',
                        "{{reason}}",
                    ),
                ),
                "cps",
                "Undone ones cost time, not articles.",
            ),
            Panel(
                "Rebalances in 5 minutes",
                (
                    Query(
                        'sum by (kind) (increase(samewire_rebalances_total{job="samewire"}[5m]))', "{{kind}}"
                    ),
                ),
                "short",
                "A few at every start or stop of a worker.",
            ),
        ),
        "State": (
            Panel(
                "Window",
                (Query('samewire_window_articles{job="samewire"}', "{{role}} {{instance}}"),),
                "short",
                "Articles; a standby shows the copy that it follows.",
            ),
            Panel(
                "Window of its limit",
                (
                    Query(
                        'samewire_window_articles{job="samewire"} / samewire_window_limit_articles{job="samewire"}',
                        "{{role}} {{instance}}",
                    ),
                ),
                "percentunit",
                "At 1 the oldest articles leave early.",
                limit=1.0,
            ),
            Panel(
                "Memory of its limit",
                (Query("samewire:memory_ratio", "{{role}} {{instance}}"),),
                "percentunit",
                limit=0.9,
            ),
            Panel(
                "Standby behind, records",
                (Query('samewire_standby_records_behind{job="samewire"}', "desk {{desk}} on {{instance}}"),),
                "short",
                "What a take-over would have to read first.",
                limit=100.0,
            ),
            Panel(
                "Restoring, records left",
                (Query('samewire_restoring_records{job="samewire"}', "desk {{desk}} on {{instance}}"),),
                "short",
                "Falls to 0; the desk gives no answers meanwhile.",
            ),
            Panel(
                "Build and engine",
                (
                    Query(
                        'sum by (version, engine, command) (samewire_build_info{job="samewire"})',
                        "{{command}} {{version}} {{engine}}",
                    ),
                ),
                "short",
                "Signers and matchers must show one engine.",
            ),
        ),
    },
)

QUALITY = Board(
    "samewire-quality",
    "samewire: quality",
    "Are the answers sane? What changed in the input?",
    {
        "Answers": (
            Panel(
                "Answers by relation",
                (
                    Query(
                        'sum by (relation) (rate(samewire_articles_published_total{job="samewire"}[5m]))',
                        "{{relation}}",
                    ),
                ),
                "cps",
                kind="stacked",
            ),
            Panel(
                "Linked share",
                (
                    Query("samewire:linked_ratio:rate1h", "last hour"),
                    Query(
                        "avg_over_time(samewire:linked_ratio:rate1h[7d] offset 1h)", "week's mean", quiet=True
                    ),
                ),
                "percentunit",
                "Far below its band: texts are cut or garbled. Far above: furniture or one page over and over.",
            ),
            Panel(
                "Cluster events",
                (
                    Query(
                        'sum by (event) (rate(samewire_cluster_events_total{job="samewire"}[5m]))',
                        "{{event}}",
                    ),
                ),
                "cps",
                "Many merges: copies reach samewire before what they have in common.",
            ),
            Panel(
                "Largest growing cluster",
                (Query('samewire_largest_grown_cluster_articles{job="samewire"}', "{{instance}}"),),
                "short",
                limit=2000.0,
            ),
            Panel(
                "Cluster size that an article meets",
                quantiles("samewire_cluster_articles", window="15m"),
                "short",
                "Weighted by articles.",
            ),
            Panel(
                "Final size of closed clusters",
                tuple(
                    Query(query.expr, query.legend, quiet=True)
                    for query in quantiles("samewire_closed_cluster_articles", window="1h")
                ),
                "short",
                "Clusters close a window after their last article.",
            ),
        ),
        "Search": (
            Panel(
                "Candidates an article",
                (Query("samewire:candidates_per_article:rate15m", "candidates"),),
                "short",
                "A learned term table (`samewire weights`) lowers it.",
            ),
            Panel(
                "From candidate to link",
                (
                    Query('sum(rate(samewire_candidates_total{job="samewire"}[5m]))', "candidates"),
                    Query('sum(rate(samewire_checks_total{job="samewire"}[5m]))', "checked"),
                    Query('sum(rate(samewire_links_total{job="samewire"}[5m]))', "linked"),
                ),
                "cps",
            ),
            Panel(
                "Hot buckets an article",
                (Query("samewire:hot_buckets_per_article:rate15m", "cut walks"),),
                "short",
                limit=1.0,
            ),
        ),
        "Input": (
            Panel(
                "Dead letters by reason",
                (Query("samewire:articles_dead:rate5m > 0", "{{reason}}", quiet=True),),
                "cps",
                kind="stacked",
            ),
            Panel(
                "Dated in the future",
                (Query("samewire:clamped_ratio:rate15m", "clamped"),),
                "percentunit",
                "A publisher's clock or time zone is wrong.",
                limit=0.01,
            ),
            Panel("Too late", (Query("samewire:late_ratio:rate15m", "late"),), "percentunit", limit=0.05),
            Panel(
                "Repeated and evicted",
                (
                    Query(
                        'sum(rate(samewire_articles_repeated_total{job="samewire"}[5m]))', "id seen before"
                    ),
                    Query('sum(rate(samewire_articles_evicted_total{job="samewire"}[5m]))', "evicted early"),
                ),
                "cps",
            ),
        ),
    },
)

WORKER_BOARD = Board(
    "samewire-worker",
    "samewire: one worker",
    "One process in depth; choose it above.",
    {
        "Batches": (
            Panel(
                "Batch size", quantiles("samewire_batch_articles", WORKER), "short", "Articles in a batch."
            ),
            Panel("Batch time", quantiles("samewire_batch_seconds", WORKER), "s"),
            Panel(
                "Cores by stage",
                (
                    Query(
                        f"sum by (stage) (rate(samewire_stage_seconds_total{{{WORKER}}}[5m])) > 0",
                        "{{stage}}",
                    ),
                ),
                "short",
                kind="stacked",
            ),
            Panel("Transaction time", quantiles("samewire_transaction_seconds", WORKER), "s"),
        ),
        "Kafka": (
            Panel(
                "Records waiting, by partition",
                (Query(f"samewire_lag_records{{{WORKER}}}", "{{topic}}[{{partition}}]"),),
                "short",
                "Only the partitions that it owns; a standby has none.",
            ),
            Panel(
                "Transactions and rebuilds",
                (
                    Query(f"rate(samewire_transactions_committed_total{{{WORKER}}}[5m])", "committed"),
                    Query(f"sum(rate(samewire_transactions_aborted_total{{{WORKER}}}[5m]))", "aborted"),
                    Query(f"rate(samewire_producer_rebuilds_total{{{WORKER}}}[5m])", "producer replaced"),
                ),
                "cps",
            ),
            Panel(
                "Rebalances",
                (Query(f"sum by (kind) (increase(samewire_rebalances_total{{{WORKER}}}[5m]))", "{{kind}}"),),
                "short",
            ),
            Panel(
                "Failed connections",
                (
                    Query(
                        f"sum by (kind) (increase(samewire_broker_failures_total{{{WORKER}}}[5m]))",
                        "{{kind}}",
                    ),
                ),
                "short",
            ),
        ),
        "Process": (
            Panel(
                "Memory",
                (
                    Query(f"process_resident_memory_bytes{{{WORKER}}}", "resident"),
                    Query(f"samewire_window_bytes{{{WORKER}}}", "window"),
                    Query(f"samewire_memory_limit_bytes{{{WORKER}}}", "limit"),
                ),
                "bytes",
            ),
            Panel(
                "CPU, cores", (Query(f"rate(process_cpu_seconds_total{{{WORKER}}}[5m])", "cores"),), "short"
            ),
            Panel("Open files", (Query(f"process_open_fds{{{WORKER}}}", "descriptors"),), "short"),
            Panel("Up since", (Query(f"time() - process_start_time_seconds{{{WORKER}}}", "age"),), "s"),
            Panel("Ready", (Query(f"samewire_ready{{{WORKER}}}", "ready"),), "short", "1 or 0; see /readyz."),
        ),
        "Window": (
            Panel(
                "Articles and clusters",
                (
                    Query(f"samewire_window_articles{{{WORKER}}}", "articles"),
                    Query(f"samewire_window_clusters{{{WORKER}}}", "clusters"),
                ),
                "short",
            ),
            Panel(
                "Watermark behind the clock",
                (Query(f"time() - samewire_watermark_timestamp_seconds{{{WORKER}}}", "behind"),),
                "s",
                "Newest published_at; negative while within the allowed skew.",
            ),
            Panel(
                "Last restore",
                (Query(f"samewire_restore_seconds{{{WORKER}}}", "desk {{desk}}"),),
                "s",
            ),
        ),
    },
    per_worker=True,
)

BOARDS = (OVERVIEW, QUALITY, WORKER_BOARD)
