"""The sockets that show the same place."""

import asyncio

from tidelog_server.live.outbox import Outbox

INTERVAL = 0.1
# What one commit publishes, a row and its points, comes within a millisecond: let it go together.
GATHER = 0.003


class Circle:
    """Hands each frame to all its sockets, and tells them together to send, ten times a second.

    One timer for all: it costs as much for five hundred sockets as for one. The first frame after
    a silence goes at once.
    """

    def __init__(self) -> None:
        self.outboxes: set[Outbox] = set()
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._struck_at = float("-inf")

    def put(self, frame: bytes) -> None:
        for outbox in self.outboxes:
            outbox.put(frame)
        if self._timer is None:
            now = self._loop.time()
            due = max(now + GATHER, self._struck_at + INTERVAL)
            self._timer = self._loop.call_at(due, self._strike)

    def _strike(self) -> None:
        self._timer = None
        self._struck_at = self._loop.time()
        for outbox in self.outboxes:
            outbox.send_soon()
