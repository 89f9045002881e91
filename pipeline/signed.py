"""Signed articles on their way from *sign* to *match*: one record for a run of them.

A record carries for each article the tokens and the whole MinHash signature, with
scheme, seed and size beside it, so that anybody can load it as a
``datasketch.LeanMinHash``; and the engine fingerprint, so that a matcher refuses what
another engine made.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipeline.bands import PERMUTATIONS, low_bytes
from pipeline.columns import check_fingerprint, pack, unpack
from pipeline.life import Notices
from pipeline.signature import SCHEME, SEED, Signatures
from pipeline.sketch import Sketches

MAGIC = b"SWSG"


@dataclass(frozen=True, slots=True)
class SignedArticles:
    """``n`` signed articles: ids, event times (int64 ms), sketches, signatures, JSON about each, notices."""

    ids: Sequence[str]
    time: npt.NDArray[np.int64]
    sketches: Sketches
    signatures: Signatures
    about: Sequence[str]
    notices: Notices

    def __len__(self) -> int:
        return len(self.ids)

    def between(self, first: int, end: int) -> SignedArticles:
        """Return a run of the articles."""
        return SignedArticles(
            self.ids[first:end],
            self.time[first:end],
            self.sketches.between(first, end),
            self.signatures[first:end],
            self.about[first:end],
            self.notices.between(first, end),
        )


def concatenate(parts: Sequence[SignedArticles]) -> SignedArticles:
    """Return the articles of several records as one."""
    if len(parts) == 1:
        return parts[0]
    offsets = np.cumsum([0] + [len(part.sketches.tokens) for part in parts])
    return SignedArticles(
        [article_id for part in parts for article_id in part.ids],
        np.concatenate([part.time for part in parts]),
        Sketches(
            np.concatenate([part.sketches.tokens for part in parts]),
            np.concatenate(
                [part.sketches.ends + offset for part, offset in zip(parts, offsets, strict=False)]
            ),
            np.concatenate([part.sketches.low for part in parts]),
        ),
        np.concatenate([part.signatures for part in parts]),
        [text for part in parts for text in part.about],
        Notices.concatenate([part.notices for part in parts]),
    )


def encode_signed(signed: SignedArticles, fingerprint: str) -> bytes:
    """Return signed articles as one record."""
    return pack(
        MAGIC,
        {"fingerprint": fingerprint, "scheme": SCHEME, "seed": SEED, "permutations": PERMUTATIONS},
        {
            "ids": signed.ids,
            "time": signed.time,
            "tokens": signed.sketches.tokens,
            "ends": signed.sketches.ends,
            "signatures": signed.signatures,
            "about": signed.about,
            "kill": signed.notices.kill,
            "version": signed.notices.version.astype(np.int32),
            "updated": signed.notices.updated_ms,
            "undated": signed.notices.undated.astype(np.uint8),
            "marks": signed.notices.marks,
        },
    )


def decode_signed(record: bytes | memoryview, fingerprint: str | None = None) -> SignedArticles:
    """Return the articles of a record.

    Raises :class:`pipeline.errors.StateError` for damage and
    :class:`pipeline.errors.FingerprintError` when another engine signed them.
    """
    header, columns = unpack(MAGIC, record)
    check_fingerprint(header["fingerprint"], fingerprint)
    signatures = columns["signatures"].reshape(-1, header["permutations"])
    sketches = Sketches(columns["tokens"], columns["ends"], low_bytes(signatures))
    notices = Notices(
        columns["kill"],
        columns["version"].astype(np.int64),
        columns["updated"],
        columns["undated"].astype(np.bool_),
        columns["marks"],
    )
    return SignedArticles(columns["ids"], columns["time"], sketches, signatures, columns["about"], notices)
