"""How the script ends, seen from inside: exit codes, exceptions and signals.

`atexit` cannot see the exit code, so `sys.exit` and `sys.excepthook` are wrapped, and go on
doing what they did. Whether what they were told is what ended the script, and was not caught
somewhere, the script's own frame knows: it returned, or it did not. Handlers for SIGTERM and
SIGHUP are chained, in the main thread only. Ctrl-C needs none: it arrives as KeyboardInterrupt.
"""

from __future__ import annotations

import atexit
import builtins
import contextlib
import os
import signal
import sys
import threading
from opcode import opname
from types import FrameType, TracebackType
from typing import Any, Protocol

from tidelog.wire.runs import RunState

SIGNALS = (signal.SIGTERM, signal.SIGHUP)


class Ending(Protocol):
    """What wants to know how the script ends."""

    def script_ended(self, state: str, code: int | None) -> None:
        """Come to an end in order: there is time. A code of None is one that nobody can see."""
        ...

    def script_killed(self, signum: int, *, deadly: bool) -> None:
        """Save what matters at once.

        deadly  the process ends right after this; otherwise the script has a handler of its own
        """
        ...


def code_of(argument: object) -> int:
    """Return the exit code that `sys.exit(argument)` means."""
    if argument is None:
        return 0
    return argument & 0xFF if isinstance(argument, int) else 1


def state_of(code: int) -> str:
    """Return what a run is called whose script ended with `code`."""
    return RunState.FINISHED.value if code == 0 else RunState.FAILED.value


class Exits:
    """Watches this process' end for the runs that were begun in it."""

    def __init__(self) -> None:  # noqa: D107
        self._watching: list[Ending] = []
        self._installed = False
        self._pid = 0
        self._code = 0
        self._state: str | None = None
        self._interrupted = False
        self._script: FrameType | None = None

    def watch(self, ending: Ending) -> None:
        """Tell `ending` when the script ends."""
        self._watching.append(ending)
        if not self._installed:
            self._installed = True
            self._pid = os.getpid()
            self._script = _script_frame()
            self._install()

    def forget(self, ending: Ending) -> None:
        """Tell it nothing any more."""
        if ending in self._watching:
            self._watching.remove(ending)

    def _install(self) -> None:
        atexit.register(self._at_exit)
        sys.excepthook = self._wrapped_hook(sys.excepthook)
        sys.exit = self._wrapped_exit(sys.exit)
        for name in ("exit", "quit"):  # what the site module offers to scripts
            if hasattr(builtins, name):
                setattr(builtins, name, self._wrapped_exit(getattr(builtins, name)))
        if threading.current_thread() is threading.main_thread():
            for signum in SIGNALS:
                self._chain(signum)

    def _wrapped_exit(self, original: Any) -> Any:
        def leave(*arguments: object) -> Any:
            if threading.current_thread() is threading.main_thread():
                self._code = code_of(arguments[0] if arguments else None)
                self._state = state_of(self._code)
            return original(*arguments)

        return leave

    def _wrapped_hook(self, original: Any) -> Any:
        def hook(
            kind: type[BaseException], error: BaseException, trace: TracebackType | None
        ) -> None:
            self._interrupted = issubclass(kind, KeyboardInterrupt)
            self._code = 130 if self._interrupted else 1
            self._state = (RunState.KILLED if self._interrupted else RunState.FAILED).value
            original(kind, error, trace)

        return hook

    def _at_exit(self) -> None:
        if os.getpid() != self._pid:  # a forked child's end is not the run's
            return
        state, code = self._verdict()
        for ending in list(self._watching):
            ending.script_ended(state, code)
        if self._interrupted:
            _die_of_interrupt()

    def _verdict(self) -> tuple[str, int | None]:
        """Return the state and the exit code that the script came to.

        Python ends a script for `raise SystemExit(n)` without telling anybody n: then the code
        is None.
        """
        if self._script and _returned(self._script):
            return RunState.FINISHED.value, 0
        if self._state is None:
            return RunState.FINISHED.value, None if self._script else 0
        return self._state, self._code

    def _chain(self, signum: int) -> None:
        previous = signal.getsignal(signum)
        if previous == signal.SIG_IGN or previous is None:
            return

        def handle(number: int, frame: FrameType | None) -> None:
            deadly = not callable(previous)
            if os.getpid() == self._pid:
                self._tell(number, deadly=deadly)
            if callable(previous):
                previous(number, frame)
            else:
                signal.signal(number, signal.SIG_DFL)
                os.kill(os.getpid(), number)

        signal.signal(signum, handle)

    def _tell(self, signum: int, *, deadly: bool) -> None:
        for ending in list(self._watching):
            ending.script_killed(signum, deadly=deadly)


def _script_frame() -> FrameType | None:
    """Return the frame that runs the script from its first line to its last, if there is one."""
    frame = sys._current_frames().get(threading.main_thread().ident or 0)
    found = None
    while frame:
        if frame.f_code.co_name == "<module>" and frame.f_globals.get("__name__") == "__main__":
            found = frame
        frame = frame.f_back
    return found


def _returned(frame: FrameType) -> bool:
    """Whether a frame that is over came to its end, and was not left by an exception."""
    return opname[frame.f_code.co_code[frame.f_lasti]].startswith("RETURN_")


def _die_of_interrupt() -> None:
    """Have the interpreter end by SIGINT, as it does after a Ctrl-C that nobody caught.

    It keeps that in a flag which any `eval` of a text clears, such as a thread's that imports a
    module with named tuples. Only the same thing happening again sets it.
    """
    with contextlib.suppress(KeyboardInterrupt):
        exec("raise KeyboardInterrupt")


exits = Exits()
