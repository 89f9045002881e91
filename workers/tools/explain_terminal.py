"""An explanation on a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich.columns import Columns
from rich.console import Console, Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from workers.tools.agreements import Agreement
from workers.tools.explain import Explanation, Part, Side
from workers.tools.marking import Piece
from workers.tools.shown import one_line, printable, span

_BAR_CELLS = 24
_NARROW_COLUMNS = 90
# By the weight of a shared word: the rarer, the stronger.
_WORD_STYLES = ("", "cyan", "cyan", "bold cyan", "bold yellow", "bold yellow", "bold yellow", "bold yellow")
_PASSAGE_STYLE = "on grey23"


def print_explanation(console: Console, explanation: Explanation) -> None:
    """Print the decision, its parts, what agrees, and both texts."""
    e = explanation
    colour = "green" if e.linked else "red"
    console.print(Text.assemble(("●", colour), " ", (e.verdict, "bold")))
    console.print(_facts(e))
    if e.parts:
        console.print(_parts(e))
    console.print(Text(f"Decided by: {e.rule_meaning}.", style="dim"))
    console.print()
    for agreement in e.agreements:
        _print_agreement(console, agreement)
    sides: list[RenderableType] = [_side("A", e.left), _side("B", e.right)]
    if console.width < _NARROW_COLUMNS:
        console.print(Group(*sides))
    else:
        console.print(Columns(sides, equal=True, expand=True, width=(console.width - 1) // 2))
    legend = Text.assemble(
        ("shared passage", _PASSAGE_STYLE),
        "   ",
        ("shared word", "cyan"),
        "   ",
        ("rare shared word", "bold yellow"),
    )
    console.print(legend)


def _facts(e: Explanation) -> Table:
    facts = Table.grid(padding=(0, 2))
    facts.add_column(style="dim")
    facts.add_column()
    shown = ", ".join(map(str, e.bands_shared[:12])) + (" …" if len(e.bands_shared) > 12 else "")
    facts.add_row("Score", f"{e.score:.4f} (links from {e.threshold:.2f})")
    facts.add_row(
        "Candidates", f"{len(e.bands_shared)} of {e.bands} bands shared{': ' + shown if shown else ''}"
    )
    facts.add_row(
        "Signatures",
        f"{e.signature_agrees:.0%} agree (from {e.signature_must_agree:.0%} on they are compared); "
        f"estimated similarity {e.estimated_similarity:.2f}, where {e.candidate_probability:.0%} of pairs share a band",
    )
    facts.add_row("Time between", span(e.gap_ms))
    if e.chain is not None and len(e.chain) > 2:
        facts.add_row("Joined through", Text(" – ".join(printable(i, 60) for i in e.chain)))
    facts.add_row("Engine", e.engine)
    return facts


def _parts(e: Explanation) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), title_justify="left", title=None)
    table.add_column("What counts")
    table.add_column("Value", justify="right")
    table.add_column("x", justify="right", style="dim")
    table.add_column("Points", justify="right")
    table.add_column("")
    most = max((abs(part.points) for part in e.parts), default=1.0) or 1.0
    for part in e.parts:
        table.add_row(
            part.label, f"{part.value:.3f}", f"{part.coefficient:g}", f"{part.points:+.2f}", _bar(part, most)
        )
    table.add_row("Needed", "", "", f"{e.bias:+.2f}", Text("what two texts must make up for", style="dim"))
    if e.gap_points:
        table.add_row("Days between", "", "", f"{e.gap_points:+.2f}", Text(span(e.gap_ms), style="dim"))
    table.add_row(
        Text("Sum", style="bold"),
        "",
        "",
        Text(f"{e.total:+.2f}", style="bold"),
        Text("links above 0", style="dim"),
    )
    return table


def _bar(part: Part, most: float) -> Text:
    cells = round(abs(part.points) / most * _BAR_CELLS)
    return Text("━" * cells, style="green" if part.points >= 0 else "red")


def _print_agreement(console: Console, agreement: Agreement) -> None:
    if not (agreement.both or agreement.only_left or agreement.only_right):
        return
    table = Table.grid(padding=(0, 2))
    table.add_column(width=12)
    table.add_column(width=7, style="dim")
    table.add_column()
    name = Text(agreement.kind.capitalize(), style="bold")
    for label, found, style in (
        ("both", agreement.both, "green"),
        ("only A", agreement.only_left, "yellow"),
        ("only B", agreement.only_right, "yellow"),
    ):
        if found:
            table.add_row(name, label, Text(_listed(found, agreement.kind), style=style))
            name = Text("")
    console.print(table)


def _listed(found: Sequence[str], kind: str) -> str:
    if kind == "quotations":
        return "\n".join(f"“{one_line(text, 160)}”" for text in found)
    return ", ".join(one_line(text, 60) for text in found)


def _side(letter: str, side: Side) -> Panel:
    body = Text()
    for piece in side.marked.title:
        body.append_text(_piece(piece))
    if side.marked.title:
        body.stylize("bold")
        body.append("\n\n")
    for piece in side.marked.text:
        body.append_text(_piece(piece))
    if not side.marked.text:
        body.append("The state keeps no texts (state.keep_texts).", style="dim")
    if side.marked.cut:
        body.append(f"\n… {side.marked.cut:,} more characters", style="dim")
    origin = " · ".join(
        one_line(part, 60) for part in (side.source, side.published_at or "", side.cluster_id or "") if part
    )
    title = Text.assemble((f"{letter} ", "bold"), one_line(side.id, 60))
    covered = f"{side.marked.covered:.0%} of {side.marked.words:,} words in shared passages"
    facts = Text(f"{origin}\n{covered}\n", style="dim")
    if side.correction:
        facts = Text.assemble((f"{side.correction}\n", "yellow"), facts)
    return Panel(Group(facts, body), title=title, title_align="left")


def _piece(piece: Piece) -> Text:
    style = _WORD_STYLES[piece.level] if piece.level else ""
    if piece.passage is not None:
        style = f"{style} {_PASSAGE_STYLE}".strip()
    return Text(printable(piece.text), style=style)
