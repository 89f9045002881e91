"""Does it keep up, are its answers sane, is every desk owned?"""

from __future__ import annotations

from deploy.grafana.panels import Board, Panel, Query, quantiles

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
