"""Site furniture: lines that outlets add to every article.

A line that begins a paragraph with one of these phrases is left out when it is
short. "Read more: …" under two articles must not make them alike. The phrases are
static and part of the engine fingerprint; they are matched on folded words, so
case, accents and punctuation do not matter.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

import numpy as np
import numpy.typing as npt

from pipeline.codepoints import Role, fold, role
from pipeline.hashing import FNV_OFFSET, fmix32, word_hash

# One to three words each. English first, then the languages of the large agencies.
PHRASES = (
    "read more", "read also", "read next", "also read", "see also", "more from", "more on this", "sign up", "subscribe to", "subscribe now",
    "click here", "tap here", "follow us", "follow him on", "follow her on", "like us on", "share this", "share on",
    "reporting by", "additional reporting", "writing by", "editing by", "compiled by", "copyright", "all rights reserved",
    "image copyright", "image caption", "image source", "media caption", "media playback", "file photo", "photo by", "photo credit",
    "photograph by", "picture by", "photo", "photos", "advertisement", "story continues", "continue reading", "article continues",
    "related stories", "related articles", "related coverage", "watch now", "watch live", "watch the video", "play video",
    "this story has", "this story was", "this article was", "this article originally", "this material may", "this report was",
    "download the app", "download our", "get the latest", "get our", "get breaking news", "our standards", "for more information",
    "for more news", "newsletter", "most read", "most popular", "recommended for you", "skip to", "view comments", "join the conversation",
    "contact the", "send tips", "the associated press", "associated press writer", "last updated", "by clicking", "email this",
    "print this", "story continued", "slideshow", "enlarge this image", "toggle caption", "listen to article", "listen to this article",
    "this article is more", "this article is over", "this video has been", "the opinions expressed", "get push notifications",
    "please enable javascript", "never miss a", "thank you for signing", "by signing up", "view this post", "view on instagram",
    "posted by", "filed under", "tagged with", "via tumblr", "reblogged this", "more in", "trending now", "editors picks", "watch more",
    "share tweet", "send us a tip", "contributing the associated", "click to", "scroll down", "swipe left", "up next", "must read",
    "you may also", "you might also", "what to read", "related topics", "read full story", "read the full", "log in to", "login or",
    "create an account", "already a subscriber", "support our journalism", "follow the live", "live updates here", "text size", "facebook twitter", "whatsapp", "lesen sie", "mehr zum thema", "anzeige", "foto",
    "lire aussi", "a lire aussi", "publicite", "credit photo", "abonnez vous", "lea tambien", "le puede interesar", "publicidad",
    "leggi anche", "leia tambem", "procitajte",
)  # fmt: skip


def phrase_hash(phrase: str) -> int:
    """Return the hash of a phrase of one to three words, as the tokeniser forms it."""
    state = FNV_OFFSET
    folded = "".join(fold(c) for c in phrase)
    words = "".join(c if role(c) in (Role.LETTER, Role.DIGIT) else " " for c in folded).split()
    for word in words:
        state = fmix32(state ^ word_hash(word))
    return state


def phrase_set(phrases: Iterable[str]) -> npt.NDArray[np.uint32]:
    """Return the phrases as an open-addressing hash set (uint32, a power of two of slots)."""
    hashes = sorted({phrase_hash(p) for p in phrases})
    slots = 1 << max(4, (4 * len(hashes)).bit_length())
    table = np.zeros(slots, dtype=np.uint32)
    for value in hashes:
        slot = value & (slots - 1)
        while table[slot]:
            slot = (slot + 1) & (slots - 1)
        table[slot] = value
    return table


@cache
def default_furniture() -> npt.NDArray[np.uint32]:
    """Return the built-in phrases."""
    return phrase_set(PHRASES)
