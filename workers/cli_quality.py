"""The commands that measure quality: ``evaluate``, ``tune`` and ``weights``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer
from rich.console import Console

from config.settings import load_settings
from pipeline.errors import InputError, OutputError
from workers.labelled import Kind
from workers.logs import configure_logs

ConfigOption = Annotated[
    Path | None, typer.Option("--config", help="Settings in TOML; see config/default.toml.")
]
OutputOption = Annotated[str, typer.Option("--output", help="File for the figures as JSON, or - for stdout.")]
PlotOption = Annotated[Path | None, typer.Option("--plot", help="File for a plot (PNG).")]
QuietOption = Annotated[bool, typer.Option("--quiet", help="No table.")]


def evaluate(
    file: Annotated[str, typer.Argument(help="Labelled JSON Lines (.gz, .zst), or - for stdin.")],
    kind: Annotated[
        Kind | None, typer.Option("--kind", help="What the lines are [default: told by their fields].")
    ] = None,
    output: OutputOption = "-",
    plot: PlotOption = None,
    config: ConfigOption = None,
    quiet: QuietOption = False,
) -> None:
    """Measure the engine on labelled articles.

    Three kinds of input: pairs {"a": article, "b": article, "grade": 0..4} (or "label": 0 or 1);
    articles with "label" (same label: the same copy); articles with "event" (same event: written
    independently, so that links are errors).

    Example: samewire evaluate pairs.jsonl --plot scores.png --output figures.json
    """
    from workers import evaluate as measuring
    from workers.evaluate_plot import plot_pairs
    from workers.evaluate_table import print_figures
    from workers.labelled import engine_for, read_labelled

    settings = load_settings(config)
    configure_logs(settings.log)
    measuring.require("sklearn.metrics")
    labelled = read_labelled(file, settings, kind)
    if plot is not None and labelled.kind is not Kind.PAIRS:
        raise InputError("--plot needs pairs: scores by grade; leave it out for articles")
    result = measuring.evaluate(labelled, engine_for(settings), settings)
    if plot is not None and result.pairs is not None:
        plot_pairs(result.pairs, plot)
    if not quiet:
        print_figures(Console(stderr=True), f"{file} ({labelled.kind})", result.figures)
    _write(output, result.figures)


def tune(
    file: Annotated[str, typer.Argument(help="Labelled pairs, as for evaluate.")],
    min_precision: Annotated[
        float | None,
        typer.Option(
            "--min-precision", min=0, max=1, help="Best recall at this precision [default: best F1]."
        ),
    ] = None,
    output: OutputOption = "-",
    plot: PlotOption = None,
    config: ConfigOption = None,
    quiet: QuietOption = False,
) -> None:
    """Fit the link threshold and the bands to your labelled pairs, and show the S-curve of the bands.

    Example: samewire tune pairs.jsonl --min-precision 0.95 --plot curve.png
    """
    from workers.evaluate_plot import plot_s_curve
    from workers.evaluate_table import print_figures
    from workers.labelled import engine_for, read_labelled
    from workers.tune import BAND_CHOICES
    from workers.tune import tune as fit

    settings = load_settings(config)
    configure_logs(settings.log)
    tuning = fit(read_labelled(file, settings, Kind.PAIRS), engine_for(settings), min_precision)
    if plot is not None:
        plot_s_curve(plot, tuning.similarities, BAND_CHOICES)
    if not quiet:
        console = Console(stderr=True)
        print_figures(console, file, tuning.figures)
        for row in tuning.figures["curve"]:
            print_figures(console, f"{row['bands']} bands", row)
    _write(output, tuning.figures)


def weights(
    source: Annotated[
        str, typer.Option("--input", help="Your stream: JSON Lines (.gz, .zst) or a folder of them.")
    ],
    table: Annotated[Path, typer.Option("--table", help="File for the term table (setting engine.terms).")],
    pairs: Annotated[
        str | None, typer.Option("--pairs", help="Labelled pairs to compare the tables' quality on.")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=500, help="Most articles to learn from.")] = 200_000,
    sample: Annotated[
        int, typer.Option("--sample", min=100, help="Articles whose candidates are counted.")
    ] = 20_000,
    output: OutputOption = "-",
    config: ConfigOption = None,
    quiet: QuietOption = False,
) -> None:
    """Learn how common words are in your stream, and compare candidates and quality with the built-in table.

    Example: samewire weights --input archive/ --table own.terms --pairs pairs.jsonl
    """
    from workers.evaluate_table import print_figures
    from workers.labelled import read_labelled
    from workers.weights_command import compare_tables, learn, read_stream

    settings = load_settings(config)
    configure_logs(settings.log)
    articles = read_stream(source, settings, limit)
    learned = learn(article.text for article in articles)
    labelled = read_labelled(pairs, settings, Kind.PAIRS) if pairs is not None else None
    figures = compare_tables(learned, articles[:sample], labelled, settings)
    try:
        learned.table.save(table)
    except OSError as error:
        raise OutputError(f"table {table}: {error.strerror}; choose a place that can be written") from error
    if not quiet:
        print_figures(Console(stderr=True), f"{source} -> {table}", figures)
    _write(output, figures)


def _write(output: str, figures: dict[str, Any]) -> None:
    content = orjson.dumps(figures, option=orjson.OPT_INDENT_2 | orjson.OPT_SERIALIZE_NUMPY) + b"\n"
    if output == "-":
        sys.stdout.buffer.write(content)
        return
    try:
        Path(output).write_bytes(content)
    except OSError as error:
        raise OutputError(f"output {output}: {error.strerror}; choose a place that can be written") from error


def register(app: typer.Typer) -> None:
    """Add the commands to the program."""
    for command in (evaluate, tune, weights):
        app.command()(command)
