"""From what a site delivers to the running text of the story.

Only what needs a look at whole phrases is done here; everything that can be said of
one character at a time is in :mod:`pipeline.codepoints`, and furniture lines are left
out while the words are read (:mod:`pipeline.tokenizer`).
"""

from __future__ import annotations

import re
from collections.abc import Callable

from pipeline import prescan
from pipeline.markup import plain, strip_script_residue

# Bounds every pattern that is tried at the start of a text.
LEAD_CHARACTERS = 300
LONGEST_CAPTION = 400
LONGEST_CREDIT = 130
_LEAD_ROUNDS = 3  # "By A Writer" / "LONDON, May 3 (Reuters) -" / "(Adds details)" may follow one another

AGENCIES = (
    "reuters|ap|afp|upi|dpa|efe|ansa|apa|belga|ntb|tt|ritzau|stt|pap|ctk|hina|fena|tanjug|lusa|anp|itar-tass|tass|"
    "interfax|ria novosti|xinhua|kyodo|jiji|yonhap|antara|bernama|pti|ians|ani|sapa|kuna|mena|wam|spa|"
    "bloomberg|bloomberg news|dow jones|marketwatch|business wire|pr newswire|globe newswire|rns|"
    "cnn|cnn business|bbc|abc news|cbs news|nbc news|fox news|the associated press|associated press|"
    "agence france-presse|thomson reuters|canadian press|press association|pa|pa media|aap|sda|ats|keystone-sda"
)
MONTHS = (
    "Jan|Feb|March|Mar|April|Apr|May|June|Jun|July|Jul|Aug|Sept|Sep|Oct|Nov|Dec|"
    "Januar|Februar|März|Mai|Juni|Juli|Okt|Dez|janv|févr|mars|avril|juin|juil|août|déc|"
    "enero|febrero|marzo|abril|mayo|junio|julio|agosto|sept|oct|nov|dic|ene|feb|abr|"
    "siječnja|veljače|ožujka|travnja|svibnja|lipnja|srpnja|kolovoza|rujna|listopada|studenog|prosinca"
)
_DASHES = r"(?:\s*[-–—:]){1,3}\s*"
_CREDIT = rf"\(\s*(?:{AGENCIES})(?:/[A-Za-z. ]{{2,20}})?\s*\)"

