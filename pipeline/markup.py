"""Markup and encoding damage: what the way from the newsroom to us has done to a text."""

from __future__ import annotations

import html
import re

_ENDLESS_ENTITY = re.compile(r"&#\d{100,};?", re.ASCII)
_TAG = re.compile(r"<!--|<(/?)([a-zA-Z][a-zA-Z0-9]{0,15})(?:\s[^<>]*)?/?>")
_BLOCK_TAGS = frozenset(
    [
        "p",
        "div",
        "br",
        "li",
        "ul",
        "ol",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "tr",
        "table",
        "blockquote",
        "section",
        "article",
        "figure",
        "figcaption",
        "header",
        "footer",
        "hr",
    ]
)
_INLINE_TAGS = frozenset(
    [
        "a",
        "abbr",
        "b",
        "big",
        "center",
        "cite",
        "code",
        "em",
        "font",
        "i",
        "img",
        "iframe",
        "input",
        "ins",
        "del",
        "label",
        "link",
        "mark",
        "meta",
        "noscript",
        "q",
        "s",
        "small",
        "span",
        "strong",
        "sub",
        "sup",
        "svg",
        "path",
        "tbody",
        "td",
        "th",
        "thead",
        "time",
        "u",
        "video",
        "audio",
        "source",
        "picture",
        "button",
        "form",
        "nav",
        "aside",
        "main",
        "body",
        "html",
        "head",
        "title",
    ]
)
_HIDDEN_ENDS = {name: re.compile(f"</{name}", re.IGNORECASE | re.ASCII) for name in ("script", "style")}

# UTF-8 read as Windows-1252 somewhere on the way: quotation marks, dashes, and the replacement character itself.
_MOJIBAKE = {
    "Ã¢â‚¬â„¢": "’",  # twice over
    "Ã¢â‚¬Ëœ": "‘",
    "Ã¢â‚¬Å“": "“",
    "Ã¢â‚¬\x9d": "”",
    "Ã¢â‚¬Â\x9d": "”",
    "Ã¢â‚¬â€œ": "–",
    "Ã¢â‚¬â€\x9d": "—",
    "Ã¢â‚¬Â¦": "…",
    "Ã‚Â ": " ",
    "ï¿½": "\ufffd",
    "â€œ": "“",
    "â€\x9d": "”",
    "â€™": "’",
    "â€˜": "‘",
    "â€“": "–",
    "â€”": "—",
    "â€¦": "…",
    "Ã©": "é",
    "Ã¨": "è",
    "Ã¤": "ä",
    "Ã¶": "ö",
    "Ã¼": "ü",
    "ÃŸ": "ß",
    "Ã±": "ñ",
    "Ã¡": "á",
    "Ã³": "ó",
    "Ã§": "ç",
    "Â\xa0": " ",
}
_MOJIBAKE_PATTERN = re.compile("|".join(map(re.escape, _MOJIBAKE)))
# Scripts that lost their tags.
_SCRIPT_RESIDUE = re.compile(
    r"(?:window|document)\.[\w.$]{1,60}\s*=[^;\n]{0,200};|[\w.$]{1,60}\.push\s*\([^;\n]{0,600};"
)


def plain(text: str) -> str:
    """Return the text without entities, tags and encoding damage."""
    if "&" in text:
        unescaped = unescape(text)
        text = unescape(unescaped) if unescaped != text and "&" in unescaped else unescaped
    if "<" in text:
        text = strip_markup(text)
    if "ï" in text or "â" in text or "Ã" in text or "Â" in text:  # one character each is quick to look for
        text = _MOJIBAKE_PATTERN.sub(lambda found: _MOJIBAKE[found[0]], text)
    return text


def unescape(text: str) -> str:
    """Resolve HTML entities. A number that no code point can have is none (and may have any length)."""
    return html.unescape(_ENDLESS_ENTITY.sub("\ufffd", text))


def strip_markup(text: str) -> str:
    """Remove HTML tags; block tags become paragraph ends, scripts and comments vanish.

    Only names that HTML knows are tags: ``<GM.N>`` is a stock ticker and stays.
    """
    pieces = []
    position = 0
    while (tag := _TAG.search(text, position)) is not None:
        pieces.append(text[position : tag.start()])
        position = tag.end()
        if tag[2] is None:  # a comment
            end = text.find("-->", position)
            position = len(text) if end < 0 else end + 3
            continue
        name = tag[2].lower()
        if name in _HIDDEN_ENDS and not tag[1]:
            hidden = _HIDDEN_ENDS[name].search(text, position)
            position = len(text) if hidden is None else hidden.start()
        elif name in _BLOCK_TAGS:
            pieces.append("\n\n")
        elif name in _INLINE_TAGS or name in _HIDDEN_ENDS:
            pieces.append(" ")
        else:
            pieces.append(tag[0])
    pieces.append(text[position:])
    return "".join(pieces)


def strip_script_residue(text: str) -> str:
    """Remove statements of scripts that lost their tags."""
    if "=" not in text and "{" not in text:
        return text
    if "window." not in text and "document." not in text and ".push" not in text:
        return text  # the pattern takes a hundred times as long
    return _SCRIPT_RESIDUE.sub(" ", text)
