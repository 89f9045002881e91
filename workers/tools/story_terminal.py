"""A family tree on a terminal."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text
from rich.tree import Tree

from workers.tools.shown import one_line, span
from workers.tools.story import Family, Member, children

_STYLES = {
    "first": "bold",
    "verbatim": "blue",
    "trimmed": "green",
    "extended": "magenta",
    "rewritten": "yellow",
}


def print_family(console: Console, family: Family) -> None:
    """Print the origin and the tree."""
    console.print(
        Text.assemble(
            ("Probable origin: ", "dim"),
            (one_line(family.origin.name, 80), "bold"),
            (f" ({family.origin.why}; {one_line(family.origin.article_id, 60)})", "dim"),
        )
    )
    articles = family.articles
    merged = f", merged from {', '.join(family.merged_ids)}" if family.merged_ids else ""
    parted = f", apart from it now {', '.join(family.split_ids)}" if family.split_ids else ""
    tree = Tree(
        Text.assemble(
            (family.cluster_id, "bold"),
            (
                f"  {articles:,} article{'s' * (articles != 1)}, {family.versions:,} version{'s' * (family.versions != 1)}{merged}{parted}",
                "dim",
            ),
        )
    )
    by_parent = children(family.members)
    # Not recursive: a chain of two thousand copies is a deep tree.
    pending = [(tree, member) for member in reversed(by_parent.get(None, []))]
    while pending:
        branch, member = pending.pop()
        node = branch.add(_line(member))
        pending += [(node, child) for child in reversed(by_parent.get(member.node, []))]
    console.print(tree)
    if family.cut:
        console.print(Text(f"… {family.cut:,} later articles are not shown", style="dim"))


def _line(member: Member) -> Text:
    when = "first" if member.kind == "first" else f"+{span(member.later_ms)}"
    line = Text.assemble(
        (f"{when:<10} ", "dim"),
        (f"{member.kind:<9} ", _STYLES[member.kind]),
        (one_line(member.source or member.id, 40), "bold"),
    )
    line.append(f"  v{member.version}", style="dim")
    if member.edition:
        line.append(f"  edition {member.edition}", style="dim")
    if member.status != "stands":
        line.append(f"  {member.status}", style="bold red" if member.status == "killed" else "yellow")
        line.append(f": {one_line(member.reason, 60)}" if member.reason else "", style="red")
    if member.killed_ancestor is not None:
        line.append(f"  derives from the killed {one_line(member.killed_ancestor, 40)}", style="red")
    if member.parent is not None:
        line.append(f"  {member.verbatim:.0%} verbatim, {member.words:.0%} of its words", style="dim")
    if member.credits:
        line.append(f"  credits {', '.join(member.credits)}", style="cyan")
    line.append(f"  {one_line(member.title, 60)}", style="italic dim")
    line.no_wrap = True
    line.overflow = "ellipsis"
    return line