# By Jane Doe and John Q. Public, Associated Press
_BYLINE = re.compile(
    r"\s*(?:By|BY|Von|Par|Por)\s+[A-Z][\w.'’-]{0,30}"
    r"(?:,? (?:(?:and|AND|und|et|y|de|van|von|al|bin) )?[A-Z][\w.'’-]{0,30}){0,8}\s*(?:\n|\||$)"
)
# WASHINGTON, March 3 (Reuters) -      Offenbach (dpa) -
# but not: The Palestinian Authority (PA) said
_CREDITED = re.compile(rf"[^\n(]{{0,60}}{_CREDIT}(?:{_DASHES}|\s+(?-i:(?![a-zß-ÿ])))", re.IGNORECASE)
# SALVADOR, Feb 26 - -                 BERLIN, 5. März -                 ZAGREB, 3. svibnja 2026. -
_DATED = re.compile(
    rf"\s*[^\W\d_][\w.'’/ -]{{1,45}},\s+(?:(?:{MONTHS})[a-z]*\.?\s+\d{{1,2}}|\d{{1,2}}\.?\s+(?:{MONTHS})[a-z]*\.?)"
    rf"(?:,?\s+\d{{4}}\.?)?\s*(?:\([^)\n]{{2,30}}\)\s*)?{_DASHES}"
)
# PARIS —                              WASHINGTON, D.C. --
_CAPITALS = re.compile(
    r"\s*[A-ZÀ-Þ][A-ZÀ-Þ.'’ -]{2,30}(?:,\s*[A-Z][\w.]{0,15}(?: [\w.]{1,15})?)?\s*(?:--|[–—]|\s-\s)\s*(?=[A-ZÀ-Þ\"“])"
)
# （共同社）  新华社北京3月10日电（记者…）  中新社雅加达7月14日电  【ベルリン共同】
# but not: 新华社记者说，他收到来电
_EAST_ASIAN = re.compile(
    r"\s*(?:【[^】\n]{2,20}】|[（(][^）)\n]{2,20}(?:社|通信|電|电)[）)]|"
    r"(?:新[华華]社|中新[社网網]|中央社)[^\n，。]{2,20}?日[电電](?:\s*[（(][^）)\n]{2,40}[）)])?)\s*"
)
# UPDATE 1-Ferry aground               Breaking: Ferry aground              【速報】
# but not: Breaking - and mending - hearts
_SLUGS = (
    "BREAKING(?: NEWS)?|FLASH|URGENT|BULLETIN|(?:NEWS )?ALERT|SNAP|EXCLUSIVE|DEVELOPING|UPDATED?(?: ?[0-9]{1,2})?|"
    "WRAPUP(?: ?[0-9]{1,2})?|CORRECTED|CORRECTION|REFILE|REPEAT|RPT|LEAD [0-9]{1,2}|"
    "EIL(?:MELDUNG)?|DRINGEND|URGENTE|ALERTE|ÚLTIMA HORA|ULTIM'ORA|HITNO"
)
_SLUG = re.compile(
    rf"[\s*]*(?:(?:{_SLUGS})\s*(?:[-–—:|*]\s*){{1,3}}|(?i:{_SLUGS})\s*:\s*|"
    r"[【\[(]?(?:速報|快讯|快訊|突发|突發)[】\])：: ]\s*)"
)
# (Adds quotes, background)            (This May 4 story corrects the age in paragraph 2)
_ADVISORY = re.compile(
    r"\s*\((?:(?:Adds|Updates|Recasts|Corrects|Rewrites|Writes through|Repeats|Refiles|Fixes|Clarifies)\b|"
    rf"This (?:(?:{MONTHS})[a-z]*\.? \d{{1,2}} )?(?:story|version|item|article)\b)[^()\n]{{0,240}}\)\s*",
    re.IGNORECASE,
)
# Each with its suspicion, the characters that it can begin with ("": any), and one that it must
# have among its first characters ("": none) with their number: all of them are quick to look at.
_CAPITAL_LETTERS = "".join(map(chr, (*range(ord("A"), ord("Z") + 1), *range(ord("À"), ord("Þ") + 1))))
_LEADS = (
    (_SLUG, prescan.SLUG, "*BFUNASEDWCRLÚHbfunasedwcrlúh【[(速快突", "", 0),
    (_BYLINE, prescan.BYLINE, "BVP", "", 0),
    (_CREDITED, prescan.CREDITED, "", "(", 61),
    (_DATED, prescan.DATED, "", ",", 47),
    (_CAPITALS, prescan.CAPITALS, _CAPITAL_LETTERS, "", 0),
    (_EAST_ASIAN, prescan.BRACKETS, "【（(新中", "", 0),
    (_ADVISORY, prescan.BRACKETS, "(", "", 0),
)

