"""What a value without quotes can mean: a number, a duration, a stretch of time."""

import math
import re
from datetime import UTC, datetime, timedelta

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d{1,4})?", re.IGNORECASE | re.ASCII)
_NOT_FINITE = {"nan": math.nan, "inf": math.inf, "infinity": math.inf}
_PART = re.compile(r"(\d{1,12}(?:\.\d{1,12})?)([wdhms])", re.ASCII)
_DURATION = re.compile(rf"(?:{_PART.pattern})+", re.ASCII)
_SECONDS = {"w": 604_800.0, "d": 86_400.0, "h": 3_600.0, "m": 60.0, "s": 1.0}
_DATE = re.compile(
    r"\d{4}-\d\d-\d\d(?P<clock>T\d\d:\d\d(?P<second>:\d\d(?P<part>\.\d{1,6})?)?"
    r"(?:Z|[+-]\d\d:\d\d)?)?",
    re.ASCII,
)


def number(text: str) -> float | None:
    """Return the number that `text` is, in the way that Python writes numbers."""
    if _NUMBER.fullmatch(text):
        return float(text)
    special = _NOT_FINITE.get(text.lower().lstrip("+-"))
    return -special if special is not None and text.startswith("-") else special


def duration(text: str) -> float | None:
    """Return the seconds of `90s`, `1h30m`, `2d`; a bare number is seconds."""
    if _DURATION.fullmatch(text):
        return sum(float(n) * _SECONDS[unit] for n, unit in _PART.findall(text))
    return number(text)


def stretch(text: str, now: float) -> tuple[float, float] | None:
    """Return the time [from, to) that `text` means, in seconds since the epoch, UTC.

    A day, a minute and a second are as long as they are; `now` and `-7d` are instants.
    """
    if text == "now":
        return _instant(now)
    if text == "today":
        return _dated(datetime.fromtimestamp(now, UTC).date().isoformat())
    if text.startswith("-") and _DURATION.fullmatch(text[1:]):
        return _instant(now - (duration(text[1:]) or 0.0))
    return _dated(text)


def _instant(at: float) -> tuple[float, float]:
    return at, math.nextafter(at, math.inf)


def _dated(text: str) -> tuple[float, float] | None:
    found = _DATE.fullmatch(text)
    if found is None:
        return None
    try:
        begin = datetime.fromisoformat(text)
        begin = begin if begin.tzinfo else begin.replace(tzinfo=UTC)
        if found["part"]:
            return _instant(begin.timestamp())
        return begin.timestamp(), (begin + _precision(found)).timestamp()
    except (ValueError, OverflowError):
        return None


def _precision(found: re.Match[str]) -> timedelta:
    if found["second"]:
        return timedelta(seconds=1)
    return timedelta(minutes=1) if found["clock"] else timedelta(days=1)
