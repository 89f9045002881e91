"""Makes docs/images/overview.png: ``python -m tests.ops.picture --minutes 6``.

A real deployment under a load that rises and falls, with a standby that takes over half-way, watched by a real
Prometheus.
"""

import argparse
import math
import os
import random
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

from deploy.grafana.render import render
from tests.conftest import ROOT
from tests.integration.test_deployment import stream
from tests.kafka.broker import KafkaBroker, free_ports
from tests.kafka.deployment import Deployment
from tests.kafka.waiting import wait_for
from tests.ops.prometheus import Prometheus

WORKERS = ("sign-0", "match-0", "match-1")
PEAK = 60


def run(minutes: float, output: Path) -> None:
    """Run the deployment, then draw."""
    folder = Path(tempfile.mkdtemp(prefix="samewire-picture-"))
    ports = dict(zip(WORKERS, free_ports(len(WORKERS)), strict=True))
    targets = {
        "sign": [f"127.0.0.1:{ports['sign-0']}"],
        "match": [f"127.0.0.1:{ports[w]}" for w in WORKERS[1:]],
    }
    seconds = round(minutes * 60)
    articles: list[dict[str, Any]] = [orjson.loads(line) for line in stream(PEAK * seconds + 200)]
    chance = random.Random(4)
    with KafkaBroker() as broker, Deployment(folder, broker.bootstrap, lambda stem: stem) as deployment:
        for worker in WORKERS:
            _start(deployment, worker, ports[worker])
            time.sleep(5)
        # what is compiled at the first article of a worker is no part of the picture: images have it ready
        deployment.produce([orjson.dumps(articles.pop()) for _ in range(200)])
        wait_for("the first answers", lambda: len(deployment.answers()) == 200, seconds=300, every=1.0)
        with Prometheus(folder, targets) as prometheus:
            for second in range(seconds):
                due = time.monotonic() + 1
                wave = 0.6 + 0.3 * math.sin(second / 40) + 0.1 * chance.random()
                lines = []
                for _ in range(min(len(articles), round(PEAK * wave))):
                    article = articles.pop()
                    late = chance.expovariate(1 / 90)
                    article["published_at"] = datetime.fromtimestamp(time.time() - late, UTC).isoformat()
                    lines.append(orjson.dumps(article))
                deployment.produce(lines)
                if second == seconds // 2:
                    deployment.kill("match-0")
                if second == seconds // 2 + 30:
                    _start(deployment, "match-0", ports["match-0"])
                time.sleep(max(0.0, due - time.monotonic()))
            render(f"http://127.0.0.1:{prometheus.port}", minutes, 2.0, output)


def _start(deployment: Deployment, worker: str, port: int) -> None:
    os.environ["SAMEWIRE_METRICS__PORT"] = str(port)
    deployment.start(worker)
    del os.environ["SAMEWIRE_METRICS__PORT"]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=6.0)
    parser.add_argument("--output", type=Path, default=ROOT / "docs" / "images" / "overview.png")
    options = parser.parse_args()
    run(options.minutes, options.output)
