"""An explanation as a self-contained page."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup, escape

from workers.tools.explain import Explanation
from workers.tools.marking import Piece
from workers.tools.pages import inline, policy, templates
from workers.tools.shown import span

_HEAVIEST = 4


def explain_page(explanation: Explanation) -> str:
    """Return the page."""
    style, script = inline("tokens.css", "explain.css"), inline("explain.js")
    return (
        templates()
        .get_template("explain.html")
        .render(
            e=explanation,
            gap=span(explanation.gap_ms),
            most=max((part.points for part in explanation.parts), default=1.0) or 1.0,
            pieces=_pieces,
            style=style,
            script=script,
            policy=policy(script, style),
        )
    )


def _pieces(pieces: Sequence[Piece]) -> Markup:
    out: list[Markup] = []
    passage: int | None = None
    for piece in pieces:
        if piece.passage != passage:
            if passage is not None:
                out.append(Markup("</mark>"))
            if piece.passage is not None:
                out.append(Markup('<mark class="passage" data-n="{}">').format(piece.passage))
            passage = piece.passage
        text = escape(piece.text)
        if piece.level:
            text = Markup('<span class="w{}">{}</span>').format(min(piece.level, _HEAVIEST), piece.text)
        out.append(text)
    if passage is not None:
        out.append(Markup("</mark>"))
    return Markup("").join(out)
