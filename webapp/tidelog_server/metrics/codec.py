"""How chunks are written: columns of float64, lossless to the bit, 5 to 9 bytes a point.

Payload, version 1, little-endian:

    u8 version | u8 columns | u16 0 | u32 n
    for each column: u8 form | u8 width | 6 bytes of 0 | i64 first | i64 slope
    zstd, level 1, of the columns' bytes one after the other; each is transposed, so that all
    first bytes come first, then all second bytes: equal bytes lie together and shrink

A column's form says what its bytes are. The first form that loses nothing is taken:

    INTEGERS     whole numbers: `first`, then differences less `slope`, which is the least of
                 them, in 0, 1, 2, 4 or 8 bytes each; regular steps need none
    THOUSANDTHS  the same of 1,000 times the numbers: seconds that were milliseconds
    FLOAT32      numbers that a float32 holds
    FLOAT64      the numbers themselves

Lossless is told by the bits, so NaN payloads, infinities and -0.0 survive.

Version 2 is for few numbers, where packing takes more time than it saves room: the same first
eight bytes, then the columns as float64. Version 1 is written for all others and is always read.
"""

from __future__ import annotations

import struct
import threading
from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import numpy.typing as npt
import zstandard

from tidelog_server.metrics.columns import Vector

Matrix = npt.NDArray[np.float64]
Bytes = npt.NDArray[np.uint8]

VERSION = 1
PLAIN = 2
PLAIN_ROWS = 16
LEVEL = 1

_HEAD = struct.Struct("<BBHI")
_COLUMN = struct.Struct("<BB6xqq")
_WIDTHS = (0, 1, 2, 4, 8)
_PROBE = 4


class Form(IntEnum):
    """What a column's bytes are."""

    INTEGERS = 0
    THOUSANDTHS = 1
    FLOAT32 = 2
    FLOAT64 = 3


SCALES = {Form.INTEGERS: 1.0, Form.THOUSANDTHS: 1000.0}
EXACT = 2.0**53


@dataclass(frozen=True, slots=True)
class _Packed:
    """A column's form, and its bytes before they are compressed."""

    form: Form
    width: int
    first: int
    slope: int
    data: bytes


class _Zstd(threading.local):
    """Contexts cost 15 microseconds to make and must not be shared by threads."""

    def __init__(self) -> None:
        self.compress: Callable[[bytes], bytes] = zstandard.ZstdCompressor(level=LEVEL).compress
        self.decompress: Callable[[memoryview], bytes] = zstandard.ZstdDecompressor().decompress


_zstd = _Zstd()


def encode(columns: Sequence[Vector]) -> bytes:
    """Return the payload of columns of equal length, at least one number long."""
    if len(columns[0]) <= PLAIN_ROWS:
        head = _HEAD.pack(PLAIN, len(columns), 0, len(columns[0]))
        return head + np.stack(columns).astype("<f8").tobytes()
    packed = [_pack(np.ascontiguousarray(column, "<f8")) for column in columns]
    heads = [_COLUMN.pack(p.form, p.width, p.first, p.slope) for p in packed]
    head = _HEAD.pack(VERSION, len(packed), 0, len(columns[0]))
    return b"".join([head, *heads, _zstd.compress(b"".join(p.data for p in packed))])


def decode(payload: bytes | memoryview, only: Container[int] | None = None) -> Matrix:
    """Return the columns of a payload as the rows of a matrix.

    only  the columns that are wanted; the others are 0
    """
    view = memoryview(payload)
    version, columns, _, n = _HEAD.unpack_from(view)
    if version == PLAIN:
        return np.frombuffer(view, "<f8", columns * n, _HEAD.size).reshape(columns, n).copy()
    if version != VERSION:
        raise ValueError("a chunk was stored in a format that this version does not know")
    start = _HEAD.size + columns * _COLUMN.size
    data = np.frombuffer(_zstd.decompress(view[start:]), np.uint8)
    rows = np.empty((columns, n))
    position = 0
    for index, row in enumerate(rows):
        form, width, first, slope = _COLUMN.unpack_from(view, _HEAD.size + index * _COLUMN.size)
        end = position + width * (n - 1 if form in SCALES else n)
        if only is None or index in only:
            _unpack(Form(form), first, slope, data[position:end], row)
        else:
            row[:] = 0
        position = end
    return rows


def _pack(column: Vector) -> _Packed:
    for form, scale in SCALES.items():
        integers = _integers(column, scale)
        if integers is not None:
            return _pack_integers(form, integers)
    with np.errstate(over="ignore", invalid="ignore"):
        narrow = column.astype("<f4")
        lossless = _same(narrow.astype("<f8"), column)
    if lossless:
        return _Packed(Form.FLOAT32, 4, 0, 0, _transposed(narrow.view(np.uint8), 4))
    return _Packed(Form.FLOAT64, 8, 0, 0, _transposed(column.view(np.uint8), 8))


def _integers(column: Vector, scale: float) -> npt.NDArray[np.int64] | None:
    """Return `scale` times the column as integers, or None if that would lose a bit of it."""
    # Most columns are no integers, and their first numbers say so at a fraction of the cost.
    if not all(_is_integer(number, scale) for number in column[:_PROBE].tolist()):
        return None
    with np.errstate(over="ignore", invalid="ignore"):
        scaled = np.rint(column * scale)
        if not (np.abs(scaled) <= EXACT).all():
            return None
    return scaled.astype(np.int64) if _same(scaled / scale + 0.0, column) else None


def _is_integer(number: float, scale: float) -> bool:
    return abs(number) <= EXACT and round(number * scale) / scale == number


def _same(one: Vector, other: Vector) -> bool:
    return bool((one.view(np.int64) == other.view(np.int64)).all())


def _pack_integers(form: Form, integers: npt.NDArray[np.int64]) -> _Packed:
    first = int(integers[0])
    differences = np.diff(integers)
    if not len(differences):
        return _Packed(form, 0, first, 0, b"")
    slope = int(differences.min())
    rest = differences - slope
    width = next(w for w in _WIDTHS if int(rest.max()) < 256**w)
    data = rest.astype(f"<u{width}").view(np.uint8) if width else np.empty(0, np.uint8)
    return _Packed(form, width, first, slope, _transposed(data, width))


def _transposed(data: Bytes, width: int) -> bytes:
    return data.reshape(-1, width).T.tobytes() if width > 1 else data.tobytes()


def _unpack(form: Form, first: int, slope: int, data: Bytes, out: Vector) -> None:
    if form in SCALES:
        out[:] = _sums(first, slope, data, len(out))
        if form is Form.THOUSANDTHS:
            out /= SCALES[form]
    else:
        width = 4 if form is Form.FLOAT32 else 8
        out[:] = _restored(data, width).view(f"<f{width}")


def _sums(first: int, slope: int, data: Bytes, n: int) -> npt.NDArray[np.int64]:
    if not len(data):
        return first + slope * np.arange(n, dtype=np.int64)
    sums = np.empty(n, np.int64)
    sums[0] = first
    width = len(data) // (n - 1)
    sums[1:] = _restored(data, width).view(f"<u{width}")
    sums[1:] += slope
    return np.cumsum(sums, out=sums)


def _restored(data: Bytes, width: int) -> Bytes:
    """Undo `_transposed`. Column by column: numpy's transposed copy takes twice as long."""
    if width == 1:
        return data
    planes = data.reshape(width, -1)
    whole = np.empty((planes.shape[1], width), np.uint8)
    for index in range(width):
        whole[:, index] = planes[index]
    return whole.reshape(-1)
