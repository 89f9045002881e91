"""The commands that show a state: explain, report, serve, story; and replay."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from config.settings import Settings, load_settings
from pipeline.errors import InputError
from workers.cli_replay import replay
from workers.console import bar, print_json, say, write_page
from workers.logs import configure_logs

if TYPE_CHECKING:
    from pipeline.engine import Engine
    from workers.tools.explain import Explanation
    from workers.tools.source import Source

StateOption = Annotated[
    Path | None, typer.Option("--state", help="Folder of a state; a worker may be using it.")
]
KafkaOption = Annotated[
    bool, typer.Option("--kafka", help="Read the changelog topic of the deployment that --config names.")
]
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
    a: Annotated[str, typer.Argument(metavar="A", help="Id of an article in the state, or a file.")],
    b: Annotated[str, typer.Argument(metavar="B", help="Id of another one, or a file.")],
    state: StateOption = None,
    kafka: KafkaOption = False,
    html: Annotated[Path | None, typer.Option("--html", help="Also write a self-contained page.")] = None,
    as_json: JsonOption = False,
    config: ConfigOption = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print the verdict alone.")] = False,
) -> None:
    """Show why two articles are, or are not, the same copy.

    The decision, the parts of the score, the bands shared, both texts side by side, and what in them agrees or differs.

    Examples:

      samewire explain n-0002 n-0007 --state out/state

      samewire explain n-0002 n-0007 --kafka --config samewire.toml --html why.html

      samewire explain ours.txt theirs.json --json

    A file holds one article: a JSON object as in the input, or plain text.
    """
    from pipeline.engine import Engine
    from pipeline.weights import TermTable
    from workers.tools.explain_page import explain_page
    from workers.tools.explain_terminal import print_explanation
    from workers.tools.source import choose

    settings = _settings(config)
    terms = settings.engine.terms
    engine = Engine(TermTable.load(terms) if terms is not None else None)
    if state is None and not kafka:
        found = _explain_files(engine, a, b, settings.input.max_text_bytes)
    else:
        found = _explain_ids(engine, choose(state, kafka, settings.kafka), a, b, quiet or as_json)
    if html is not None:
        write_page(html, explain_page(found))
    if as_json:
        print_json(found.record())
    elif quiet:
        sys.stdout.write(f"{found.verdict}\n")
    else:
        print_explanation(Console(), found)
        if html is not None:
            say(f"wrote {html}", quiet)


def _explain_files(engine: Engine, a: str, b: str, max_text_bytes: int) -> Explanation:
    from workers.tools.explain import from_articles
    from workers.tools.material import read_article

    missing = [name for name in (a, b) if not Path(name).is_file()]
    if missing:
        raise InputError(
            f"{missing[0]!r} is no file; give two files, or add --state DIR (or --kafka) to name articles by their ids"
        )
    return from_articles(engine, read_article(Path(a), max_text_bytes), read_article(Path(b), max_text_bytes))


def _explain_ids(engine: Engine, source: Source, a: str, b: str, silent: bool) -> Explanation:
    from pipeline.answers import cluster_id
    from workers.tools.chain import chain
    from workers.tools.explain import Standing, require_engine
    from workers.tools.explain import explain as explain_pair
    from workers.tools.material import Material, gather
    from workers.tools.source import load

    found: dict[tuple[int, int], Material] = {}
    with bar("reading", silent) as moved:
        catalogue = load(
            source, moved, with_texts=False, also=lambda told: found.update(gather([told], {a, b}))
        )
    sides = []
    for article_id in (a, b):
        entry = catalogue.expect(article_id)
        material = found[entry.key]
        require_engine(engine.fingerprint, material)
        standing = Standing(
            cluster_id(catalogue.resolve(entry.published_in)),
            entry.version,
            len(catalogue.editions(entry)) - 1,
        )
        sides.append((material, standing))
    (left, left_stands), (right, right_stands) = sides
    links = chain(catalogue, a, b) if left_stands.cluster_id == right_stands.cluster_id else None
    return explain_pair(engine.fingerprint, left, right, (left_stands, right_stands), links)


def report(
    html: Annotated[Path, typer.Option("--html", help="The page to write.")],
    state: StateOption = None,
    kafka: KafkaOption = False,
    compare: Annotated[
        Path | None,
        typer.Option("--compare", help="Another state of the same articles: mark what was joined or split."),
    ] = None,
    limit: LimitOption = 100_000,
    as_json: JsonOption = False,
    config: ConfigOption = None,
    quiet: QuietOption = False,
) -> None:
    """Write a state as one page that works from a file, without a network.

    Clusters by size and time, search and filters, timelines, any two articles side by side.

    Examples:

      samewire report --state out/state --html report.html

      samewire report --kafka --config samewire.toml --html report.html

      samewire report --state tuned/state --compare out/state --html compared.html
    """
    from workers.tools.compare import compare_states
    from workers.tools.report import report_page
    from workers.tools.source import FolderSource, choose, load

    silent = quiet or as_json
    source = choose(state, kafka, _settings(config).kafka)
    with bar("reading", silent) as moved:
        catalogue = load(source, moved, max_articles=limit)
    differences = None
    if compare is not None:
        other = FolderSource(compare)
        with bar("reading what to compare with", silent) as moved:
            before = load(other, moved, with_texts=False)
        differences = compare_states(before, catalogue, other.title)
    with bar("writing", silent) as moved:
        page = report_page(catalogue, source.title, differences, moved)
    write_page(html, page)
    articles, clusters, forgotten = len(catalogue), catalogue.cluster_count, catalogue.forgotten
    size_bytes = len(page.encode())
    if as_json:
        facts = {"articles": articles, "clusters": clusters, "not_shown": forgotten}
        print_json({"file": str(html), "bytes": size_bytes, **facts})
        return
    left_out = f"; the oldest {forgotten:,} articles are left out (--limit)" if forgotten else ""
    shown = f"{articles:,} articles in {clusters:,} clusters, {size_bytes / 1e6:.1f} MB"
    say(f"wrote {html}: {shown}{left_out}", quiet)


def serve(
    state: StateOption = None,
    kafka: KafkaOption = False,
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
    config: ConfigOption = None,
    quiet: QuietOption = False,
) -> None:
    """Serve a state as a read-only page that updates live, with a JSON API.

    The page is at /, the API's description at /openapi.json. The state may be in use by a worker.

    Examples:

      samewire serve --state out/state

      samewire serve --kafka --config samewire.toml

      samewire serve --state out/state --host 0.0.0.0 --port 8400 --token-file token

      curl 'http://127.0.0.1:8400/api/article/cluster?id=n-0002'
    """
    from workers.tools.guard import read_token
    from workers.tools.serving import run_server
    from workers.tools.source import choose

    source = choose(state, kafka, _settings(config).kafka)
    token = read_token(token_file, host)
    run_server(
        source.open(),
        host=host,
        port=port,
        token=token,
        poll_seconds=poll,
        max_articles=limit,
        loading=partial(bar, "reading", quiet),
        say=partial(say, quiet=quiet),
    )


def story(
    cluster: Annotated[
        str,
        typer.Argument(metavar="CLUSTER", help="A cluster's id, also one that was merged, or an article's."),
    ],
    state: StateOption = None,
    kafka: KafkaOption = False,
    as_json: JsonOption = False,
    config: ConfigOption = None,
    quiet: QuietOption = False,
) -> None:
    """Show a cluster as a family tree: probable origin, versions, which copy derives from which.

    Examples:

      samewire story ca8ec46b07bf211ef --state out/state

      samewire story n-0007 --kafka --config samewire.toml --json
    """
    from workers.tools.source import choose, collect, load
    from workers.tools.story import family
    from workers.tools.story_terminal import print_family

    source = choose(state, kafka, _settings(config).kafka)
    with bar("reading", quiet or as_json) as moved:
        catalogue = load(source, moved, with_texts=False)
    found = catalogue.expect_story(cluster)
    editions = catalogue.all_editions(found)
    with bar("reading its articles", quiet or as_json) as moved:
        material = collect(source, {edition.entry.id for edition in editions}, moved)
    tree = family(found, editions, material)
    if as_json:
        print_json(tree.record())
    else:
        print_family(Console(), tree)


def _settings(config: Path | None) -> Settings:
    settings = load_settings(config)
    configure_logs(settings.log)
    return settings
