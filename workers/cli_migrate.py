"""The commands that bring a new engine or an archive in: migrate, hand-over."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import typer
from rich.console import Console

from config.settings import Settings, load_settings
from pipeline.dates import format_date
from pipeline.errors import SettingsError
from workers.cli_tools import JsonOption, QuietOption
from workers.console import bar, print_json, say
from workers.logs import configure_logs

if TYPE_CHECKING:
    from workers.migrate.chase import Behind
    from workers.migrate.differences import Compared

# Clear of the codes of workers (workers/kafka/exit_codes.py) and of errors (pipeline/errors.py).
UNFINISHED = 22
TOO_DIFFERENT = 23

ConfigOption = Annotated[
    Path | None, typer.Option("--config", help="The settings of the new engine, in TOML (none: the defaults).")
]  # fmt: skip


def register(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    app.command()(migrate)
    app.command(name="hand-over")(hand_over)


def migrate(
    state: Annotated[
        Path | None, typer.Option("--state", help="State folder that serves now; a worker may be using it.")
    ] = None,
    to: Annotated[
        Path | None, typer.Option("--to", help="Folder for the new state, or one that this began.")
    ] = None,
    output: Annotated[
        str | None, typer.Option("--output", help="File for the new engine's answers about what is migrated.")
    ] = None,
    events: Annotated[str | None, typer.Option("--events", help="File for its cluster events.")] = None,
    old_config: Annotated[
        Path | None, typer.Option("--old-config", help="Settings of the Kafka deployment that serves now.")
    ] = None,
    config: ConfigOption = None,
    since: Annotated[
        str | None,
        typer.Option(
            "--since",
            help="Oldest arrival that the new deployment reads (none: a window and its lateness ago).",
        ),
    ] = None,
    watch: Annotated[
        bool, typer.Option("--watch", help="The new workers run elsewhere: start none, only wait for them.")
    ] = False,
    signers: Annotated[int, typer.Option("--signers", min=1, max=64, help="New signers to run.")] = 2,
    most_regrouped: Annotated[
        float | None,
        typer.Option(
            "--most-regrouped",
            min=0,
            max=1,
            help="End with code 23 when a larger share of the articles stands with others than before.",
        ),
    ] = None,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Build the state of a new engine beside the one that serves, check it, and tell which clusters differ.

    What serves is a state folder (--state, --to) or a Kafka deployment (--old-config). It goes on undisturbed.
    Run it again at any time: it goes on where it stopped.

    Examples:

      samewire migrate --state state --to state-2 --config new.toml

      samewire migrate --old-config samewire.toml --config new.toml

      samewire migrate --old-config samewire.toml --config new.toml --watch --most-regrouped 0.02 --json
    """
    from workers.migrate.differences_terminal import print_compared

    settings = _settings(config)
    silent = quiet or as_json
    console = Console()
    if old_config is not None:
        if config is None or any(each is not None for each in (state, to, output, events)):
            raise SettingsError(
                "--old-config goes with --config, the settings of the new deployment; "
                "--state, --to, --output and --events are for folders"
            )
        compared, record, first, last = _migrate_deployment(
            old_config, config, settings, since, None if watch else signers, silent
        )
    elif state is not None and to is not None:
        if since is not None or watch:
            raise SettingsError("--since and --watch are for Kafka deployments; leave them out with --state")
        compared, record, first, last = _migrate_folder(state, to, config, settings, output, events, silent)
    else:
        raise SettingsError(
            "give --state and --to for folders, or --old-config and --config for Kafka deployments"
        )
    if as_json:
        print_json(record)
    elif not quiet:
        console.print(first)
        print_compared(console, compared)
        console.print(last)
    if most_regrouped is not None and compared.share_regrouped > most_regrouped:
        raise typer.Exit(TOO_DIFFERENT)


_Done: TypeAlias = "tuple[Compared, dict[str, Any], str, str]"


def _migrate_folder(
    state: Path,
    to: Path,
    config: Path | None,
    settings: Settings,
    output: str | None,
    events: str | None,
    silent: bool,
) -> _Done:
    from workers.labelled import engine_for
    from workers.migrate.folder import FolderMigration

    total = sum(path.stat().st_size for path in state.glob("journal-*.swj"))
    with (
        bar("migrating", silent) as tell,
        FolderMigration(
            state,
            to,
            engine_for(settings),
            settings,
            output=output,
            events=events,
            on_progress=lambda done, _: tell(done, total),
        ) as migration,
    ):
        done = migration.run()
    return (
        done.compared,
        {"old": str(state), "new": str(to), **done.record()},
        f"{to} (engine {done.engine}) is where {state} (engine {done.old_engine}) is: "
        f"{done.articles:,} articles in {done.records:,} records were read now",
        "To switch: stop the worker, run this command once more, and start the worker with "
        f"--state {to}{f' --config {config}' if config else ''}: it goes on in the same input and output files.",
    )


