"""The command replay: a stretch of a stream under other settings."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from config.kafka import KafkaSettings
from config.settings import Settings, load_settings
from pipeline.errors import SettingsError
from workers.console import bar, print_json, say, write_page
from workers.logs import configure_logs

if TYPE_CHECKING:
    from workers.tools.feed import Progress
    from workers.tools.source import Source
    from workers.tools.stretch import Stretch


def replay(
    output: Annotated[Path, typer.Option("--output", help="A new folder for the replay's files and state.")],
    source: Annotated[
        str | None, typer.Option("--input", help="JSON Lines file (.gz, .zst), a folder, or -.")
    ] = None,
    kafka: Annotated[
        bool, typer.Option("--kafka", help="Read the input topic of the deployment that --config names.")
    ] = False,
    start: Annotated[
        str | None, typer.Option("--from", help="First published_at, RFC 3339 or a day (UTC).")
    ] = None,
    end: Annotated[str | None, typer.Option("--to", help="Articles published before this.")] = None,
    config: Annotated[Path | None, typer.Option("--config", help="The settings to try, in TOML.")] = None,
    against: Annotated[Path | None, typer.Option("--against", help="State folder to compare with.")] = None,
    against_config: Annotated[
        Path | None,
        typer.Option(
            "--against-config",
            help="Settings to compare with (default: with --kafka what the deployment decided, else samewire's own).",
        ),
    ] = None,
    topics: Annotated[
        str | None,
        typer.Option("--topics", metavar="PREFIX", help="Also write the replay into fresh topics PREFIX.…"),
    ] = None,
    html: Annotated[
        Path | None, typer.Option("--html", help="Also write a report that marks the changes.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")] = False,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="No progress bar and no closing line.")
    ] = False,
) -> None:
    """Process a stretch of a stream again with other settings; show which clusters split or joined.

    Examples:

      samewire replay --input news.jsonl --from 2026-03-10 --to 2026-03-12 --config short-window.toml --output try1

      samewire replay --input news.jsonl --config new.toml --against out/state --output try2 --html try2.html --json

      samewire replay --kafka --from 2026-11-20T00:00:00Z --to 2026-11-21 --config new.toml --output try3 --topics try3

    With --kafka the broker and the topics are those of --config: copy the deployment's file and change what you try.
    """
    from workers.tools.replay import Comparison, fresh_folder
    from workers.tools.replay_terminal import print_differences
    from workers.tools.report import report_page
    from workers.tools.source import FolderSource, load

    if (source is not None) == kafka:
        raise SettingsError(
            "say where the articles come from: --input FILE, or --kafka with --config FILE for a deployment's topic"
        )
    settings = load_settings(config)
    configure_logs(settings.log)
    silent = quiet or as_json
    other = _compared_with(against, against_config, kafka, settings)
    if other is not None:  # what is wrong with it is said now, not after minutes of work
        other.open().close()
    target = None if topics is None else _fresh_topics(settings, topics)
    fresh_folder(output)
    stretch = _cut(source, settings, start, end, output, silent)
    _cluster(settings, output, target, silent)
    name = other.title if other is not None else (against_config.name if against_config else "the defaults")
    if other is None:
        other = _cluster_otherwise(load_settings(against_config), output, silent)
    with bar("comparing", silent) as moved:
        before = load(other, moved, with_texts=False)
        after = load(FolderSource(output / "state"), moved)
    found = Comparison.of(stretch, before, after, name)
    if html is not None:
        write_page(html, report_page(after, FolderSource(output).title, found.differences))
    if as_json:
        print_json(found.record())
        return
    print_differences(Console(), found.differences, before, after)
    say(f"the replay's files are in {output}" + (f", the report is {html}" if html else ""), quiet)


def _compared_with(
    against: Path | None, against_config: Path | None, kafka: bool, settings: Settings
) -> Source | None:
    """Return the state to compare with; None: the stretch is clustered once more for that."""
    from workers.tools.source import FolderSource, TopicSource

    if against is not None and against_config is not None:
        raise SettingsError(
            "--against and --against-config are two ways to say what to compare with; give one"
        )
    if against is not None:
        return FolderSource(against)
    return TopicSource(settings.kafka) if kafka and against_config is None else None


def _cut(
    source: str | None, settings: Settings, start: str | None, end: str | None, output: Path, silent: bool
) -> Stretch:
    from workers.tools.replay import STRETCH
    from workers.tools.stretch import bound, cut

    start_ms, end_ms = bound(start, "--from"), bound(end, "--to")
    with (
        bar("reading", silent) as moved,
        closing(_lines(source, settings, start_ms, moved)) as lines,
    ):
        return cut(lines, output / STRETCH, start_ms, end_ms, settings.input.max_text_bytes)


def _lines(
    source: str | None, settings: Settings, start_ms: int | None, on_progress: Progress
) -> Generator[bytes, None, None]:
    from workers.tools.stretch import lines_of_files, lines_of_topic

    if source is not None:
        return lines_of_files(source, settings, on_progress)
    return lines_of_topic(settings, start_ms, on_progress)


def _fresh_topics(settings: Settings, prefix: str) -> KafkaSettings:
    from workers.kafka.fresh_topics import prefixed, require_fresh
    from workers.kafka.reader import for_people

    target = prefixed(for_people(settings.kafka), prefix)
    require_fresh(target)
    return target


def _cluster(settings: Settings, output: Path, target: KafkaSettings | None, silent: bool) -> None:
    """Cluster the stretch, and copy what comes of it into the topics of ``target``."""
    from workers.tools.replay import STRETCH, process

    if target is None:
        with bar("clustering", silent) as moved:
            process(output / STRETCH, output, settings, moved)
        return
    from workers.cli_kafka import window_seconds
    from workers.kafka.fresh_topics import publish, small_batches

    with bar("clustering", silent) as moved:
        process(output / STRETCH, output, small_batches(settings), moved)
    names = target.topics
    records = publish(target, window_seconds(settings), output)
    say(
        f"wrote {records:,} records into {names.clustered}, {names.clusters} and {names.changelog}; "
        f"SAMEWIRE_KAFKA__TOPICS__CHANGELOG={names.changelog} lets report, story and serve --kafka show them",
        silent,
    )


def _cluster_otherwise(settings: Settings, output: Path, silent: bool) -> Source:
    """Cluster the stretch with the settings to compare with."""
    from workers.tools.replay import STRETCH, process
    from workers.tools.source import FolderSource

    with bar("clustering for comparison", silent) as moved:
        process(output / STRETCH, output / "before", settings, moved)
    return FolderSource(output / "before" / "state")
