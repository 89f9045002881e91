"""A record comes back as it was written, or not at all."""

import numpy as np
import pytest

from pipeline.columns import PREFIX_BYTES, VERSION, Column, check_fingerprint, pack, record_length, unpack
from pipeline.errors import FingerprintError, StateError

MAGIC = b"TEST"
COLUMNS: dict[str, Column] = {
    "numbers": np.array([1, -2, 1 << 40], np.int64),
    "bytes": np.arange(256, dtype=np.uint8),
    "grid": np.arange(12, dtype=np.uint32).reshape(3, 4),
    "empty": np.empty(0, np.uint16),
    "texts": ["", "ä", "\0", "漢字"],
    "none": [],
}
RECORD = pack(MAGIC, {"fingerprint": "x", "first": 7}, COLUMNS)


def test_round_trip() -> None:
    header, columns = unpack(MAGIC, RECORD)
    assert header == {"fingerprint": "x", "first": 7}
    assert list(columns) == list(COLUMNS)
    for name, column in COLUMNS.items():
        if isinstance(column, np.ndarray):
            assert columns[name].dtype == column.dtype
            assert columns[name].tolist() == column.ravel().tolist()
            columns[name][:] = 0  # it can be written to
        else:
            assert columns[name] == column


def test_a_record_says_how_long_it_is() -> None:
    assert record_length(MAGIC, RECORD[:PREFIX_BYTES]) == len(RECORD)


def test_zeros_are_no_record_and_no_damage() -> None:
    assert record_length(MAGIC, bytes(PREFIX_BYTES)) is None


@pytest.mark.parametrize("flip", [0x01, 0x80, 0xFF])
def test_every_flipped_byte_is_noticed(flip: int) -> None:
    for at in range(len(RECORD)):
        with pytest.raises(StateError):
            unpack(MAGIC, RECORD[:at] + bytes([RECORD[at] ^ flip]) + RECORD[at + 1 :])


def test_a_record_of_any_shorter_or_greater_length_is_refused() -> None:
    for length in range(len(RECORD)):
        with pytest.raises(StateError):
            unpack(MAGIC, RECORD[:length])
    with pytest.raises(StateError):
        unpack(MAGIC, RECORD + b"\0")


def test_another_kind_of_record_is_refused() -> None:
    with pytest.raises(StateError, match="check the path or topic"):
        unpack(b"ELSE", RECORD)


def test_another_version_says_what_to_use() -> None:
    other = RECORD[:4] + (VERSION + 1).to_bytes(2, "little") + RECORD[6:]
    with pytest.raises(StateError, match=f"version {VERSION + 1}.*use the samewire that wrote it"):
        unpack(MAGIC, other)


def test_fingerprints_must_agree_where_one_is_expected() -> None:
    check_fingerprint("a", "a")
    check_fingerprint("a", None)
    with pytest.raises(FingerprintError, match=r"engine a, but engine b.*start a new state"):
        check_fingerprint("a", "b")
