"""METRICS and SYSTEM payloads: the plain form and the packed one.

    {"t":wall_ms,"n":mono_ms,"s":step,"d":{name:number}}             plain
    {"t":wall_ms,"n":mono_ms,"s":step,"k":3,"d":{name:number}}       plain, and names layout 3
    {"t":wall_ms,"n":mono_ms,"s":step,"k":3,"b":"<base64>"}          packed: float64 in layout 3

A layout is a tuple of keys; its number is never used twice in a stream. Each segment names it in
two records at its beginning, then ever less often until it is one in REPEAT. So a damaged record
costs only itself: whoever misses a layout finds it elsewhere in the stream. Packing saves the keys
and the digits, which is half the disk and a third of the time of `log()`.
"""

from __future__ import annotations

import json
import re
import struct
from array import array
from binascii import Error as Base64Error
from binascii import a2b_base64, b2a_base64
from collections.abc import Callable, Sequence
from typing import Any

from tidelog.wire.runs import is_key, jsonable, number

REPEAT = 64
PACKED = b'{"t":%d,"n":%d,"s":%a,"k":%d,"b":"%b"}'
_as_packed = re.compile(
    rb'\{"t":(\d+),"n":\d+,"s":(-?\d[\d.e+-]*),"k":(\d+),"b":"([\w+/=]*)"\}', re.ASCII
).fullmatch


class Layout:
    """Keys that are logged together.

    number  what packed records call it
    left    how many packed records may follow before it is named again
    named   how often this segment has named it
    pack    their values to bytes
    """

    __slots__ = ("keys", "left", "named", "number", "pack")

    def __init__(self, number: int, keys: Sequence[str]) -> None:  # noqa: D107
        self.number = number
        self.keys = tuple(keys)
        self.left = 0
        self.named = 0
        self.pack: Callable[..., bytes] = struct.Struct(f"<{len(self.keys)}d").pack

    def was_named(self) -> bool:
        """Note that a record says its keys; return whether packed records may follow."""
        self.left = min(2**self.named, REPEAT) - 1
        self.named += 1
        return self.left > 0


def plain(
    *,
    wall_ms: int,
    mono_ms: int,
    step: float,
    keys: Sequence[str],
    values: Sequence[float],
    layout: int | None = None,
) -> bytes:
    """Return the payload that says everything in words; it names `layout` if there is one."""
    content: dict[str, Any] = {"t": wall_ms, "n": mono_ms, "s": step}
    if layout is not None:
        content["k"] = layout
    content["d"] = jsonable(dict(zip(keys, values, strict=True)))
    return json.dumps(content, separators=(",", ":"), allow_nan=False).encode()


def packed(*, wall_ms: int, mono_ms: int, step: float, layout: Layout, data: bytes) -> bytes:
    """Return the payload that holds only numbers; the recorder writes it out in its hot path."""
    code = b2a_base64(data, newline=False)
    return PACKED % (wall_ms, mono_ms, step, layout.number, code)


class Unreadable(ValueError):
    """A payload whose layout nobody knows (any more), or that is none."""


class Point:
    """One METRICS record, taken apart.

    step    the caller's count
    time    seconds since the epoch
    keys    what was logged together
    values  as bytes of little-endian float64, in the order of keys
    """

    __slots__ = ("keys", "step", "time", "values")

    def __init__(self, step: float, time: float, keys: tuple[str, ...], values: bytes) -> None:  # noqa: D107
        self.step = step
        self.time = time
        self.keys = keys
        self.values = values


class Unpacker:
    """Reads the payloads of one stream, and remembers the layouts it meets."""

    def __init__(self) -> None:  # noqa: D107
        self.layouts: dict[int, tuple[str, ...]] = {}

    def read(self, payload: bytes) -> Point:
        """Take a payload apart. Raises Unreadable; KeyError(number) if its layout is unknown.

        What `packed` has written is read by its form alone, in half the time of JSON.
        """
        found = _as_packed(payload)
        if found:
            time, step, layout, code = found.groups()
            return _unpacked(float(step), int(time) / 1000, self.layouts[int(layout)], code)
        try:
            content = json.loads(payload)
            step, time = number(content["s"]), number(content["t"])
        except (ValueError, RecursionError, TypeError, KeyError) as error:
            raise Unreadable(str(error)) from None
        if step is None or time is None:
            raise Unreadable("no step or no time")
        if "b" in content:
            return _unpacked(step, time / 1000, self.layouts[content["k"]], content["b"])
        return self._plain(step, time / 1000, content)

    def _plain(self, step: float, time: float, content: dict[str, Any]) -> Point:
        data = content.get("d")
        if not isinstance(data, dict):
            raise Unreadable("no values")
        if isinstance(content.get("k"), int):
            self.layouts[content["k"]] = tuple(data)
        pairs = [(key, number(value)) for key, value in data.items() if is_key(key)]
        good = {key: value for key, value in pairs if value is not None}
        return Point(step, time, tuple(good), little_endian(array("d", good.values())))


def _unpacked(step: float, time: float, keys: tuple[str, ...], code: bytes) -> Point:
    try:
        values = a2b_base64(code)
    except (Base64Error, TypeError, ValueError) as error:
        raise Unreadable(str(error)) from None
    if len(values) != 8 * len(keys):
        raise Unreadable("values do not fit their layout")
    return Point(step, time, keys, values)


def little_endian(column: array[float]) -> bytes:
    """Return a column as bytes of little-endian float64."""
    import sys

    if sys.byteorder == "big":
        column = column[:]
        column.byteswap()
    return column.tobytes()
