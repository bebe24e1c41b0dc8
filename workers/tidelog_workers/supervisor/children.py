"""Processes that end with the one that started them."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

PR_SET_PDEATHSIG = 1
FIRST_PAUSE = 0.5
LONGEST_PAUSE = 30.0
STEADY = 60.0
# Our own modules, whatever lies in the directory that the command was typed in.
PYTHON = (sys.executable, "-P", "-m")

_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


def die_with_parent() -> None:
    """Ask the kernel for SIGTERM when the parent is gone, however it went. Linux only."""
    if _libc is not None:
        _libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


@dataclass(slots=True, kw_only=True)
class Child:
    """A process in a group of its own, which is started again when it ends by itself.

    Or, if it is meant to end, what follows.

    name      what people call it
    argv      its command
    env       its environment
    fds       descriptors that it inherits
    then      called with its exit code when it ends, in place of starting it again
    last      whether it outlives the others when all are stopped
    """

    name: str
    argv: Sequence[str]
    env: Mapping[str, str]
    fds: Sequence[int] = ()
    then: Callable[[int], None] | None = None
    last: bool = False
    process: subprocess.Popen[bytes] | None = None
    failures: int = 0
    due: float | None = None
    since: float = field(default=0.0)

    def start(self) -> None:
        self.due = None
        self.since = time.monotonic()
        self.process = subprocess.Popen(
            self.argv,
            env=dict(self.env),
            stdin=subprocess.DEVNULL,
            pass_fds=self.fds,
            start_new_session=True,
            preexec_fn=die_with_parent,  # noqa: PLW1509  the supervisor has one thread only
        )

    @property
    def pid(self) -> int | None:
        return None if self.process is None else self.process.pid

    @property
    def alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    @property
    def exit_code(self) -> int:
        """Its exit code; the negative number of the signal that killed it."""
        assert self.process is not None
        return self.process.returncode

    def send(self, number: signal.Signals) -> None:
        """Signal the whole group: a child may have children."""
        if self.process is not None and self.process.returncode is None:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, number)

    def ended(self) -> str:
        """Say how the process went, and decide when it is started again."""
        assert self.process is not None
        code = self.exit_code
        how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with {code}"
        pause = self._pause()
        self.due = time.monotonic() + pause
        return f"{self.name} (pid {self.process.pid}) {how}; starting it again in {pause:g} s."

    def _pause(self) -> float:
        self.failures = 0 if time.monotonic() - self.since > STEADY else self.failures + 1
        return min(FIRST_PAUSE * 2.0 ** max(self.failures - 1, 0), LONGEST_PAUSE)
