"""Where records wait while the disk refuses them."""

from __future__ import annotations

from collections import Counter, deque

from tidelog.wire.frames import FrameType

RING_BYTES = 16 * 1024 * 1024
RESERVE = 1024 * 1024
EXPENDABLE = {FrameType.METRICS, FrameType.SYSTEM, FrameType.CONSOLE}


class Ring:
    """At most 16 MiB of records in their order; the newest is what finds no room.

    What describes the run (config, its end) has another megabyte.
    """

    def __init__(self) -> None:  # noqa: D107
        self._records: deque[tuple[int, bytes]] = deque()
        self._bytes = 0

    def __bool__(self) -> bool:
        """Whether something waits."""
        return bool(self._records)

    def keep(self, kind: int, payload: bytes) -> bool:
        """Let a record wait; False if it finds no room."""
        limit = RING_BYTES if kind in EXPENDABLE else RING_BYTES + RESERVE
        if self._bytes + len(payload) > limit:
            return False
        self._records.append((kind, payload))
        self._bytes += len(payload)
        return True

    def first(self) -> tuple[int, bytes]:
        """Return the record that has waited longest."""
        return self._records[0]

    def remove_first(self) -> None:
        """Forget it: it was written."""
        _, payload = self._records.popleft()
        self._bytes -= len(payload)

    def give_up_points(self) -> Counter[int]:
        """Forget everything but what describes the run; return how many, by type."""
        gone = Counter(kind for kind, _ in self._records if kind in EXPENDABLE)
        self._records = deque(each for each in self._records if each[0] not in EXPENDABLE)
        self._bytes = sum(len(payload) for _, payload in self._records)
        return gone
