"""The commands of the Kafka deployment: sign, match, up, topics, redrive."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import structlog
import typer
from rich.console import Console
from rich.table import Table

from config.settings import Settings, load_settings
from workers.logs import configure_logs
from workers.version import samewire_version

if TYPE_CHECKING:
    from pipeline.engine import Engine
    from workers.health import Health
    from workers.kafka.exit_codes import ExitCode
    from workers.kafka.observer import Observer
    from workers.metrics import Metrics
    from workers.tracing import Tracing

ConfigOption = Annotated[
    Path | None, typer.Option("--config", help="Settings in TOML; see config/default.toml.")
]
SlotOption = Annotated[
    str,
    typer.Option(
        "--slot", help="This worker's stable name in its group; two live workers must not share one."
    ),
]
PortOption = Annotated[
    int | None, typer.Option("--metrics-port", help="Serve /metrics, /healthz and /readyz here.")
]


def register(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    app.command()(sign)
    app.command()(match)
    app.command()(up)
    app.command()(topics)
    app.command()(redrive)


def sign(slot: SlotOption = "0", config: ConfigOption = None, metrics_port: PortOption = None) -> None:
    """Sign articles: any number of these workers share the topic `articles`.

    Example: samewire sign --slot 0 --config samewire.toml --metrics-port 9101
    """
    raise typer.Exit(_work("sign", slot, config, metrics_port))


def match(slot: SlotOption = "0", config: ConfigOption = None, metrics_port: PortOption = None) -> None:
    """Match signed articles: one owner a desk, further workers stand by warm.

    Example: samewire match --slot 0 --config samewire.toml --metrics-port 9111
    """
    raise typer.Exit(_work("match", slot, config, metrics_port))


def up(
    config: ConfigOption = None,
    signers: Annotated[int, typer.Option(min=1, max=64, help="Number of signers.")] = 2,
    matchers: Annotated[
        int, typer.Option(min=1, max=64, help="Number of matchers; more than desks stand by.")
    ] = 2,
    metrics_port: Annotated[
        int | None,
        typer.Option(
            "--metrics-port",
            help="First port: one for each worker, counting up, then one for the supervisor itself.",
        ),
    ] = None,
) -> None:
    """Run signers, a matcher and its standby on this machine, and restart what dies.

    Example: samewire up --signers 2 --matchers 2 --config samewire.toml --metrics-port 9100
    """
    from workers.health import Endpoint, Health
    from workers.kafka.measured import MeasuredObserver
    from workers.kafka.stop import StopFlag
    from workers.kafka.supervisor import Child, Supervisor
    from workers.metrics import Metrics

    settings = _settings(config, None if metrics_port is None else metrics_port + signers + matchers)
    stop = StopFlag(settings.kafka.watchdog.stop_seconds + 5)
    stop.install()
    children = []
    for number, (role, slot) in enumerate(
        [("match", str(n)) for n in range(matchers)] + [("sign", str(n)) for n in range(signers)]
    ):
        command = [sys.executable, "-m", "workers.cli", role, "--slot", slot]
        if config is not None:
            command += ["--config", str(config)]
        if metrics_port is not None:
            command += ["--metrics-port", str(metrics_port + number)]
        children.append(Child(f"{role}-{slot}", command))
    # Children stop in reverse: signers first, so that matchers drain what they wrote.
    metrics, health = Metrics(), Health()
    metrics.set("build_info", 1, version=samewire_version(), engine="", command="up")
    health.ready()
    with ExitStack() as stack:
        if metrics_port is not None:
            stack.enter_context(Endpoint(settings.metrics, metrics, health))
        code = Supervisor(children, stop, observer=MeasuredObserver(metrics)).run()
    raise typer.Exit(int(code))


def topics(
    config: ConfigOption = None,
    apply: Annotated[
        bool, typer.Option("--apply", help="Create what is missing and set what differs.")
    ] = False,
) -> None:
    """Check samewire's topics against the settings; with --apply, create and repair them.

    Example: samewire topics --apply --config samewire.toml
    """
    from workers.kafka.client import make_admin
    from workers.kafka.exit_codes import ExitCode
    from workers.kafka.topics import apply_topics, check_topics, topic_plans

    settings = _settings(config)
    console = Console()
    admin = make_admin(settings.kafka)
    try:
        plans = topic_plans(settings.kafka, window_seconds(settings))
        differences = apply_topics(admin, plans) if apply else check_topics(admin, plans)
    finally:
        admin.close()
    table = Table("topic", "partitions", "replicas", "settings", box=None)
    for plan in plans:
        shown = " ".join(f"{key}={value}" for key, value in sorted(plan.config.items()))
        table.add_row(plan.name, str(plan.partitions), str(plan.replication_factor), shown)
    console.print(table)
    for difference in differences:
        console.print(f"[red]differs[/] {difference}")
    if differences:
        if not apply:
            console.print("run `samewire topics --apply` to create and repair them")
        raise typer.Exit(int(ExitCode.TOPICS_WRONG))
    console.print("all topics are as they should be")


def redrive(
    config: ConfigOption = None,
    reason: Annotated[
        list[str] | None, typer.Option(help="Only letters with this reason; may be repeated.")
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Most letters to put back.")] = None,
    reset: Annotated[bool, typer.Option("--reset", help="Begin at the oldest letter again.")] = False,
) -> None:
    """Put dead letters back into the topic that they came from, after a fix.

    Example: samewire redrive --reason failed --limit 1000
    """
    from workers.kafka.redrive import redrive as put_back

    settings = _settings(config)
    report = put_back(settings.kafka, reasons=tuple(reason or ()), limit=limit, reset=reset)
    console = Console()
    for topic, number in sorted(report.put_back.items()):
        console.print(f"{number:,} put back into {topic}")
    for why, number in sorted(report.passed_over.items()):
        console.print(f"{number:,} left: {why}")
    if not report.put_back and not report.passed_over:
        console.print("no dead letters")


def window_seconds(settings: Settings) -> float:
    """How far back the matcher's state reaches: what the changelog must keep."""
    return (settings.window.length + settings.window.max_lateness).total_seconds()


