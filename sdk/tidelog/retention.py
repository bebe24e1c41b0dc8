"""What is kept of what the server has confirmed.

Acked segments stay until a day after the run's end was acked, or up to 256 MiB a run, so that
a server restored from a backup can be given again what it lost.
"""

from __future__ import annotations

import shutil
import time
from itertools import pairwise
from pathlib import Path

from tidelog.buffer import RunFolder, StreamFolder

KEEP_BYTES = 256 * 1024 * 1024
KEEP_SECONDS = 24 * 3600.0


def acked_segments(stream: StreamFolder, following: int, *, ended: bool = False) -> list[Path]:
    """Return the segments wholly below `following`, the oldest first.

    ended  whether the stream was acked to its end: else the last one may still grow
    """
    segments = stream.segments()
    acked = [path for (_, path), (after, _) in pairwise(segments) if after <= following]
    return acked + [path for _, path in segments[-1:] if ended]


def trim(stream: StreamFolder, following: int, *, keep: int = KEEP_BYTES) -> int:
    """Unlink the oldest acked segments beyond `keep` bytes; return how many."""
    acked = acked_segments(stream, following)
    held = sum(path.stat().st_size for path in acked)
    gone = 0
    for path in acked:
        if held <= keep:
            break
        held -= path.stat().st_size
        path.unlink()
        gone += 1
    return gone


def is_over(run: RunFolder, *, now: float, keep: float = KEEP_SECONDS) -> bool:
    """Whether every stream of a run ended, was acked to its end, and that `keep` seconds ago."""
    streams = run.streams()
    acks = [stream.ack() for stream in streams]
    return bool(streams) and all(
        ack.get("done") is True and now - float(ack.get("at", now)) > keep for ack in acks
    )


def forget(run: RunFolder) -> bool:
    """Remove a run that is over from the disk, unless something of it was never accepted."""
    if not is_over(run, now=time.time()) or run.quarantine.exists() or run.rejects.exists():
        return False
    if any(stream.is_alive() for stream in run.streams()):
        return False
    shutil.rmtree(run.path, ignore_errors=True)
    return True
