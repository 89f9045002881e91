"""The commands that bring a new engine or an archive in: migrate, hand-over."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer
from rich.console import Console

from config.settings import Settings, load_settings
from pipeline.errors import SettingsError
from workers.cli_tools import JsonOption, QuietOption, _bar
from workers.logs import configure_logs

ConfigOption = Annotated[
    Path | None, typer.Option("--config", help="The settings of the new engine, in TOML [default: the defaults].")
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
    config: ConfigOption = None,
    output: Annotated[
        str | None, typer.Option("--output", help="File for the new engine's answers about what is migrated.")
    ] = None,
    events: Annotated[str | None, typer.Option("--events", help="File for its cluster events.")] = None,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Build the state of a new engine beside the one that serves, check it, and tell which clusters differ.

    Run it again at any time: it goes on where it stopped.

    Examples:

      samewire migrate --state state --to state-2 --config new.toml
    """
    from workers.labelled import engine_for
    from workers.migrate.differences_terminal import print_compared
    from workers.migrate.folder import FolderMigration

    if state is None or to is None:
        raise SettingsError("give --state with the folder that serves and --to with one for the new state")
    settings = _settings(config)
    total = sum(path.stat().st_size for path in state.glob("journal-*.swj"))
    with (
        _bar("migrating", quiet or as_json, total) as moved,
        FolderMigration(
            state, to, engine_for(settings), settings, output=output, events=events, on_progress=moved
        ) as migration,
    ):
        done = migration.run()
    if as_json:
        _print_json({"old": str(state), "new": str(to), **done.record()})
        return
    if quiet:
        return
    console = Console()
    console.print(
        f"{to} (engine {done.engine}) is where {state} (engine {done.old_engine}) is: "
        f"{done.articles:,} articles in {done.records:,} records were read now"
    )
    print_compared(console, done.compared)
    console.print(
        "To switch: stop the worker, run this command once more, and start the worker with "
        f"--state {to}{f' --config {config}' if config else ''}: it goes on in the same input and output files."
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
    from workers.kafka.hand_over import hand_over as give
    from workers.labelled import engine_for

    settings = _settings(config)
    total = sum(path.stat().st_size for path in state.glob("journal-*.swj"))
    with _bar("handing over", quiet or as_json, total) as moved:
        done = give(settings, engine_for(settings).fingerprint, state, desk, moved)
    if as_json:
        _print_json(asdict(done))
    elif not quiet:
        Console().print(
            f"desk {done.desk} has {done.articles:,} articles in {done.clusters:,} clusters ({done.records:,} records, "
            f"read back and checked). Start `samewire match` and `samewire sign`: articles that were in the archive "
            "are answered as repeated, copies of them join their clusters."
        )


def _settings(config: Path | None) -> Settings:
    settings = load_settings(config)
    configure_logs(settings.log)
    return settings


def _print_json(value: Any) -> None:
    sys.stdout.buffer.write(orjson.dumps(value) + b"\n")
    sys.stdout.buffer.flush()
