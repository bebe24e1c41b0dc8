"""Where records wait while the disk refuses them."""

from __future__ import annotations

from collections import Counter, deque
from typing import Any

from tidelog.wire.frames import FrameType

RING_BYTES = 16 * 1024 * 1024
RESERVE = 1024 * 1024
EXPENDABLE = {FrameType.METRICS, FrameType.SYSTEM, FrameType.CONSOLE}


class Ring:
    """At most 16 MiB of records in their order; the newest is what finds no room.

    What describes the run (config, its end) has another megabyte.

    dropped  how many found no room, by type
    """

    def __init__(self) -> None:  # noqa: D107
        self.dropped: Counter[int] = Counter()
        self._records: deque[tuple[int, bytes]] = deque()
        self._bytes = 0

    def __bool__(self) -> bool:
        """Whether something waits."""
        return bool(self._records)

    def keep(self, kind: int, payload: bytes) -> None:
        """Let a record wait, or count it."""
        limit = RING_BYTES if kind in EXPENDABLE else RING_BYTES + RESERVE
        if self._bytes + len(payload) > limit:
            self.dropped[kind] += 1
            return
        self._records.append((kind, payload))
        self._bytes += len(payload)

    def first(self) -> tuple[int, bytes]:
        """Return the record that has waited longest."""
        return self._records[0]

    def remove_first(self) -> None:
        """Forget it: it was written."""
        _, payload = self._records.popleft()
        self._bytes -= len(payload)

    def give_up_points(self) -> None:
        """Drop and count everything but what describes the run."""
        self.dropped.update(kind for kind, _ in self._records if kind in EXPENDABLE)
        self._records = deque(each for each in self._records if each[0] not in EXPENDABLE)
        self._bytes = sum(len(payload) for _, payload in self._records)

    def drops(self) -> dict[str, Any]:
        """Return what a DROPPED record says; {} if nothing was dropped."""
        if not self.dropped:
            return {}
        kinds = {_name(kind): count for kind, count in self.dropped.items()}
        return {"n": self.dropped.total(), "why": "disk_full", "kinds": kinds}


def _name(kind: int) -> str:
    try:
        return FrameType(kind).name.lower()
    except ValueError:
        return str(kind)
