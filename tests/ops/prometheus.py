"""A real Prometheus server on a loopback port, with the project's own rules at a test's pace."""

import re
import subprocess
import urllib.parse
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import orjson
import yaml

from tests.conftest import ROOT
from tests.kafka.broker import free_ports
from tests.kafka.waiting import wait_for

RULES = ROOT / "deploy" / "prometheus"


class Prometheus:
    """Scrapes ``targets`` (role to addresses) every second and evaluates the rules as often."""

    def __init__(self, folder: Path, targets: Mapping[str, Sequence[str]]) -> None:
        self.folder = folder
        (self.port,) = free_ports(1)
        for name in ("rules.recording.yaml", "rules.alerts.yaml"):
            text = (RULES / name).read_text()
            text = re.sub(r"interval: \w+", "interval: 1s", text)
            (folder / name).write_text(re.sub(r"for: \w+", "for: 1s", text))
        config = {
            "global": {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"},
            "rule_files": ["rules.recording.yaml", "rules.alerts.yaml"],
            "scrape_configs": [
                {
                    "job_name": "samewire",
                    "static_configs": [
                        {"targets": list(addresses), "labels": {"role": role}}
                        for role, addresses in targets.items()
                    ],
                }
            ],
        }
        (folder / "prometheus.yaml").write_text(yaml.safe_dump(config))
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        with (self.folder / "prometheus.log").open("wb") as log:
            self._process = subprocess.Popen(
                [
                    "prometheus",
                    f"--config.file={self.folder / 'prometheus.yaml'}",
                    f"--storage.tsdb.path={self.folder / 'tsdb'}",
                    f"--web.listen-address=127.0.0.1:{self.port}",
                ],
                stdout=log,
                stderr=log,
            )
        try:
            wait_for("Prometheus", self._ready, seconds=60, every=0.2)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait(10)

    def _ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/-/ready", timeout=2) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def get(self, path: str, **arguments: str) -> Any:
        """Call the API; returns its data."""
        url = f"http://127.0.0.1:{self.port}/api/v1/{path}?{urllib.parse.urlencode(arguments)}"
        with urllib.request.urlopen(url, timeout=30) as answer:
            document = orjson.loads(answer.read())
        assert document["status"] == "success", document
        return document["data"]

    def query(self, expression: str) -> list[dict[str, Any]]:
        """Return an instant vector; raises :class:`urllib.error.HTTPError` for a query that is wrong."""
        result: list[dict[str, Any]] = self.get("query", query=expression)["result"]
        return result

    def value(self, expression: str) -> float | None:
        """Return the only value of an instant vector; None where there is none or it is no number."""
        found = self.query(expression)
        value = float(found[0]["value"][1]) if found else float("nan")
        return None if value != value else value
