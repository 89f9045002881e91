"""Advisories in prose: an agency's own words for a correction or a withdrawal.

Agencies mark them at the very beginning: AP "BC-XX--Slug, KILL" and "Correction: Slug story", Reuters
"CORRECTED-", "(WITHDRAWN)" and "Reuters withdraws", AFP "MANDATORY KILL" and "ATTENTION - CORRECTS",
dpa "KORREKTUR:" and "Stornierung". Only these forms count: a story *about* a correction is none.
"""

from __future__ import annotations

import re
from typing import Literal

Advisory = Literal["kill", "correction"]

HEAD_CHARACTERS = 120

_SLUG = r"(?:[A-Z]{2}[-–—][^,:\n]{1,60}[,:]\s*|[=+(\[*\s\"“]*)"
_KILL = re.compile(
    rf"""{_SLUG}(?:
        (?:mandatory\s+|bulletin\s+|advisory[-:,\s]+)?kills?(?:\s*[:,.!)\]]|\s*$|\s*[-–—]|\s+(?:mandatory|advisory|notice)\b)
      | (?:attention\s+)?editors?[:,.\s]+(?:please\s+)?(?:kill|disregard|withdraw)\b
      | please\s+(?:kill|disregard|withdraw)\s+(?:the|our|this|all)\b
      | withdrawn?\s*[-–—:)\]]
      | withdrawal\s*[-–—:)\]]
      | (?:the\s+associated\s+press|reuters|agence\s+france-presse|afp|ap|dpa)\s+(?:has\s+withdrawn|withdraws|is\s+withdrawing|has\s+killed)\b
      | (?:the|this)\s+(?:story|article|item|report)\b[^.\n]{{0,120}}\b(?:has\s+been|is|was)\s+(?:withdrawn|killed)\b
      | (?:achtung[,:!\s]+)?(?:dpa\s+zieht\b|storn(?:o|ierung|iert)\s*[-–—:!)\]])
      | die\s+meldung\b[^.\n]{{0,120}}\b(?:storniert|zurückgezogen)\b
      | annulation\b | (?:attention[\s,:–—-]+)?annule\b | eliminación\s*[-–—:]
    )""",
    re.IGNORECASE | re.VERBOSE,
)
_CORRECTION = re.compile(
    rf"""{_SLUG}(?:
        corrected(?:\s*\(official\))?\s*[-–—:)\]]
      | (?:attention[\s–—-]+)?corrects\b
      | correction\s*[-–—:)=\]]
      | correctif\b | \(corrig[eé] | correcci[oó]n\s*[-–—:]
      | korrektur\s*[-–—:)\]] | berichtigung\s*[-–—:)\]] | \(korrigiert
      | this\s+(?:story|article|item|version)\s+(?:corrects|has\s+been\s+corrected)\b
    )""",
    re.IGNORECASE | re.VERBOSE,
)


def advisory(title: str, text: str) -> Advisory | None:
    """Return what an article's title or first lines announce, if anything."""
    beginning = text[:HEAD_CHARACTERS]
    hint = (title[:HEAD_CHARACTERS] + beginning).lower()
    # Cheap, and false for nearly every article: what decides are the patterns.
    if not (
        "kill" in hint
        or "orre" in hint
        or "withdr" in hint
        or "disreg" in hint
        or "annul" in hint
        or "storn" in hint
        or "korri" in hint
        or "zieht" in hint
        or "zogen" in hint
        or "berichtig" in hint
        or "elimin" in hint
    ):
        return None
    heads = (title, beginning.lstrip())
    if any(_KILL.match(head) for head in heads):
        return "kill"
    return "correction" if any(_CORRECTION.match(head) for head in heads) else None
