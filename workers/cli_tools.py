"""The commands that show: explain, report, serve, story, replay."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import orjson
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from config.settings import load_settings
from pipeline.errors import InputError, OutputError, SettingsError

if TYPE_CHECKING:
    from workers.tools.catalogue import Catalogue

StateOption = Annotated[Path, typer.Option("--state", help="Folder of the state; a worker may be using it.")]
ConfigOption = Annotated[
    Path | None, typer.Option("--config", help="Settings in TOML; the ones that the state was made with.")
]
QuietOption = Annotated[bool, typer.Option("--quiet", "-q", help="No progress bar and no closing line.")]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")]
LimitOption = Annotated[
    int, typer.Option("--limit", min=1, max=5_000_000, help="Most articles shown; the newest stay.")
]


def register(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    app.command()(explain)
    app.command()(report)
    app.command()(serve)
    app.command()(story)
    app.command()(replay)


def explain(
    a: Annotated[str, typer.Argument(metavar="A", help="Id of an article in --state, or a file.")],
    b: Annotated[str, typer.Argument(metavar="B", help="Id of another one, or a file.")],
    state: Annotated[
        Path | None, typer.Option("--state", help="Folder of the state that holds both articles.")
    ] = None,
    html: Annotated[Path | None, typer.Option("--html", help="Also write a self-contained page.")] = None,
    as_json: JsonOption = False,
    config: ConfigOption = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print the verdict alone.")] = False,
) -> None:
    """Show why two articles are, or are not, the same copy.

    The decision, the parts of the score, the bands shared, both texts side by side, and what in them agrees or differs.

    Examples:

      samewire explain n-0002 n-0007 --state out/state

      samewire explain n-0002 n-0007 --state out/state --html why.html

      samewire explain ours.txt theirs.json --json

    A file holds one article: a JSON object as in the input, or plain text.
    """
    from pipeline.engine import Engine
    from pipeline.weights import TermTable
    from workers.tools import explain as explaining
    from workers.tools.explain_page import explain_page
    from workers.tools.explain_terminal import print_explanation
    from workers.tools.material import read_article

    settings = load_settings(config)
    terms = settings.engine.terms
    engine = Engine(TermTable.load(terms) if terms is not None else None)
    if state is None:
        _need_files(a, b)
        limit = settings.input.max_text_bytes
        found = explaining.from_articles(engine, read_article(Path(a), limit), read_article(Path(b), limit))
    else:
        found = _explain_from_state(engine.fingerprint, state, a, b, quiet or as_json)
    if html is not None:
        _write(html, explain_page(found))
    if as_json:
        _print_json(found.record())
    elif quiet:
        sys.stdout.write(f"{found.verdict}\n")
    else:
        print_explanation(Console(), found)
        if html is not None:
            _say(f"wrote {html}", quiet)


def _need_files(a: str, b: str) -> None:
    missing = [name for name in (a, b) if not Path(name).is_file()]
    if missing:
        raise InputError(
            f"{missing[0]!r} is no file; give two files, or add --state DIR to name articles by their ids"
        )


def _explain_from_state(engine: str, state: Path, a: str, b: str, quiet: bool) -> Any:
    from pipeline.answers import cluster_id
    from workers.tools.chain import chain
    from workers.tools.explain import explain as explain_pair
    from workers.tools.explain import require_engine
    from workers.tools.feed import StateFeed
    from workers.tools.material import gather

    catalogue = _catalogue(state, quiet, with_texts=False)
    left, right = catalogue.expect(a), catalogue.expect(b)
    found = gather(StateFeed(state).poll(), {a, b})
    for article_id in (a, b):
        require_engine(engine, found[article_id])
    names = [catalogue.resolve(entry.published_in) for entry in (left, right)]
    links = chain(catalogue, a, b) if names[0] == names[1] else None
    return explain_pair(engine, found[a], found[b], (cluster_id(names[0]), cluster_id(names[1])), links)


def report(
    state: StateOption,
    html: Annotated[Path, typer.Option("--html", help="The page to write.")],
    compare: Annotated[
        Path | None,
        typer.Option("--compare", help="Another state of the same articles: mark what was joined or split."),
    ] = None,
    limit: LimitOption = 100_000,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Write a state as one page that works from a file, without a network.

    Clusters by size and time, search and filters, timelines, any two articles side by side.

    Examples:

      samewire report --state out/state --html report.html

      samewire report --state tuned/state --compare out/state --html compared.html
    """
    from workers.tools.compare import compare_partitions
    from workers.tools.replay import partition_of
    from workers.tools.report import report_page

    silent = quiet or as_json
    catalogue = _catalogue(state, silent, max_articles=limit)
    catalogue.require_articles(str(state))
    differences = None
    if compare is not None:
        other, partition = partition_of(compare)
        other.require_articles(str(compare))
        differences = compare_partitions(partition, catalogue.partition(), _title(compare))
    with _bar("writing", silent, len(catalogue)) as moved:
        page = report_page(catalogue, _title(state), differences, moved)
    _write(html, page)
    size = len(page.encode())
    facts = {
        "file": str(html),
        "bytes": size,
        "articles": len(catalogue),
        "clusters": catalogue.cluster_count,
        "not_shown": catalogue.forgotten,
    }
    if as_json:
        _print_json(facts)
        return
    left_out = (
        f"; the oldest {catalogue.forgotten:,} articles are left out (--limit)" if catalogue.forgotten else ""
    )
    _say(
        f"wrote {html}: {len(catalogue):,} articles in {catalogue.cluster_count:,} clusters, "
        f"{size / 1e6:.1f} MB{left_out}",
        quiet,
    )


