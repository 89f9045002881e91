"""A change and signed articles survive their records."""

from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest

from pipeline.article import Article
from pipeline.changelog import Change, decode, encode
from pipeline.engine import Engine
from pipeline.errors import FingerprintError, StateError
from pipeline.life import Notices
from pipeline.matcher import Matcher
from pipeline.signed import SignedArticles, decode_signed, encode_signed


def sample_change(engine: Engine, sample: list[Article]) -> Change:
    """The change of a real batch."""
    ids, times = [a.id for a in sample], [a.published_ms or 0 for a in sample]
    return (
        Matcher(engine.fingerprint)
        .match(ids, times, engine.sketcher.sketch(sample), ["{}"] * len(ids))
        .change
    )


def plain(value: Any) -> Any:
    """Something that can be compared."""
    return value.tolist() if isinstance(value, np.ndarray) else value


def assert_equal(left: Change, right: Change) -> None:
    """Compare two changes field by field."""
    for field in fields(Change):
        assert plain(getattr(left, field.name)) == plain(getattr(right, field.name)), field.name


def test_a_change_round_trips(engine: Engine, sample: list[Article]) -> None:
    change = sample_change(engine, sample)
    again, extra = decode(encode(change, {"positions": {"f": [1, 2]}}), engine.fingerprint)
    assert_equal(again, change)
    assert extra == {"positions": {"f": [1, 2]}}
    assert len(again.ids) == len(sample)


def test_an_empty_change_round_trips(engine: Engine) -> None:
    change = Matcher(engine.fingerprint).nothing().change
    again, extra = decode(encode(change))
    assert_equal(again, change)
    assert extra == {}


def test_merges_round_trip(engine: Engine) -> None:
    change = Matcher("x").nothing().change
    change.merge_names = np.array([[1, 2], [1 << 63, 3]], np.uint64)
    change.merge_positions = np.array([0, 4])
    assert decode(encode(change))[0].merge_names.tolist() == [[1, 2], [1 << 63, 3]]


def test_a_change_of_another_engine_is_refused(engine: Engine, sample: list[Article]) -> None:
    record = encode(sample_change(engine, sample[:5]))
    with pytest.raises(FingerprintError, match="must not be mixed"):
        decode(record, "sw0-other")
    assert decode(record)[0].fingerprint == engine.fingerprint


def test_damage_anywhere_is_noticed(engine: Engine, sample: list[Article]) -> None:
    record = encode(sample_change(engine, sample[:2]))
    for at in range(0, len(record), 7):
        with pytest.raises(StateError):
            decode(record[:at] + bytes([record[at] ^ 4]) + record[at + 1 :])
        with pytest.raises(StateError):
            decode(record[:at])


def signed(engine: Engine, sample: list[Article]) -> SignedArticles:
    """Signed articles of the sample."""
    sketches, signatures = engine.sketcher.signed(sample)
    times = np.array([a.published_ms or 0 for a in sample])
    notices = Notices.of([replace(a, version=n % 3) for n, a in enumerate(sample)], times.tolist())
    return SignedArticles(
        [a.id for a in sample], times, sketches, signatures, [a.title for a in sample], notices
    )


def test_signed_articles_round_trip(engine: Engine, sample: list[Article]) -> None:
    articles = signed(engine, sample)
    again = decode_signed(encode_signed(articles, engine.fingerprint), engine.fingerprint)
    assert (again.ids, again.about) == (articles.ids, articles.about)
    assert again.time.tolist() == articles.time.tolist()
    assert (again.signatures == articles.signatures).all()
    assert {name: plain(getattr(again.notices, name)) for name in Notices.__slots__} == {
        name: plain(getattr(articles.notices, name)) for name in Notices.__slots__
    }
    for name in ("tokens", "ends", "low"):
        assert (getattr(again.sketches, name) == getattr(articles.sketches, name)).all()


def test_signed_articles_of_another_engine_or_kind_are_refused(engine: Engine, sample: list[Article]) -> None:
    record = encode_signed(signed(engine, sample[:3]), "sw0-other")
    with pytest.raises(FingerprintError):
        decode_signed(record, engine.fingerprint)
    with pytest.raises(StateError):
        decode_signed(encode(sample_change(engine, sample[:3])))
    with pytest.raises(StateError):
        decode_signed(record[:-1])


def test_no_signed_articles_are_a_record_too(engine: Engine) -> None:
    assert len(decode_signed(encode_signed(signed(engine, []), engine.fingerprint))) == 0
