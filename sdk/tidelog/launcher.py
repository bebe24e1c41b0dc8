"""Starting the uploader: one small process for a buffer directory, a server and a key."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from tidelog.buffer import Buffer, is_held, make_directory
from tidelog.settings import config_directory, key_hint

# `python -m` would look for every module in the working directory first, where scripts have a
# `requests.py` or a `queue.py` of their own. `-P` does this from Python 3.11 on.
# Training comes first where processors are short, also while we begin.
BOOT = """\
import os, sys
os.nice(5)
here = os.getcwd()
sys.path[:] = [sys.argv[1], *(p for p in sys.path if p and os.path.abspath(p) != here)]
from tidelog.uploader import start
start(sys.argv[3:])
"""


class Launcher:
    """Keeps an uploader running for as long as the training asks for it.

    `ensure` costs a system call when one is there already. The uploader leaves its parent at
    once (it outlives the training), so all that is ever waited for is a child that has ended.
    """

    def __init__(self, buffer: Buffer, *, url: str, key: str) -> None:  # noqa: D107
        self._buffer = buffer
        self._url = url
        self._key = key
        self._lock = buffer.uploader_lock(url, key_hint(key) or "")
        self._child = 0

    def ensure(self) -> None:
        """Start the uploader unless one is at work."""
        self._reap()
        if self._child or is_held(self._lock) or not sys.executable:
            return
        make_directory(self._buffer.path)
        self._child = self._spawn()

    def _spawn(self) -> int:
        source = str(Path(__file__).resolve().parent.parent)
        name = "tidelog.uploader"  # for those who list processes
        argv = [sys.executable, "-c", BOOT, source, name, str(self._buffer.path), self._url]
        log = str(self._buffer.path / "uploader.log")
        append = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        files = [
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, log, append, 0o600),
            (os.POSIX_SPAWN_DUP2, 1, 2),
        ]
        return os.posix_spawn(
            sys.executable, argv, self._environment(), file_actions=files, setsid=True
        )

    def _environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "TIDELOG_CONFIG_DIR": str(config_directory().absolute()),
            "TIDELOG_API_KEY": self._key,
        }

    def _reap(self) -> None:
        if not self._child:
            return
        try:
            done, _ = os.waitpid(self._child, os.WNOHANG)
        except ChildProcessError:  # the script waits for children of its own
            done = self._child
        if done:
            self._child = 0