def _settings(config: Path | None, metrics_port: int | None = None) -> Settings:
    overrides = {"metrics": {"port": metrics_port}} if metrics_port is not None else None
    settings = load_settings(config, overrides)
    configure_logs(settings.log)
    return settings


def _work(role: str, slot: str, config: Path | None, metrics_port: int | None) -> int:
    from pipeline.engine import Engine
    from pipeline.weights import TermTable
    from workers.collector import calm_collector
    from workers.health import Endpoint, Health
    from workers.kafka.measured import MeasuredObserver
    from workers.metrics import Metrics
    from workers.tracing import tracing_from_environment

    settings = _settings(config, metrics_port)
    tracing = tracing_from_environment(role)
    terms = settings.engine.terms
    engine = Engine(TermTable.load(terms) if terms is not None else None)
    metrics, health = Metrics(), Health()
    metrics.set("build_info", 1, version=samewire_version(), engine=engine.fingerprint, command=role)
    with ExitStack() as stack:
        stack.callback(tracing.close)
        if settings.metrics.port is not None:
            endpoint = stack.enter_context(Endpoint(settings.metrics, metrics, health))
            structlog.get_logger().info("metrics_listening", host=settings.metrics.host, port=endpoint.port)
        calm_collector()
        run = _run_sign if role == "sign" else _run_match
        return int(run(engine, settings, slot, metrics, health, MeasuredObserver(metrics, health), tracing))


def _run_sign(
    engine: Engine,
    settings: Settings,
    slot: str,
    metrics: Metrics,
    health: Health,
    observer: Observer,
    tracing: Tracing,
) -> ExitCode:
    from workers.kafka.sign import SignStep
    from workers.kafka.worker import run_worker

    return run_worker(
        settings.kafka,
        group=settings.kafka.groups.sign,
        slot=slot,
        topic=settings.kafka.topics.articles,
        make_step=lambda: SignStep(engine, settings, metrics, health, tracing),
        observer=observer,
    )


def _run_match(
    engine: Engine,
    settings: Settings,
    slot: str,
    metrics: Metrics,
    health: Health,
    observer: Observer,
    tracing: Tracing,
) -> ExitCode:
    from workers.kafka.client import make_admin, make_consumer
    from workers.kafka.match import MatchStep
    from workers.kafka.replay import Replay
    from workers.kafka.worker import run_worker

    kafka = settings.kafka
    return run_worker(
        kafka,
        group=kafka.groups.match,
        slot=slot,
        topic=kafka.topics.signed,
        make_step=lambda: MatchStep(
            engine.fingerprint,
            settings,
            metrics,
            health,
            lambda at: Replay(make_consumer(kafka, None, f"{slot}-changelog"), make_admin(kafka), at),
            tracing,
        ),
        observer=observer,
    )