# Sites deliver captions before the story: In this May 3 photo, … (AP Photo/A Name) LONDON (AP) — …
# The first credit stands within so many characters; the others follow one another.
CAPTIONS_CHARACTERS = 1500
# What stands in the brackets of a photo credit.
_PHOTO_CREDIT = re.compile(
    r"\s*(?:(?:The )?Associated Press|(?:(?:AP|AFP|Reuters|EPA)\s+Photo|Photo(?:graph)?(?:\s+by|:)|Getty Images|"
    r"[^/]{2,60}/\s?(?:AP|AFP|Reuters|EPA|dpa|Getty|Associated Press|The New York Times|Los Angeles Times)\b|"
    r".{2,60}\bvia (?:AP|Getty|Reuters)\b).{0,60})\s*",
    re.IGNORECASE,
)
_AGENCY_AND_DASH = r"\(\s*(?:AP|Reuters|AFP|dpa)\s*\)\s*[-–—]+\s*"
_LATE_CREDIT = re.compile(_AGENCY_AND_DASH, re.IGNORECASE)  # quickly shows that there is no late dateline
_LATE_DATELINE = re.compile(
    rf"(?<=[.)\n])\s*[^\W\d_][^.()\n]{{1,45}}(?:\.[^.()\n]{{0,20}}){{0,3}}{_AGENCY_AND_DASH}",
    re.IGNORECASE,
)
# A post shown whole: … build bridges! — Jane Roe (@janeroe) May 3, 2018
_POST_DATE = re.compile(
    r"\(\s?@\w{1,20}\s?\)\s*,?\s*"
    r"(?i:January|February|March|April|May|June|July|August|September|October|November|December)\s+\d{1,2},\s+\d{4}"
)
_POST_AUTHOR = re.compile(r"[-–—]+\s*[^()\n–—]{1,60}$")
_AUTHOR_CHARACTERS = 66
_POST_CHARACTERS = 400  # a post has at most 280, and what was cited with it some more
_QUOTATION_MARKS = re.compile('["“”„«»]')
# Links in running text, with the call that leads up to them ("Watch more: https://…").
_LINK = re.compile(r"(?:https?://|www\.)[^\s<>\"]{3,}")
_CALL_CHARACTERS = 90
_LINKS_OF_A_CHANNEL = 3
_ABOUT_CHANNEL = re.compile(r"\s*about\s[^.:\n]{2,60}:[^\n]*", re.IGNORECASE)
_SENTENCE_END = re.compile(r"[.!?…\n](?=\s|$)")
# Related headlines glued to a name: "Jane RoeOther headline Another MORE said".
_GLUE = re.compile(r"[a-z]{3}(?=[A-Z][^\n]{15})")
_GLUED_CHARACTERS = 300


def strip_lead(text: str, suspicions: int = prescan.EVERYTHING) -> str:
    """Remove bylines, datelines and agency credits from the start of a text."""
    start = len(text) - len(text.lstrip()) if text[:1].isspace() else 0
    for _ in range(_LEAD_ROUNDS):
        before = start
        lead = text[start : start + LEAD_CHARACTERS]
        words = lead.lstrip()
        first = words[:1]
        for pattern, suspicion, initials, mark, within in _LEADS:
            if not suspicions & suspicion or (initials and first not in initials):
                continue
            if mark and words.find(mark, 0, within) < 0:
                continue
            found = pattern.match(lead)
            if found is not None and found.end() > 0 and start + found.end() < len(text):
                start += found.end()
                lead = text[start : start + LEAD_CHARACTERS]
                words = lead.lstrip()
                first = words[:1]
                suspicions = prescan.EVERYTHING  # they were about another beginning
        if start == before:
            break
    return text[start:]


def strip_captions(text: str) -> str:
    """Remove photo captions that stand before the story, or between its lead and the rest.

    With a dateline behind them the story begins there; without one, captions end with
    the last credit that follows another.
    """
    first = _photo_credit(text, 0, CAPTIONS_CHARACTERS)
    if first is None:
        return text
    end = first[1]
    while (found := _photo_credit(text, end, end + LONGEST_CAPTION)) is not None:
        end = found[1]
    if first[0] > LONGEST_CAPTION:  # where the first caption begins is not known: it stays with the lead
        return text[: first[1]] + text[end:]
    dateline = None
    within = max(CAPTIONS_CHARACTERS, end + LONGEST_CAPTION)
    if _LATE_CREDIT.search(text, end - 1, within) is not None:
        dateline = _LATE_DATELINE.search(text, end - 1, within)
    if dateline is not None:
        return text[dateline.end() :]
    return text[end:] if len(text) - end >= end else text


def _photo_credit(text: str, start: int, limit: int) -> tuple[int, int] | None:
    """Return the first photo credit in brackets that opens from ``start`` to ``limit``."""
    while (opening := text.find("(", start, limit)) >= 0:
        closing = text.find(")", opening, opening + LONGEST_CREDIT)
        if closing >= 0 and _PHOTO_CREDIT.fullmatch(text, opening + 1, closing) is not None:
            return opening, closing + 1
        start = opening + 1
    return None


