"""Numbers and times in the words of the interface; `format.js` says the same in the browser."""

import json
import math
from datetime import datetime

from django.utils.timezone import now

STATES = {"killed": "stopped", "stale": "no signal"}
# States that share another one's shape and differ by colour and word.
SHAPES = {"stale": "running"}


def number(value: object) -> str:
    """Return a metric's value with four significant digits; other values as they are."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return {"Infinity": "∞", "-Infinity": "−∞", "": "–", "None": "–"}.get(
            str(value), str(value)
        )
    if value == 0 or not math.isfinite(value):
        return {math.inf: "∞", -math.inf: "−∞"}.get(value, "0" if value == 0 else "NaN")
    return _finite(float(value))


def exact(value: object) -> str:
    """Return a config's value as it was given: 0.0003 stays itself, text loses its quotes."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def _finite(value: float) -> str:
    size = abs(value)
    if size < 1e-2 or size >= 1e9:
        mantissa, exponent = f"{value:.1e}".split("e")
        return f"{mantissa.removesuffix('.0')}e{int(exponent)}"
    if value.is_integer() or size >= 1000:
        return f"{round(value):,}"
    return f"{value:.{max(0, 3 - math.floor(math.log10(size)))}f}"


def duration(seconds: float) -> str:
    """Return how long: "4 h 12 m", "38 m 12 s", "8 s"."""
    whole = max(0, round(seconds))
    days, hours, minutes = whole // 86400, whole % 86400 // 3600, whole % 3600 // 60
    if days:
        return f"{days} d {hours} h"
    if hours:
        return f"{hours} h {minutes:02} m"
    return f"{minutes} m {whole % 60:02} s" if minutes else f"{whole} s"


def minutes(seconds: float) -> str:
    """Return a silence in whole minutes, or hours: "3 min", "2 h"."""
    return f"{int(seconds // 60)} min" if seconds < 7200 else f"{int(seconds // 3600)} h"


def ago(moment: datetime) -> str:
    """Return how long ago: "12 s ago"; after a week, the date."""
    past = max(0, int((now() - moment).total_seconds()))
    if past < 60:
        return f"{past} s ago"
    if past < 3600:
        return f"{past // 60} min ago"
    if past < 86400:
        return f"{past // 3600} h ago"
    if past < 7 * 86400:
        return f"{past // 86400} d ago"
    return f"{moment.day} {moment:%b %Y}"


def state(name: str) -> str:
    """Return a run's state as a word for people."""
    return STATES.get(name, name)
