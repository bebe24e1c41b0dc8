"""One process that watches the others: it starts, restarts and stops them."""

import os
import selectors
import signal
import sys
import time
from collections.abc import Callable
from types import FrameType

from tidelog_workers.supervisor.children import Child

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
PATIENCE = 10.0
IDLE = 3600.0


class Tree:
    """The children of this process, in the order in which they were started.

    Everything happens in `run`, in one thread: a signal or a readable descriptor only wakes it.
    Children marked `last` outlive the others: the broker is there until its users are gone.
    """

    def __init__(self) -> None:
        self.children: list[Child] = []
        self.exit_code = 0
        self._stopping = 0
        self._wakeup, writer = os.pipe()
        os.set_blocking(self._wakeup, False)
        os.set_blocking(writer, False)
        self._selector = selectors.DefaultSelector()
        self.watch(self._wakeup, lambda: os.read(self._wakeup, 4096))
        signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, _noted)
        for number in STOP_SIGNALS:
            if signal.getsignal(number) is not signal.SIG_IGN:  # as under nohup
                signal.signal(number, self._asked_to_stop)

    def start(self, child: Child) -> None:
        child.start()
        self.children.append(child)

    def watch(self, descriptor: int, read: Callable[[], object]) -> None:
        """Call `read` whenever `descriptor` is readable."""
        self._selector.register(descriptor, selectors.EVENT_READ, read)

    def unwatch(self, descriptor: int) -> None:
        self._selector.unregister(descriptor)

    def stop(self, exit_code: int = 0) -> None:
        self.exit_code = exit_code
        self._stopping += 1

    def run(self) -> int:
        """Watch until someone asks to stop, then stop everything and return the exit code."""
        try:
            while not self._stopping:
                self._wait(self._pause())
                self._notice_ended()
                self._start_due()
        finally:
            self._stop_all()
        return self.exit_code

    def _asked_to_stop(self, _number: int, _frame: FrameType | None) -> None:
        self._stopping += 1

    def _wait(self, seconds: float) -> None:
        for key, _ in self._selector.select(seconds):
            key.data()

    def _pause(self) -> float:
        due = [child.due for child in self.children if child.due is not None]
        return max(0.0, min(due) - time.monotonic()) if due else IDLE

    def _notice_ended(self) -> None:
        for child in list(self.children):
            if child.due is None and not child.alive:
                if child.then is None:
                    say(child.ended())
                else:
                    self.children.remove(child)
                    child.then(child.exit_code)

    def _start_due(self) -> None:
        for child in self.children:
            if child.due is not None and child.due <= time.monotonic():
                child.start()
                say(f"{child.name} runs again (pid {child.pid}).")

    def _stop_all(self) -> None:
        deadline = time.monotonic() + PATIENCE
        for last in (False, True):
            self._end([child for child in self.children if child.last is last], deadline)

    def _end(self, wave: list[Child], deadline: float) -> None:
        """Ask, wait, and kill what is still there: at the deadline, or when asked again."""
        for child in wave:
            child.send(signal.SIGTERM)
        asked = self._stopping
        while any(child.alive for child in wave):
            if time.monotonic() > deadline or self._stopping > asked:
                for child in wave:
                    child.send(signal.SIGKILL)
            self._wait(0.2)


def say(sentence: str) -> None:
    sys.stderr.write(f"tidelog: {sentence}\n")
    sys.stderr.flush()


def _noted(_number: int, _frame: FrameType | None) -> None:
    """Do nothing: that the signal came is what wakes the selector."""
