"""Console text, cut into lines. Pure.

A record's text ends where the write ended, not where a line does. What follows the last newline
waits for its end in `Stream.partial`; a carriage return starts a line over, as in a terminal.
"""

import zlib
from collections.abc import Mapping
from typing import Any

import orjson

LONGEST_LINE = 16_384

# [seconds since the epoch, descriptor (1 or 2), text]
Line = list[Any]


def cut(partial: Mapping[str, Any], *, fd: int, time: float, text: str) -> tuple[list[Line], Any]:
    """Return the lines that `text` completes, and what is left of each descriptor."""
    begun, before = partial.get(str(fd), (time, ""))
    *whole, rest = (before + text).split("\n")
    times = [begun] + [time] * len(whole)
    lines = [[at, fd, visible(line)] for at, line in zip(times, whole, strict=False)]
    left = {name: value for name, value in partial.items() if name != str(fd)}
    if rest and len(rest) > LONGEST_LINE:
        return [*lines, [times[len(whole)], fd, visible(rest)]], left
    if rest:
        left[str(fd)] = [times[len(whole)], _last_rewrite(rest)]
    return lines, left


def remaining(partial: Mapping[str, Any]) -> list[Line]:
    """Return what never got its newline, as lines."""
    return [[at, int(fd), visible(text)] for fd, (at, text) in partial.items()]


def visible(line: str) -> str:
    """Return what a terminal would still show of a line that was rewritten by progress bars."""
    return line.rstrip("\r").rpartition("\r")[2][:LONGEST_LINE]


def _last_rewrite(rest: str) -> str:
    """Keep only what is after the last carriage return, and that return if it ends the text."""
    body = rest.rstrip("\r")
    return body.rpartition("\r")[2] + rest[len(body) :][:1]


def pack(lines: list[Line]) -> bytes:
    """Return lines as a chunk's payload."""
    return zlib.compress(orjson.dumps(lines), 1)


def unpack(payload: bytes | memoryview) -> list[Line]:
    """Return the lines of a chunk's payload."""
    lines: list[Line] = orjson.loads(zlib.decompress(payload))
    return lines
