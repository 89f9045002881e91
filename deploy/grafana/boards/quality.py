"""Are the answers sane? What changed in the input?"""

from __future__ import annotations

from deploy.grafana.panels import Board, Panel, Query, quantiles

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
