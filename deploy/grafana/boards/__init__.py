"""The dashboards: title, queries and what to read from them, one table a board.

``generate.py`` makes Grafana JSON of them, the tests ask a real Prometheus every query, and ``render.py`` draws
some panels with matplotlib.
"""

from deploy.grafana.boards.overview import OVERVIEW
from deploy.grafana.boards.quality import QUALITY
from deploy.grafana.boards.worker import WORKER_BOARD

__all__ = ["BOARDS", "OVERVIEW", "QUALITY"]

BOARDS = (OVERVIEW, QUALITY, WORKER_BOARD)
