"""The default term table's source: wordfreq's lists, merged over all languages.

A word's frequency is the highest that it has in any language, so that function
words of every language are light. wordfreq lists words, not pairs of characters;
for Chinese and Japanese a pair's frequency is the sum over the words that contain
it, plus what chance puts side by side at a word boundary.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from itertools import pairwise

from pipeline.codepoints import Role, fold, role

_PAIR_LANGUAGES = ("zh", "ja")
# Far below the rarest edge of a level: such words need no place in a table.
_NEGLIGIBLE = 10**-5.2


def folded_runs(text: str) -> Iterator[tuple[str, bool]]:
    """Yield the words of ``text``, folded, each with whether its script has no spaces."""
    run, kind = "", Role.SEPARATOR
    for character in "".join(map(fold, text)) + " ":
        here = role(character)
        if here == Role.NOTHING:
            continue
        if here == Role.DIGIT:
            here = Role.LETTER
        if here != kind:
            if run and kind in (Role.LETTER, Role.IDEOGRAPH):
                yield run, kind == Role.IDEOGRAPH
            run, kind = "", here
        run += character


def _pair_frequencies(words: dict[str, float]) -> dict[str, float]:
    """Return how often two characters are neighbours, as a share of all neighbours."""
    pairs: defaultdict[str, float] = defaultdict(float)
    firsts: defaultdict[str, float] = defaultdict(float)
    lasts: defaultdict[str, float] = defaultdict(float)
    for word, frequency in words.items():
        firsts[word[0]] += frequency
        lasts[word[-1]] += frequency
        for left, right in pairwise(word):
            pairs[left + right] += frequency
    listed = sum(words.values())
    characters = sum(frequency * len(word) for word, frequency in words.items())
    common_firsts = sorted(firsts.items(), key=lambda item: -item[1])
    for left, last in lasts.items():
        for right, first in common_firsts:
            boundary = last * first / listed
            if boundary < _NEGLIGIBLE * characters:
                break
            pairs[left + right] += boundary
    return {pair: frequency / characters for pair, frequency in pairs.items()}


def merged_frequencies() -> dict[str, float]:
    """Return word and pair frequencies over all of wordfreq's languages."""
    import wordfreq

    merged: dict[str, float] = {}
    for language in sorted(wordfreq.available_languages("best")):
        words: defaultdict[str, float] = defaultdict(float)
        spaceless: defaultdict[str, float] = defaultdict(float)
        for word, frequency in wordfreq.get_frequency_dict(language, "best").items():
            if frequency < _NEGLIGIBLE:
                continue
            for run, is_spaceless in folded_runs(word):
                if is_spaceless:
                    spaceless[run] += frequency
                elif not run[0].isdigit():
                    words[run] += frequency
        if language in _PAIR_LANGUAGES:
            words.update(_pair_frequencies(spaceless))
        for word, frequency in words.items():
            merged[word] = max(frequency, merged.get(word, 0.0))
    return merged