def _migrate_deployment(
    old_config: Path, config: Path, settings: Settings, since: str | None, signers: int | None, silent: bool
) -> _Done:
    from workers.kafka.stop import StopFlag
    from workers.labelled import engine_for
    from workers.migrate.pair import check_pair
    from workers.migrate.prepare import prepare
    from workers.migrate.rollout import catch_up, compare_deployments, new_workers
    from workers.tools.stretch import bound

    old = load_settings(old_config)
    check_pair(old.kafka, settings.kafka)
    engine = engine_for(settings).fingerprint
    beginning = prepare(settings, bound(since, "--since"))
    if beginning.set_now and beginning.short:
        say(
            f"{settings.kafka.topics.articles} holds articles from {format_date(beginning.oldest_ms or 0)} on, the "
            f"window reaches back to {format_date(beginning.wanted_ms)}: what is older is not in the new state, "
            "unless you hand it over first (samewire hand-over)",
            silent,
        )
    stop = StopFlag(settings.kafka.watchdog.stop_seconds)
    stop.install()
    with ExitStack() as stack:
        tell = stack.enter_context(_status(silent))
        check: Callable[[], None] = lambda: None  # noqa: E731 - the workers are somebody else's
        if signers is not None:
            check = stack.enter_context(new_workers(config, settings.kafka, signers, stop))
        behind = catch_up(old.kafka, settings.kafka, stop, check, tell)
    if any(behind):
        say(
            f"stopped {behind.articles:,} articles and {behind.signed:,} signed records behind; run it again",
            False,
        )
        raise typer.Exit(UNFINISHED)
    done = compare_deployments(old, settings, engine)
    topics, was = settings.kafka.topics, old.kafka.topics
    return (
        done.compared,
        {"old": str(old_config), "new": str(config), **done.record()},
        f"{config} (engine {done.engine}) has caught up with {old_config} (engine {done.old_engine}): "
        f"{done.articles:,} articles stand in it",
        f"To switch: start the workers of {config} for good, let the readers of {was.clustered} and {was.clusters} "
        f"go over to {topics.clustered} and {topics.clusters}, then stop the workers of {old_config}.",
    )


def hand_over(
    state: Annotated[Path, typer.Option("--state", help="State folder that `samewire run` has left.")],
    desk: Annotated[int, typer.Option("--desk", min=0, help="The desk that gets it.")] = 0,
    config: Annotated[
        Path | None, typer.Option("--config", help="Settings of the deployment, in TOML.")
    ] = None,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Give the state of an archive to a desk of the Kafka deployment: its matcher goes on from it.

    The desk must be new (an empty changelog) and its matchers stopped. Nothing is written unless all is.

    Examples:

      samewire run --input archive/ --output archive.jsonl --state archive-state --config samewire.toml

      samewire hand-over --state archive-state --config samewire.toml
    """
    from workers.labelled import engine_for
    from workers.migrate.hand_over import hand_over as give

    settings = _settings(config)
    total = sum(path.stat().st_size for path in state.glob("journal-*.swj"))
    with bar("handing over", quiet or as_json) as tell:
        done = give(
            settings, engine_for(settings).fingerprint, state, desk, lambda read, _: tell(read, total)
        )
    if as_json:
        print_json(asdict(done))
    elif not quiet:
        Console().print(
            f"desk {done.desk} has {done.articles:,} articles in {done.clusters:,} clusters ({done.records:,} records, "
            f"read back and checked). Start `samewire match` and `samewire sign`: articles that were in the archive "
            "are answered as repeated, copies of them join their clusters."
        )


@contextmanager
def _status(silent: bool) -> Iterator[Callable[[Behind], None]]:
    console = Console(stderr=True)
    if silent or not console.is_terminal:
        yield lambda _behind: None
        return
    with console.status("the new workers are starting") as status:
        yield lambda behind: status.update(
            f"catching up: {behind.articles:,} articles and {behind.signed:,} signed records behind"
        )


def _settings(config: Path | None) -> Settings:
    settings = load_settings(config)
    configure_logs(settings.log)
    return settings
