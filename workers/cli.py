"""The command ``samewire``."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from config.settings import Settings, load_settings
from pipeline.errors import SamewireError
from workers.cli_kafka import register as register_kafka
from workers.cli_migrate import register as register_migrate
from workers.cli_quality import register as register_quality
from workers.cli_tools import register as register_tools
from workers.logs import configure_logs

app = typer.Typer(
    name="samewire",
    help="Finds the copies and rewrites of one wire story in a stream of news articles.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)

ConfigOption = Annotated[
    Path | None, typer.Option("--config", help="Settings in TOML; see config/default.toml.")
]
StateOption = Annotated[Path, typer.Option("--state", help="Folder of the state.")]
QuietOption = Annotated[bool, typer.Option("--quiet", help="No progress bar and no summary.")]


@app.command()
def run(
    source: Annotated[
        str, typer.Option("--input", help="JSON Lines file (.gz, .zst), a folder of them, or - for stdin.")
    ],
    state: Annotated[
        Path, typer.Option("--state", help="Folder for the state; running again goes on where it stopped.")
    ],
    output: Annotated[str, typer.Option("--output", help="File for the answers, or - for stdout.")],
    events: Annotated[str | None, typer.Option("--events", help="File for cluster events.")] = None,
    dead: Annotated[
        str | None,
        typer.Option("--dead", help="File for lines that could not be used [default: STATE/dead.jsonl]."),
    ] = None,
    config: ConfigOption = None,
    follow: Annotated[bool, typer.Option("--follow", help="Wait for more input instead of ending.")] = False,
    metrics_port: Annotated[
        int | None, typer.Option("--metrics-port", help="Serve /metrics, /healthz and /readyz here.")
    ] = None,
    quiet: QuietOption = False,
) -> None:
    """Cluster the articles of a file, a folder or stdin.

    Example: samewire run --input news.jsonl --output answers.jsonl --events events.jsonl --state state
    """
    from pipeline.engine import Engine
    from pipeline.weights import TermTable
    from workers.collector import calm_collector
    from workers.health import Endpoint, Health
    from workers.local import LocalWorker
    from workers.metrics import Metrics
    from workers.summary import print_summary

    overrides = {"metrics": {"port": metrics_port}} if metrics_port is not None else None
    settings = load_settings(config, overrides)
    configure_logs(settings.log)
    terms = settings.engine.terms
    engine = Engine(TermTable.load(terms) if terms is not None else None)
    stop = _stop_flag()
    metrics, health = Metrics(), Health()
    with ExitStack() as stack:
        if settings.metrics.port is not None:
            endpoint = stack.enter_context(Endpoint(settings.metrics, metrics, health))
            _log().info("metrics_listening", host=settings.metrics.host, port=endpoint.port)
        health.not_ready("restoring", "the state is being read")
        worker = stack.enter_context(
            LocalWorker(
                engine,
                settings,
                source=source,
                output=output,
                events=events,
                dead=dead,
                state=state,
                follow=follow,
                metrics=metrics,
                stopped=lambda: bool(stop),
            )
        )
        health.ready()
        calm_collector()
        bar = stack.enter_context(_progress(worker.reader.total_bytes, quiet))
        worker.on_progress = bar
        _log().info(
            "run_started", input=source, articles_restored=len(worker.matcher), engine=engine.fingerprint
        )
        summary = worker.run()
        _log().info(
            "run_stopped" if stop else "run_finished",
            read=summary.read,
            published=summary.published,
            dead=summary.dead,
            repeated=summary.repeated,
            seconds=round(summary.seconds, 3),
        )
    if not quiet and output != "-":
        print_summary(Console(stderr=True), summary, state)


@app.command()
def clusters(state: StateOption) -> None:
    """Print the clusters of a state, one JSON line each.

    Example: samewire clusters --state out/state
    """
    from pipeline.answers import cluster_id
    from pipeline.dates import format_date
    from workers.state import load_matcher

    for cluster in load_matcher(state).clusters():
        _print_line(
            {
                "cluster_id": cluster_id(cluster.name),
                "articles": cluster.article_ids,
                "first_published": format_date(cluster.first_ms),
                "last_published": format_date(cluster.last_ms),
            }
        )


@app.command(name="score-pairs")
def score_pairs(
    file: Annotated[str, typer.Argument(help='Lines {"a": article, "b": article, …}; - for stdin.')],
    output: Annotated[
        str, typer.Option("--output", help="File for the scored lines, or - for stdout.")
    ] = "-",
    config: ConfigOption = None,
) -> None:
    """Score pairs of articles: each line comes back with score, linked, relation and candidate.

    Example: samewire score-pairs pairs.jsonl --output scored.jsonl
    """
    from workers.pairs import score_file

    settings = load_settings(config)
    configure_logs(settings.log)
    score_file(file, output, settings)


@app.command(name="check-config")
def check_config(config: ConfigOption = None) -> None:
    """Check the settings and print them as they take effect; secrets are masked.

    Example: samewire check-config --config samewire.toml
    """
    settings: Settings = load_settings(config)
    _print_line(settings.model_dump(mode="json"), indent=True)


def _print_line(value: Any, indent: bool = False) -> None:
    option = orjson.OPT_INDENT_2 if indent else 0
    sys.stdout.buffer.write(orjson.dumps(value, option=option) + b"\n")


def _log() -> Any:
    import structlog

    return structlog.get_logger()


def _stop_flag() -> list[int]:
    """Return a list that stays empty until SIGTERM or SIGINT asks for a graceful stop."""
    received: list[int] = []

    def note(number: int, _frame: object) -> None:
        if received:
            raise KeyboardInterrupt
        received.append(number)

    signal.signal(signal.SIGTERM, note)
    signal.signal(signal.SIGINT, note)
    return received


@contextmanager
def _progress(total_bytes: int | None, quiet: bool) -> Iterator[Any]:
    console = Console(stderr=True)
    if quiet or not console.is_terminal:
        yield lambda _bytes, _articles: None
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[articles]:,} articles"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("clustering", total=total_bytes, articles=0)
        yield lambda done, articles: progress.update(task, completed=done, articles=articles)


register_kafka(app)
register_tools(app)
register_quality(app)
register_migrate(app)


def main() -> None:
    """Run the command; an expected failure is one line and an exit code."""
    try:
        app(standalone_mode=True)
    except SamewireError as error:
        sys.stderr.write(f"samewire: {error}\n")
        sys.exit(error.exit_code)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(0)


if __name__ == "__main__":
    main()
