"""`samewire serve` as a process of its own."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Self

import httpx2

_LOADED_SECONDS = 60


class Served:
    """A server of what ``options`` name, on a free port, that looks for news every 50 ms."""

    def __init__(self, *options: str | Path, **environment: str) -> None:
        command = [sys.executable, "-m", "workers.cli", "serve", "--port", "0", "--poll", "0.05"]
        self.process = subprocess.Popen(
            [*command, *map(str, options)], stderr=subprocess.PIPE, text=True, env=os.environ | environment
        )
        assert self.process.stderr is not None
        line = self.process.stderr.readline()
        assert "http://" in line, line
        self.url = "http://" + line.split("http://")[1].split(" ")[0].replace("0.0.0.0", "127.0.0.1")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def get(self, path: str, **query: str | int) -> httpx2.Response:
        """Ask the API; redirects are returned, not followed."""
        return httpx2.get(self.url + path, params=query, timeout=_LOADED_SECONDS)

    def json(self, path: str, **query: str | int) -> Any:
        """Ask the API for what there must be."""
        answer = self.get(path, **query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def stop(self) -> None:
        """End the server; it must end by itself."""
        self.process.terminate()
        assert self.process.wait(10) in (0, -15)
