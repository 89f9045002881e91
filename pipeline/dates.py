"""RFC 3339 in and out: moments are milliseconds since 1970 UTC everywhere else."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from functools import lru_cache

import numpy as np

_EPOCH_DAY = date(1970, 1, 1).toordinal()
# What format_date can write: the years 1 to 9999 in UTC, whatever the offset moved a moment to.
_FIRST_MS = (date.min.toordinal() - _EPOCH_DAY) * 86_400_000
_LAST_MS = (date.max.toordinal() - _EPOCH_DAY + 1) * 86_400_000 - 1
_RFC3339 = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)(?:[Tt ](\d\d):(\d\d):(\d\d)(?:[.,](\d{1,9}))?\s?([Zz]|[+-]\d\d:?\d\d))?", re.ASCII
)

_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_MINUTES = {f"T{m // 60:02d}:{m % 60:02d}": m * 60_000 for m in range(24 * 60)}
_SECONDS = {f":{s:02d}Z": s * 1000 for s in range(60)}
_MINUTE_TEXTS, _SECOND_TEXTS = list(_MINUTES), list(_SECONDS)


@lru_cache(maxsize=4096)
def _day_ms(day: str) -> int:
    if _DAY.fullmatch(day) is None:
        raise ValueError(day)
    return (date.fromisoformat(day).toordinal() - _EPOCH_DAY) * 86_400_000


def parse_date(value: str) -> int:
    """Return milliseconds since 1970 for an RFC 3339 date-time, or for a date (midnight UTC).

    Raises :class:`ValueError` for anything else.
    """
    try:
        # the usual form to the second, several times faster than the pattern; anything odd falls through
        return _day_ms(value[:10]) + _MINUTES[value[10:16]] + _SECONDS[value[16:]]
    except (KeyError, ValueError):
        pass
    found = _RFC3339.fullmatch(value.strip())
    if found is None:
        raise ValueError(value)
    year, month, day, hour, minute, second, fraction, zone = found.groups()
    days = date(int(year), int(month), int(day)).toordinal() - _EPOCH_DAY
    if hour is None:
        return days * 86_400_000
    if int(hour) > 23 or int(minute) > 59 or int(second) > 60:
        raise ValueError(value)
    seconds = int(hour) * 3600 + int(minute) * 60 + int(second)
    if zone not in ("Z", "z"):
        offset = int(zone[1:3]) * 3600 + int(zone[-2:]) * 60
        if int(zone[1:3]) > 23 or int(zone[-2:]) > 59:
            raise ValueError(value)
        seconds -= offset if zone[0] == "+" else -offset
    milliseconds = (days * 86_400 + seconds) * 1000 + int((fraction or "0").ljust(3, "0")[:3])
    if not _FIRST_MS <= milliseconds <= _LAST_MS:
        raise ValueError(value)
    return milliseconds


@lru_cache(maxsize=4096)
def _format_day(days: int) -> str:
    return date.fromordinal(_EPOCH_DAY + days).isoformat()


def format_date(milliseconds: int) -> str:
    """Return RFC 3339 in UTC, with milliseconds only where there are any."""
    days, rest = divmod(milliseconds, 86_400_000)
    minute, rest = divmod(rest, 60_000)
    second, fraction = divmod(rest, 1000)
    moment = f"{_format_day(days)}{_MINUTE_TEXTS[minute]}{_SECOND_TEXTS[second]}"
    return f"{moment[:-1]}.{fraction:03d}Z" if fraction else moment


def format_dates(milliseconds: Sequence[int]) -> list[str]:
    """Return :func:`format_date` of each, twice as fast for a batch."""
    moments = np.array(milliseconds, np.int64)
    days, rest = np.divmod(moments, 86_400_000)
    minutes, rest = np.divmod(rest, 60_000)
    seconds, fractions = np.divmod(rest, 1000)
    found = [
        f"{_format_day(day)}{_MINUTE_TEXTS[minute]}{_SECOND_TEXTS[second]}"
        for day, minute, second in zip(days.tolist(), minutes.tolist(), seconds.tolist(), strict=True)
    ]
    for position in np.flatnonzero(fractions).tolist():
        found[position] = format_date(int(moments[position]))
    return found
