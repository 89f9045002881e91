"""One process in depth."""

from __future__ import annotations

from deploy.grafana.panels import Board, Panel, Query, quantiles

WORKER = 'job="samewire",instance="$instance"'

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
