"""Frames: how one record lies in a segment file.

A frame is found by its magic and believed only when its checksum fits. Nothing else in a
segment is trusted: not the file's length, not its header, not a length field.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from enum import IntEnum
from typing import NamedTuple

MAGIC = b"TL"
FRAME_HEAD = struct.Struct("<2sBBIQ")
FRAME_HEADER_SIZE = 20
MAX_PAYLOAD = 4 * 1024 * 1024
MAX_INFLATED = 16 * 1024 * 1024
COMPRESSED = 1
COMPRESS_ABOVE = 4096

SEGMENT_MAGIC = b"TLOG"
SEGMENT_FORMAT = 1
SEGMENT_HEAD = struct.Struct("<4sHHQ16sI")
SEGMENT_HEADER_SIZE = 40

_CRC = struct.Struct("<I")
_WHOLE_HEAD = struct.Struct("<2sBBIQI")
_crc32 = zlib.crc32


class FrameType(IntEnum):
    """What a record is about. Types unknown to a reader are passed on as they are."""

    METRICS = 1
    SET = 2
    CONSOLE = 3
    SYSTEM = 4
    BLOB = 5
    EVENT = 6
    FINISH = 7
    OPEN = 8
    DROPPED = 9


class FrameError(ValueError):
    """A payload that no frame can carry."""


class Frame(NamedTuple):
    """A frame whose checksum fits.

    type     a FrameType, or a number that a later version gave
    seq      0, 1, 2, ... in its stream
    payload  as it was given to `encode_frame`, inflated again
    start    where the frame begins in the bytes that were scanned
    end      where the next one should begin
    """

    type: int
    seq: int
    payload: bytes
    start: int
    end: int


class Damage(NamedTuple):
    """Bytes [start, end) that are no frame, in front of a good one."""

    start: int
    end: int


class SegmentHeader(NamedTuple):
    """The first 40 bytes of a segment.

    first_seq  sequence number of its first frame
    stream_id  16 bytes
    """

    first_seq: int
    stream_id: bytes
    format: int = SEGMENT_FORMAT
    flags: int = 0


def encode_frame(type: int, seq: int, payload: bytes) -> bytes:  # noqa: A002
    """Return the frame that carries `payload`, compressed if that is worth it.

    Raises FrameError if it stays above 4 MiB.
    """
    flags = 0
    if len(payload) > COMPRESS_ABOVE:
        payload, flags = zlib.compress(payload, 1), COMPRESSED
        if len(payload) > MAX_PAYLOAD:
            raise FrameError(f"a record of {len(payload)} bytes is above the limit of 4 MiB")
    head = FRAME_HEAD.pack(MAGIC, type, flags, len(payload), seq)
    return head + _CRC.pack(_crc32(payload, _crc32(head))) + payload


def frame_at(data: bytes | memoryview, start: int) -> Frame | None:
    """Return the frame that begins at `start`, or None if there is no whole, good one."""
    if len(data) - start < FRAME_HEADER_SIZE:
        return None
    magic, kind, flags, length, seq, crc = _WHOLE_HEAD.unpack_from(data, start)
    body = start + FRAME_HEADER_SIZE
    end = body + length
    if magic != MAGIC or length > MAX_PAYLOAD or end > len(data):
        return None
    payload = bytes(data[body:end])
    if _crc32(payload, _crc32(data[start : start + FRAME_HEAD.size])) != crc:
        return None
    if flags & COMPRESSED:
        inflated = _inflate(payload)
        if inflated is None:
            return None
        payload = inflated
    return Frame(kind, seq, payload, start, end)


def _inflate(payload: bytes) -> bytes | None:
    inflater = zlib.decompressobj()
    try:
        data = inflater.decompress(payload, MAX_INFLATED)
    except zlib.error:
        return None
    return data if inflater.eof else None


def scan(data: bytes | memoryview, start: int = 0) -> Iterator[Frame | Damage]:
    """Yield every good frame from `start` on, and the damage in front of one.

    Bytes behind the last good frame are not mentioned: only the caller knows whether they
    are a frame that is still being written, one that the window cuts, or a torn tail.
    """
    position = start
    while True:
        frame = frame_at(data, position) or _resync(data, position + 1)
        if frame is None:
            return
        if frame.start > position:
            yield Damage(position, frame.start)
        yield frame
        position = frame.end


def _resync(data: bytes | memoryview, start: int) -> Frame | None:
    """Return the next good frame at or after `start`.

    Payloads are JSON, whose control characters are escaped, so a frame cannot hide in one.
    """
    if start >= len(data):
        return None
    haystack = bytes(data[start:])
    position = haystack.find(MAGIC)
    while position >= 0:
        frame = frame_at(data, start + position)
        if frame is not None:
            return frame
        position = haystack.find(MAGIC, position + 1)
    return None


def encode_segment_header(first_seq: int, stream_id: bytes) -> bytes:
    """Return the 40 bytes that open a segment."""
    head = SEGMENT_HEAD.pack(SEGMENT_MAGIC, SEGMENT_FORMAT, 0, first_seq, stream_id, 0)
    return head + _CRC.pack(_crc32(head))


def decode_segment_header(data: bytes | memoryview) -> SegmentHeader | None:
    """Return what a segment says of itself, or None if those bytes are damaged.

    Nothing is lost with it: every frame carries its own sequence number.
    """
    if len(data) < SEGMENT_HEADER_SIZE:
        return None
    head = data[: SEGMENT_HEAD.size]
    (crc,) = _CRC.unpack_from(data, SEGMENT_HEAD.size)
    magic, version, flags, first_seq, stream_id, _ = SEGMENT_HEAD.unpack(head)
    if magic != SEGMENT_MAGIC or crc != _crc32(head):
        return None
    return SegmentHeader(first_seq, stream_id, version, flags)