def quote_posts(text: str) -> str:
    """Put posts that sites show whole, with author and date behind them, in quotation marks.

    Whoever reports on a post shows it: it is a quotation, though it stands there without marks.
    """
    if "(@" not in text and "( @" not in text:
        return text
    pieces = []
    position = 0
    handle = text.find("@")
    while handle >= 0:
        opening = text.rfind("(", max(0, handle - 2), handle)
        date = _POST_DATE.match(text, opening) if opening >= 0 else None
        author = date and _POST_AUTHOR.search(text, max(position, opening - _AUTHOR_CHARACTERS), opening)
        if date and author:
            end = author.start()
            start = max(position, text.rfind("\n", position, end) + 1)
            if " " not in text[start:end].strip():  # a picture's address in a line of its own
                start = max(position, text.rfind("\n", position, len(text[:start].rstrip())) + 1)
            if end - start > _POST_CHARACTERS:
                start = end - _POST_CHARACTERS
                sentence = _SENTENCE_END.search(text, start, end - 1)
                start = start if sentence is None else sentence.end()
            # in one line: a paragraph's end would end the quotation
            post = " ".join(_QUOTATION_MARKS.sub(" ", text[start:end]).split())
            pieces.append(f"{text[position:start]}\n\n“{post}”\n\n")
            position = date.end()
        handle = text.find("@", handle + 1)
    pieces.append(text[position:])
    return "".join(pieces)


def strip_glued_headlines(text: str) -> str:
    """Remove related headlines that a site's script left glued to a word, up to its MORE."""
    pieces = []
    position = 0
    while (more := text.find(" MORE", position)) >= 0:
        glue = _GLUE.search(text, max(position, more - _GLUED_CHARACTERS), more)
        pieces.append(text[position : more + 5 if glue is None else glue.end()])
        position = more + 5
    pieces.append(text[position:])
    return "".join(pieces)


def strip_links(text: str) -> str:
    """Remove web addresses, each with the call that introduces it and ends with a colon.

    Video sites print several in a row under every clip, and then "About" the channel: that goes too.
    """
    if "http" not in text and "www." not in text:
        return text
    pieces = []
    position = 0
    in_a_row = 0
    for link in _LINK.finditer(text):
        if link.start() < position:
            continue
        before = text[max(position, link.start() - _CALL_CHARACTERS) : link.start()]
        keep = len(before)
        if before.rstrip().endswith(":"):
            keep = 0
            for end in _SENTENCE_END.finditer(before):
                keep = end.end()
            if keep == 0 and link.start() - len(before) > position:
                keep = len(before)  # the call is longer than calls are: prose
        in_a_row = in_a_row + 1 if keep == 0 and link.start() - len(before) == position else 1
        pieces.append(text[position : link.start() - len(before) + keep])
        position = link.end()
        if in_a_row >= _LINKS_OF_A_CHANNEL and (about := _ABOUT_CHANNEL.match(text, position)) is not None:
            position = about.end()
    pieces.append(text[position:])
    return " ".join(pieces)


# In this order, each with the suspicion that calls for it.
_STEPS: tuple[tuple[int, Callable[[str], str]], ...] = (
    (prescan.MARKUP, plain),
    (prescan.LINKS, strip_links),
    (prescan.POSTS, quote_posts),
    (prescan.SCRIPTS, strip_script_residue),
    (prescan.GLUE, strip_glued_headlines),
    (prescan.CAPTIONS, strip_captions),
)


def clean(text: str, suspicions: int = prescan.EVERYTHING) -> str:
    """Return the running text: markup, encoding damage, links, captions, dateline and credits removed.

    ``suspicions``: which steps the text can need, as :func:`pipeline.prescan.prescan` tells.
    """
    for suspicion, step in _STEPS if suspicions & ~prescan.LEAD else ():
        if suspicions & suspicion:
            cleaned = step(text)
            if cleaned is not text and cleaned != text:
                text = cleaned
                suspicions = prescan.EVERYTHING  # they were about another text
    return strip_lead(text, suspicions) if suspicions & prescan.LEAD else text
