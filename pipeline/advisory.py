"""Advisories in prose: an agency's own words for a correction or a withdrawal.

Agencies mark them at the very beginning: AP "BC-XX--Slug, KILL" and "Correction: Slug story", Reuters
"CORRECTED-", "(WITHDRAWN)" and "Reuters withdraws", AFP "MANDATORY KILL" and "ATTENTION - CORRECTS",
dpa "KORREKTUR:" and "Stornierung". Only these forms count: a story *about* a correction is none.
"""

from __future__ import annotations

import re
from typing import Literal

Advisory = Literal["kill", "correction"]

HEAD_CHARACTERS = 240

# Cheap, and true for nearly no other article: what decides are the patterns.
_HINTS = (
    "kill",
    "withdr",
    "corre",
    "korrekt",
    "annul",
    "storn",
    "zieht",
    "zurückgezogen",
    "disregard",
    "eliminat",
)
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
      | (?:achtung[,:!\s]+)?(?:dpa\s+zieht|stornierung|storno|storniert)\b
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
      | correctif\b | \(corrig[eé] | corrección\s*[-–—:]
      | korrektur\s*[-–—:)\]] | berichtigung\s*[-–—:)\]] | \(korrigiert
      | this\s+(?:story|article|item|version)\s+(?:corrects|has\s+been\s+corrected)\b
    )""",
    re.IGNORECASE | re.VERBOSE,
)


def advisory(title: str, text: str) -> Advisory | None:
    """Return what an article's title or first lines announce, if anything."""
    beginning = text[:HEAD_CHARACTERS]
    hint = f"{title}\n{beginning}".lower()
    if not any(word in hint for word in _HINTS):
        return None
    heads = (title, beginning.lstrip())
    if any(_KILL.match(head) for head in heads):
        return "kill"
    return "correction" if any(_CORRECTION.match(head) for head in heads) else None
