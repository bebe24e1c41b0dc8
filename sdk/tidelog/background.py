"""What goes on beside the training: syncing, console, system metrics, a look at the uploader."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from tidelog import capture
from tidelog.buffer import RunFolder, fsync_directory
from tidelog.console import Console
from tidelog.journal import Journal
from tidelog.launcher import Launcher
from tidelog.recorder import Recorder
from tidelog.system import SECONDS as SYSTEM_SECONDS
from tidelog.system import Sampler

TEND_SECONDS = 1.0
LOOK_SECONDS = 5.0
STOP_SECONDS = 1.0
WORTH_SAYING = ("auth", "missing", "deleted", "upgrade")


class Background:
    """The daemon threads of one run. A forked child has none of them."""

    def __init__(  # noqa: D107
        self,
        *,
        folder: RunFolder,
        journal: Journal,
        recorder: Recorder,
        launcher: Launcher | None,
        say: Callable[[str], None],
        console: bool,
        capture_git: bool,
        system: bool,
    ) -> None:
        self._folder = folder
        self._journal = journal
        self._recorder = recorder
        self._launcher = launcher
        self._say = say
        self._said: set[str] = set()
        self._stopping = threading.Event()
        self._console = Console(recorder.console) if console else None
        self._threads = [self._start(self._tend, "tidelog-journal")]
        if capture_git:
            self._start(self._capture_git, "tidelog-git")
        if system:
            self._threads.append(self._start(self._measure, "tidelog-system"))

    def _start(self, target: Callable[[], None], name: str) -> threading.Thread:
        thread = threading.Thread(target=target, name=name, daemon=True)
        thread.start()
        return thread

    def _tend(self) -> None:
        self._journal.ballast()
        self._make_durable()
        looked_at = time.monotonic()
        while not self._stopping.wait(TEND_SECONDS):
            if self._console:
                self._console.hand_over()
            self._journal.tend()
            if time.monotonic() - looked_at >= LOOK_SECONDS:
                looked_at = time.monotonic()
                self._look_at_uploader()

    def _make_durable(self) -> None:
        """Sync `run.json`, which `init` had no time for."""
        try:
            descriptor = os.open(self._folder.run_file, os.O_RDONLY | os.O_CLOEXEC)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
            fsync_directory(self._folder.path)
        except OSError:  # it is in the page cache, which is all that a kill can ask for
            return

    def _look_at_uploader(self) -> None:
        if not self._launcher:
            return
        try:
            self._launcher.ensure()
        except (OSError, NotImplementedError) as error:
            self._say_once("launch", f"the uploader does not start: {error}")
        status = self._folder.status()
        if status.get("state") in WORTH_SAYING:
            self._say_once(status["state"], str(status.get("message")))

    def _say_once(self, kind: str, sentence: str) -> None:
        if kind not in self._said:
            self._said.add(kind)
            self._say(sentence)

    def _capture_git(self) -> None:
        found = capture.git()
        if found:
            self._recorder.set("environment", _under("git", found))

    def _measure(self) -> None:
        sampler: Sampler | None = None
        while not self._stopping.wait(SYSTEM_SECONDS):
            sampler = sampler or Sampler()
            self._recorder.system(sampler.sample())

    def stop(self) -> None:
        """Let the threads end and give the console back."""
        self._stopping.set()
        if self._console:
            self._console.stop()
        for thread in self._threads:
            if thread is not threading.current_thread():
                thread.join(STOP_SECONDS)


def _under(prefix: str, content: Mapping[str, Any]) -> list[tuple[str, Any]]:
    return [(f"{prefix}/{name}", value) for name, value in content.items()]