def serve(
    state: StateOption,
    host: Annotated[
        str, typer.Option("--host", help="Address to listen on; beyond this machine a token is required.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="0: any free port.")] = 8400,
    token_file: Annotated[
        Path | None, typer.Option("--token-file", help="File with the access token (16 characters or more).")
    ] = None,
    poll: Annotated[
        float, typer.Option("--poll", min=0.05, max=60.0, help="Seconds between looks at the state.")
    ] = 0.5,
    limit: LimitOption = 200_000,
    quiet: QuietOption = False,
) -> None:
    """Serve a state as a read-only page that updates live, with a JSON API.

    The page is at /, the API's description at /openapi.json. The state may be in use by a worker.

    Examples:

      samewire serve --state out/state

      samewire serve --state out/state --host 0.0.0.0 --port 8400 --token-file token

      curl 'http://127.0.0.1:8400/api/article/cluster?id=n-0002'
    """
    from workers.tools.feed import StateFeed
    from workers.tools.guard import read_token
    from workers.tools.serving import run_server

    token = read_token(token_file, host)
    run_server(
        StateFeed(state),
        host=host,
        port=port,
        token=token,
        poll_seconds=poll,
        max_articles=limit,
        say=lambda message: _say(message, quiet),
    )


def story(
    cluster: Annotated[
        str,
        typer.Argument(metavar="CLUSTER", help="A cluster's id, also one that was merged, or an article's."),
    ],
    state: StateOption,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Show a cluster as a family tree: probable origin, versions, which copy derives from which.

    Examples:

      samewire story ca8ec46b07bf211ef --state out/state

      samewire story n-0007 --state out/state --json
    """
    from workers.tools.feed import StateFeed
    from workers.tools.material import gather
    from workers.tools.story import family
    from workers.tools.story_terminal import print_family

    catalogue = _catalogue(state, quiet or as_json, with_texts=False)
    catalogue.require_articles(str(state))
    found = catalogue.expect_story(cluster)
    tree = family(found, gather(StateFeed(state).poll(), {entry.id for entry in found.entries}))
    if as_json:
        _print_json(tree.record())
    else:
        print_family(Console(), tree)


def replay(
    source: Annotated[str, typer.Option("--input", help="JSON Lines file (.gz, .zst), a folder, or -.")],
    output: Annotated[Path, typer.Option("--output", help="A new folder for the replay's files and state.")],
    start: Annotated[
        str | None, typer.Option("--from", help="First published_at, RFC 3339 or a day (UTC).")
    ] = None,
    end: Annotated[str | None, typer.Option("--to", help="Articles published before this.")] = None,
    config: Annotated[Path | None, typer.Option("--config", help="The settings to try, in TOML.")] = None,
    against: Annotated[
        Path | None,
        typer.Option("--against", help="State to compare with [default: replay with --against-config too]."),
    ] = None,
    against_config: Annotated[
        Path | None,
        typer.Option("--against-config", help="Settings to compare with [default: samewire's own]."),
    ] = None,
    html: Annotated[
        Path | None, typer.Option("--html", help="Also write a report that marks the changes.")
    ] = None,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Process a stretch of a stream again with other settings; show which clusters split or joined.

    Examples:

      samewire replay --input news.jsonl --from 2026-03-10 --to 2026-03-12 --config short-window.toml --output try1

      samewire replay --input news.jsonl --config new.toml --against out/state --output try2 --html try2.html --json
    """
    from workers.logs import configure_logs
    from workers.tools import replay as replaying
    from workers.tools.replay_terminal import print_differences
    from workers.tools.report import report_page

    if against is not None and against_config is not None:
        raise SettingsError(
            "--against and --against-config are two ways to say what to compare with; give one"
        )
    settings = load_settings(config)
    configure_logs(settings.log)
    silent = quiet or as_json
    start_ms, end_ms = replaying.bound(start, "--from"), replaying.bound(end, "--to")
    total = replaying.input_bytes(source)
    replaying.fresh_folder(output)
    target = output / replaying.STRETCH
    limit = settings.input.max_text_bytes
    with _bar("reading", silent, total) as moved:
        stretch = replaying.cut(replaying.lines_of(source, limit, moved), target, start_ms, end_ms, limit)
    with _bar("clustering", silent, target.stat().st_size) as moved:
        engine, _ = replaying.process(target, output, settings, moved)
    other = against
    if other is None:
        base = output / "before"
        with _bar("clustering for comparison", silent, target.stat().st_size) as moved:
            replaying.process(target, base, load_settings(against_config), moved)
        other = base / "state"
    name = (
        _title(other) if against is not None else (against_config.name if against_config else "the defaults")
    )
    before, after, differences = replaying.compare_states(other, output / "state", name)
    if html is not None:
        _write(html, report_page(after, _title(output), differences))
    if as_json:
        result = replaying.Replayed(
            stretch, engine, ", ".join(sorted(before.engines)), len(after), after.cluster_count, differences
        )
        _print_json(result.record())
        return
    print_differences(Console(), differences, before, after)
    _say(f"the replay's files are in {output}" + (f", the report is {html}" if html else ""), quiet)


# --- shared by the commands


def _catalogue(state: Path, quiet: bool, with_texts: bool = True, max_articles: int = 1 << 28) -> Catalogue:
    from workers.tools.catalogue import Catalogue
    from workers.tools.feed import StateFeed

    feed = StateFeed(state)
    catalogue = Catalogue(max_articles, with_texts)
    with _bar("reading the state", quiet, feed.total_bytes) as moved:
        for change in feed.poll():
            catalogue.apply(change)
            moved(feed.bytes_read, len(catalogue))
    return catalogue


def _title(state: Path) -> str:
    """Return what to call a state: a folder named just `state` is told apart by the one above."""
    folder = state.resolve()
    return f"{folder.parent.name}/{folder.name}" if folder.name == "state" else folder.name


def _write(path: Path, page: str) -> None:
    try:
        path.write_text(page, "utf-8", errors="replace")
    except OSError as error:
        raise OutputError(f"{path}: {error.strerror}; choose a place that can be written") from error


def _print_json(value: Any) -> None:
    sys.stdout.buffer.write(orjson.dumps(value) + b"\n")
    sys.stdout.buffer.flush()


def _say(message: str, quiet: bool) -> None:
    if not quiet:
        sys.stderr.write(f"{message}\n")
        sys.stderr.flush()


@contextmanager
def _bar(what: str, quiet: bool, total: int | None) -> Iterator[Callable[[int, int], None]]:
    console = Console(stderr=True)
    if quiet or not console.is_terminal:
        yield lambda _done, _of: None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task(what, total=total)
        yield lambda done, _of: progress.update(task, completed=done)
