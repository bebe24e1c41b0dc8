"""What a run is called, and how its values are written in JSON."""

from __future__ import annotations

import math
import re
from enum import Enum
from typing import Any, TypedDict

RUN_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
STREAM_ID = re.compile(r"[0-9a-f]{32}")
SLUG = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?")
MAX_KEY = 512
MAX_KEYS = 10_000
MAX_DEPTH = 16
MAX_TEXT = 64 * 1024
SYSTEM_PREFIX = "system/"

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_SPECIAL = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}

_FIRST_WORDS = (
    "amber azure bay bold bright brine calm clear coral crisp deep dune ebb fair flood foam "
    "fresh gale glass golden high keel kelp low lunar mist moon neap north pearl quiet reef "
    "salt sand shell shoal silver slack slow south spray spring still storm sun surf swell "
    "tide wave west white wild wind"
)
_SECOND_WORDS = (
    "anchor auk avocet beacon bell brig buoy cape cod cove crab crane curlew current cutter "
    "delta dory dunlin eider fathom ferry gannet gull harbor heron isle jetty kayak kelpie "
    "ketch lagoon lantern lugger marlin mast oar osprey otter petrel pier plover port puffin "
    "raft rudder sail seal skiff sloop sound spar stern swift tern turnstone whelk wharf"
)


class RunState(str, Enum):
    """Where a run is. Everything but RUNNING is an end; late records may still arrive."""

    RUNNING = "running"
    FINISHED = "finished"
    FAILED = "failed"
    CRASHED = "crashed"
    KILLED = "killed"


class RunFile(TypedDict):
    """`run.json`: written once when a run begins, sent with its first batch. Never the key.

    v         1
    run       the run's id, made by the client
    team      slug, or None: the team of the key that sends
    project   slug
    name      what people call it, or None: `default_name(run)`
    server    URL that it belongs to, or None: that of whoever sends it
    created   seconds since the epoch
    sdk       version that wrote it
    key_hint  first 8 digits of the SHA-256 of the API key, or None
    """

    v: int
    run: str
    team: str | None
    project: str
    name: str | None
    server: str | None
    created: float
    sdk: str
    key_hint: str | None


def is_run_id(text: object) -> bool:
    """Whether `text` can name a run; "." and ".." would leave the buffer directory."""
    return isinstance(text, str) and bool(RUN_ID.fullmatch(text)) and text.strip(".") != ""


def is_stream_id(text: object) -> bool:
    """Whether `text` can name a stream: 128 random bits in hex."""
    return isinstance(text, str) and bool(STREAM_ID.fullmatch(text))


def is_key(text: object) -> bool:
    """Whether `text` can name a metric: 1 to 512 bytes of UTF-8, no control characters."""
    if not isinstance(text, str) or not text or _CONTROL.search(text):
        return False
    try:
        return len(text.encode()) <= MAX_KEY
    except UnicodeEncodeError:
        return False


def default_name(run_id: str) -> str:
    """Return the two words that a run without a name is called by, the same ones for ever."""
    import hashlib  # costs more than the rest of this module, and few need it

    digest = hashlib.sha256(run_id.encode()).digest()
    return f"{_pick(_FIRST_WORDS, digest[:4])}-{_pick(_SECOND_WORDS, digest[4:8])}"


def _pick(words: str, digest: bytes) -> str:
    choices = words.split()
    return choices[int.from_bytes(digest, "little") % len(choices)]


def number(value: object) -> float | None:
    """Return the float64 that JSON means by `value`, or None if it is no number.

    NaN and the infinities are the strings "NaN", "Infinity" and "-Infinity".
    """
    if isinstance(value, str):
        return _SPECIAL.get(value)
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        try:
            return float(value)
        except OverflowError:
            return math.inf if value > 0 else -math.inf
    return None


def jsonable(value: Any) -> Any:
    """Return `value` with every NaN and infinity in it written as its string."""
    if isinstance(value, float):
        return value if math.isfinite(value) else _special_name(value)
    if isinstance(value, dict):
        return {key: jsonable(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [jsonable(item) for item in value]
    return value


def _special_name(value: float) -> str:
    if value != value:
        return "NaN"
    return "Infinity" if value > 0 else "-Infinity"
