"""The stored form of an article's words: one uint32 a content word, in text order.

=====  =====================================================================
bits   meaning
=====  =====================================================================
31-8   the upper 24 bits of the word's hash
7-5    level: the word's weight, 1..7 (words of level 0 are not stored)
4      a number
3      a name: a capital letter inside a sentence
2      inside a quotation
1      first content word of its sentence
0      in the title
=====  =====================================================================

Two tokens are the same word when their upper 28 bits agree (:data:`WORD_SHIFT`).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Tokens = npt.NDArray[np.uint32]

HASH_SHIFT = 8
LEVEL_SHIFT = 5
WORD_SHIFT = 4
LEVEL_MASK = 0x7
NUMBER = 16
NAME = 8
QUOTED = 4
STARTS_SENTENCE = 2
IN_TITLE = 1

# Wire copy puts what matters first; longer texts are compared by their first
# thousand content words, about 2,000 words of running text.
MAX_TOKENS = 1000
