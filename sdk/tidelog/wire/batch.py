"""A batch: the records [from, to) of one stream, on their way to the server.

    u32 header length | header, JSON padded with spaces to a multiple of 8 | float64 columns

    {"v": 1, "from": a, "to": b, "axes": [n, ...], "series": [{"key", "axis", "n"}, ...],
     "records": [[seq, type, payload], ...], "gaps": [[from, to, why], ...],
     "run": {...}?, "writer": "gone"?}

Columns in order: for each axis n steps, then n times (seconds since the epoch); then for each
series its n values. Keys that were logged together share an axis. All numbers little-endian.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn, TypeGuard

VERSION = 1
MAX_RECORDS = 20_000
MAX_BODY = 4 * 1024 * 1024
MAX_SEQ = 2**63 - 1

_LENGTH = struct.Struct("<I")

Columns = list[tuple[memoryview, memoryview]]


class BatchError(ValueError):
    """A body that is no batch.

    code     snake_case, for programs
    message  one sentence, for people
    """

    def __init__(self, code: str, message: str) -> None:  # noqa: D107
        super().__init__(message)
        self.code = code
        self.message = message


def encode(
    header: Mapping[str, Any],
    axes: Sequence[tuple[bytes, bytes]],
    series: Sequence[bytes],
) -> bytes:
    """Return the body of a batch.

    header  as above; its "axes" and "series" describe the columns that follow
    axes    steps and times of each axis, as bytes of little-endian float64
    series  values of each series, likewise
    """
    parts = [container_head(header)]
    for steps, times in axes:
        parts += (steps, times)
    parts += series
    return b"".join(parts)


def container_head(header: Mapping[str, Any]) -> bytes:
    """Return the length and the padded JSON that open a batch, a chart or a live frame."""
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=True, allow_nan=False).encode()
    text += b" " * (-(4 + len(text)) % 8)
    return _LENGTH.pack(len(text)) + text


def split_container(body: bytes | memoryview) -> tuple[dict[str, Any], memoryview]:
    """Return a container's header and the bytes of its columns. Raises BatchError."""
    view = memoryview(body)
    if len(view) < _LENGTH.size:
        raise BatchError("bad_batch", "The body is shorter than its length field.")
    (length,) = _LENGTH.unpack_from(view)
    end = _LENGTH.size + length
    if end > len(view) or end % 8:
        raise BatchError("bad_batch", "The header's length does not fit the body.")
    return _parsed(bytes(view[_LENGTH.size : end])), view[end:]


def decode(body: bytes | memoryview) -> tuple[dict[str, Any], Columns, list[memoryview]]:
    """Take a batch apart without copying its columns.

    Returns the header, (steps, times) of each axis, and the values of each series, as
    memoryviews of bytes: `numpy.frombuffer(view, "<f8")` reads them in place.
    Raises BatchError if anything in it contradicts itself.
    """
    header, data = split_container(body)
    check_header(header)
    cuts = _Cuts(data)
    axes = [(cuts.take(n), cuts.take(n)) for n in header["axes"]]
    series = [cuts.take(item["n"]) for item in header["series"]]
    cuts.finish()
    return header, axes, series


class _Cuts:
    """Columns cut from the front of a body, one after the other."""

    def __init__(self, data: memoryview) -> None:
        self.data = data
        self.position = 0

    def take(self, count: int) -> memoryview:
        end = self.position + 8 * count
        if end > len(self.data):
            raise BatchError("bad_batch", "The body is shorter than its columns.")
        column = self.data[self.position : end]
        self.position = end
        return column

    def finish(self) -> None:
        if self.position != len(self.data):
            raise BatchError("bad_batch", "The body is longer than its columns.")


def loads(data: bytes | str) -> Any:
    """Parse JSON as this format means it: UTF-8, no bare NaN, no bottomless nesting.

    Raises BatchError.
    """
    try:
        return json.loads(data, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise BatchError("bad_json", f"The JSON does not parse: {error}.") from None


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f'bare {name}; write it as the string "{name}"')


def _parsed(text: bytes) -> dict[str, Any]:
    header = loads(text)
    if not isinstance(header, dict):
        raise BatchError("bad_batch", "The header is not a JSON object.")
    return header


def check_header(header: Mapping[str, Any]) -> None:
    """Raise BatchError unless the header's parts are there, typed and consistent."""
    if header.get("v") != VERSION:
        raise BatchError("unknown_version", f"This server reads batches of version {VERSION}.")
    start, end = header.get("from"), header.get("to")
    if not (is_count(start) and is_count(end) and start <= end <= MAX_SEQ):
        raise BatchError("bad_batch", "`from` and `to` are not a range of sequence numbers.")
    if header.get("writer") not in (None, "gone"):
        raise BatchError("bad_batch", '`writer` can only be "gone".')
    if not isinstance(header.get("run", {}), dict):
        raise BatchError("bad_batch", "`run` is not a JSON object.")
    _check_columns(_list(header, "axes"), _list(header, "series"))
    _check_records(_list(header, "records"), start, end)
    _check_gaps(_list(header, "gaps"), start, end)


def is_count(value: object) -> TypeGuard[int]:
    """Whether `value` is a whole number from 0 up (and no bool, which JSON tells apart)."""
    return type(value) is int and value >= 0


def _list(header: Mapping[str, Any], name: str) -> list[Any]:
    value = header.get(name)
    if not isinstance(value, list):
        raise BatchError("bad_batch", f"`{name}` is not a list.")
    return value


def _check_columns(axes: list[Any], series: list[Any]) -> None:
    if not all(is_count(n) for n in axes):
        raise BatchError("bad_batch", "`axes` are not counts.")
    for item in series:
        if not isinstance(item, dict) or not isinstance(item.get("key"), str):
            raise BatchError("bad_batch", "A series has no key.")
        axis, count = item.get("axis"), item.get("n")
        if not (is_count(axis) and axis < len(axes) and is_count(count) and count == axes[axis]):
            raise BatchError("bad_batch", "A series does not fit its axis.")


def _check_records(records: list[Any], start: int, end: int) -> None:
    for record in records:
        match record:
            case [seq, kind, dict()] if is_count(seq) and is_count(kind):
                if start <= seq < end and kind < 256:
                    continue
        raise BatchError("bad_batch", "A record is not [seq, type, payload] within the range.")


def _check_gaps(gaps: list[Any], start: int, end: int) -> None:
    for gap in gaps:
        match gap:
            case [first, last, str()] if is_count(first) and is_count(last):
                if start <= first < last <= end:
                    continue
        raise BatchError("bad_batch", "A gap is not [from, to, why] within the range.")
