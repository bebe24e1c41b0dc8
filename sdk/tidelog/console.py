"""What the script prints, recorded line by line while it goes on appearing as before."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from typing import Any

from tidelog import redact

FLUSH_CHARACTERS = 64 * 1024


class Tee:
    """A text stream that also hands over what is written to it.

    Everything but `write` is the original's business. In a forked child nothing is recorded.

    take  called with whole lines, or with what has gathered for a while
    """

    def __init__(self, original: Any, take: Callable[[str], None]) -> None:  # noqa: D107
        self._original = original
        self._take = take
        self._gathered: list[str] = []
        self._size = 0
        self._lock = threading.RLock()
        self._pid = os.getpid()
        self._open = True

    def write(self, text: Any) -> Any:
        """Write to the original, and record."""
        result = self._original.write(text)
        if self._open and isinstance(text, str) and text and os.getpid() == self._pid:
            self._gather(text)
        return result

    def writelines(self, lines: Any) -> None:
        """Write each line."""
        for line in lines:
            self.write(line)

    def _gather(self, text: str) -> None:
        with self._lock:
            self._gathered.append(text)
            self._size += len(text)
            whole = "\n" in text or self._size > FLUSH_CHARACTERS
        if whole:
            self.hand_over()

    def hand_over(self) -> None:
        """Record what has gathered, though its line may not be whole yet."""
        with self._lock:
            text, self._gathered, self._size = "".join(self._gathered), [], 0
        for start in range(0, len(text), FLUSH_CHARACTERS // 4):
            self._take(redact.text(text[start : start + FLUSH_CHARACTERS // 4]))

    def stop(self) -> None:
        """Go on as the original only."""
        self.hand_over()
        self._open = False

    def __getattr__(self, name: str) -> Any:  # noqa: D105
        return getattr(self._original, name)

    def __iter__(self) -> Any:  # noqa: D105
        return iter(self._original)


class Console:
    """Stdout and stderr of this process, recorded until `stop`.

    record  called with (1 for stdout or 2 for stderr, text)
    """

    def __init__(self, record: Callable[[int, str], None]) -> None:  # noqa: D107
        self._tees = {
            "stdout": Tee(sys.stdout, lambda text: record(1, text)),
            "stderr": Tee(sys.stderr, lambda text: record(2, text)),
        }
        for name, tee in self._tees.items():
            if getattr(sys, name) is not None:
                setattr(sys, name, tee)

    def hand_over(self) -> None:
        """Record unfinished lines, such as a progress bar's."""
        for tee in self._tees.values():
            tee.hand_over()

    def stop(self) -> None:
        """Give the streams back, unless somebody else has replaced them since."""
        for name, tee in self._tees.items():
            tee.stop()
            if getattr(sys, name) is tee:
                setattr(sys, name, tee._original)
