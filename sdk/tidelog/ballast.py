"""Room that is set aside while there is some."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from tidelog.buffer import open_private

BYTES = 64 * 1024


class Ballast:
    """A file of 64 KiB that is given up so that the end of a run can be told on a full disk."""

    def __init__(self, path: Path) -> None:  # noqa: D107
        self._path = path

    def take_in(self) -> None:
        """Write it, if there is room."""
        with contextlib.suppress(OSError):
            descriptor = open_private(self._path, os.O_WRONLY | os.O_CREAT)
            try:
                os.write(descriptor, bytes(BYTES))
            finally:
                os.close(descriptor)

    def give_up(self) -> None:
        """Remove it."""
        with contextlib.suppress(OSError):
            self._path.unlink()
