"""Writes the dashboards' JSON from the table of panels: ``python -m deploy.grafana.generate``.

The data source is a variable, so the files work in any Grafana; compose.yaml provisions them as they are.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from grafana_foundation_sdk.builders import common as shared
from grafana_foundation_sdk.builders import dashboard, prometheus, stat, timeseries
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import common
from grafana_foundation_sdk.models import dashboard as models

from deploy.grafana.boards import BOARDS
from deploy.grafana.panels import Board, Panel

FOLDER = Path(__file__).parent / "dashboards"
SOURCE = models.DataSourceRef(type_val="prometheus", uid="${source}")
WIDTH = 24
HEIGHT = 8


def _thresholds(limit: float) -> Any:
    return (
        dashboard.ThresholdsConfig()
        .mode(models.ThresholdsMode.ABSOLUTE)
        .steps([models.Threshold(None, "green"), models.Threshold(limit, "red")])
    )


def _panel(panel: Panel, width: int) -> Any:
    built: Any = stat.Panel() if panel.kind == "number" else timeseries.Panel()
    built = built.title(panel.title).description(panel.meaning).datasource(SOURCE).unit(panel.unit)
    built = built.span(width).height(4 if panel.kind == "number" else HEIGHT)
    for number, query in enumerate(panel.queries):
        built = built.with_target(
            prometheus.Dataquery()
            .expr(query.expr)
            .legend_format(query.legend or "__auto")
            .ref_id("ABCDE"[number])
        )
    if panel.limit is not None:
        built = built.thresholds(_thresholds(panel.limit))
        if panel.kind != "number":
            dashed = shared.GraphThresholdsStyleConfig().mode(common.GraphTresholdsStyleMode.DASHED)
            built = built.thresholds_style(dashed)
    if panel.kind == "stacked":
        built = built.stacking(shared.StackingConfig().mode(common.StackingMode.NORMAL)).fill_opacity(30)
    return built


def build(board: Board) -> str:
    """Return a dashboard as JSON."""
    built = (
        dashboard.Dashboard(board.title)
        .uid(board.uid)
        .description(board.description)
        .tags(list(board.tags))
        .refresh("30s")
        .time("now-3h", "now")
        .readonly()
        .tooltip(models.DashboardCursorSync.CROSSHAIR)
        .link(
            dashboard.DashboardLink("samewire").type(models.DashboardLinkType.DASHBOARDS).tags(["samewire"])
        )
        .with_variable(dashboard.DatasourceVariable("source").label("Prometheus").type("prometheus"))
    )
    if board.per_worker:
        built = built.with_variable(
            dashboard.QueryVariable("instance")
            .label("Worker")
            .query('label_values(up{job="samewire"}, instance)')
            .datasource(SOURCE)
            .refresh(models.VariableRefresh.ON_TIME_RANGE_CHANGED)
        )
    for title, panels in board.rows.items():
        built = built.with_row(dashboard.Row(title))
        for panel in panels:
            width = WIDTH // len(panels) if panel.kind == "number" else WIDTH // min(3, len(panels))
            built = built.with_panel(_panel(panel, width))
    return JSONEncoder(sort_keys=True, indent=2).encode(built.build()) + "\n"


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for each in BOARDS:
        (FOLDER / f"{each.uid}.json").write_text(build(each), "utf-8")
