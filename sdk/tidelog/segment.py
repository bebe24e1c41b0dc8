"""One segment file while it is being written."""

from __future__ import annotations

import errno
import os
import struct
import time
import zlib
from pathlib import Path

from tidelog.buffer import open_private
from tidelog.wire import frames

_head = struct.Struct("<2sBBIQ").pack
_crc = struct.Struct("<I").pack
_crc32 = zlib.crc32
_write = os.write
_sync = getattr(os, "fdatasync", os.fsync)  # macOS has only the latter


class Segment:
    """An append-only file of whole frames.

    A frame is written whole or not at all, and `following` moves exactly when one was: also
    when a signal handler raises between the write and its bookkeeping.

    following  the sequence number that the next frame gets
    size       bytes of whole frames
    """

    __slots__ = ("descriptor", "following", "opened_at", "size")

    def __init__(self, path: Path, *, first: int, stream_id: str) -> None:
        """Create the file with its header. Raises OSError and leaves nothing behind."""
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND
        self.descriptor = open_private(path, flags)
        header = frames.encode_segment_header(first, bytes.fromhex(stream_id))
        try:
            if _write(self.descriptor, header) != len(header):
                raise OSError(errno.ENOSPC, "no room for a new segment")
        except OSError:
            os.close(self.descriptor)
            path.unlink()
            raise
        self.size = len(header)
        self.following = first
        self.opened_at = time.monotonic()

    @property
    def is_empty(self) -> bool:
        """Whether it has no frame yet."""
        return self.size <= frames.SEGMENT_HEADER_SIZE

    def append(self, kind: int, payload: bytes) -> None:
        """Write one frame. Raises OSError if the disk refuses, FrameError if it is too large."""
        if len(payload) > frames.COMPRESS_ABOVE:
            frame = frames.encode_frame(kind, self.following, payload)
        else:
            head = _head(b"TL", kind, 0, len(payload), self.following)
            frame = head + _crc(_crc32(payload, _crc32(head))) + payload
        try:
            written = _write(self.descriptor, frame)
            if written != len(frame):
                written += _write(self.descriptor, frame[written:])
            if written == len(frame):
                self.size += written
                self.following += 1
                return
        except OSError:
            os.ftruncate(self.descriptor, self.size)
            raise
        except BaseException:  # Ctrl-C between a write and its bookkeeping: the file knows
            self._reconcile(len(frame))
            raise
        os.ftruncate(self.descriptor, self.size)
        raise OSError(errno.ENOSPC, "the disk takes only part of a record")

    def _reconcile(self, length: int) -> None:
        grown = os.fstat(self.descriptor).st_size - self.size
        if grown == length:
            self.size += length
            self.following += 1
        elif grown:
            os.ftruncate(self.descriptor, self.size)

    def sync(self) -> None:
        """Make it durable. Takes as long as the disk does."""
        _sync(self.descriptor)

    def close(self) -> None:
        """Let go of the file."""
        os.close(self.descriptor)
