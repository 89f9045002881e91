"""What the engine makes of the sample is bound to its version: a change of one without the other fails here.

After a deliberate change raise :data:`pipeline.engine.ENGINE_VERSION` and put the new digest here.
"""

from hashlib import blake2b
from itertools import combinations

from pipeline.article import Article
from pipeline.engine import ENGINE_VERSION, Engine

MADE_BY = {4: "8dc4b23f01405d62"}


def digest(engine: Engine, sample: list[Article]) -> str:
    """A digest of the sample's tokens and of the scores of neighbouring pairs."""
    sketches = engine.sketcher.sketch(sample)
    found = blake2b(sketches.tokens.tobytes() + sketches.ends.astype("<i8").tobytes(), digest_size=8)
    for left, right in combinations(sample[:24], 2):
        comparison, shares_band, _ = engine.score_pair(left, right)
        found.update(f"{comparison.score} {comparison.relation} {shares_band};".encode())
    return found.hexdigest()


def test_a_version_makes_the_same_of_the_sample_as_ever(engine: Engine, sample: list[Article]) -> None:
    assert MADE_BY.get(ENGINE_VERSION) == digest(engine, sample)


def test_the_fingerprint_bears_the_version(engine: Engine) -> None:
    assert engine.fingerprint.startswith(f"sw{ENGINE_VERSION}-")
