"""A run, as the training script sees it."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from tidelog import capture
from tidelog.attributes import Attributes, as_config
from tidelog.background import Background
from tidelog.buffer import Buffer
from tidelog.exits import code_of, exits, state_of
from tidelog.journal import Journal
from tidelog.launcher import Launcher
from tidelog.process import boot_id, flat, host, new_run_id, say
from tidelog.quota import Quota
from tidelog.recorder import Recorder
from tidelog.settings import VERSION, Settings, key_hint
from tidelog.wire.runs import RunState, default_name, is_run_id

FINISH_SECONDS = 15.0
GIVE_UP_SECONDS = 4.0
POLL_SECONDS = 0.02
MEMORY_BYTES = 16 * 1024 * 1024
DURABILITIES = ("process", "power")


class Run:
    """One training job. Made by `tidelog.init`; ends with `finish`, a `with` block or the script.

    Nothing here waits for the network, and nothing raises for a bad value: everything is in a
    file on this machine before a method returns, and another process sends it.

    id       names the run for ever, in URLs and in the buffer
    name     what people call it
    config   what the run was given: a dict whose changes are recorded
    summary  what it came to: likewise
    """

    def __init__(  # noqa: D107
        self,
        settings: Settings,
        *,
        name: str | None = None,
        durability: str = "process",
        strict: bool = False,
    ) -> None:
        if durability not in DURABILITIES:
            raise ValueError(f"durability is {durability!r}; it can be {', '.join(DURABILITIES)}")
        self.settings = settings
        self.id = settings.run_id or new_run_id()
        if not is_run_id(self.id):
            raise ValueError(f"run id {self.id!r}: use 1 to 64 of letters, digits, . _ -")
        self.name = name or default_name(self.id)
        self.mode = settings.mode
        self.finished = False
        self._folder = Buffer(settings.directory).run(self.id)
        self._journal = self._new_journal(durable=durability == "power")
        self._recorder = Recorder(self._journal, say=say, strict=strict)
        self._launcher: Launcher | None = None
        self._background: Background | None = None
        self.config = Attributes(self._setter("config"), self._recorder.note)
        self.summary = Attributes(self._setter("summary"), self._recorder.note)

    def _new_journal(self, *, durable: bool) -> Journal:
        return Journal(
            self._folder,
            opening=self._opening,
            renewed=self._renewed,
            say=say,
            quota=Quota(Buffer(self.settings.directory), self.settings.limit),
            durable=durable,
        )

    def _renewed(self) -> None:
        if hasattr(self, "_recorder"):
            self._recorder.renewed()

    def _setter(self, kind: str) -> Any:
        return lambda ops: self._recorder.set(kind, ops)

    # --- beginning -----------------------------------------------------------------------

    def begin(
        self,
        *,
        given_name: str | None,
        config: Any,
        attributes: Mapping[str, Any],
        console: bool,
        capture_environment: bool,
        system: bool,
    ) -> None:
        """Open the journal, write down what is known, and start what goes on beside."""
        if self.mode == "disabled":
            self._journal.closed = True
            return
        self._pid = os.getpid()
        self._open_somewhere(given_name)
        self._describe(given_name, config, attributes)
        if capture_environment:
            self._recorder.set("environment", flat(capture.environment()))
        self._launch()
        self._announce()
        self._background = Background(
            folder=self._folder,
            journal=self._journal,
            recorder=self._recorder,
            launcher=self._launcher,
            say=say,
            console=console,
            capture_git=capture_environment,
            system=system,
        )
        exits.watch(self)

    def _open_somewhere(self, name: str | None) -> None:
        """Open the journal in the buffer; else in a temporary directory; else in memory."""
        try:
            self._open(name)
        except OSError as error:
            place = self.settings.directory
            reason = error.strerror or str(error)
            try:
                self._fall_back(name)
                say(f"cannot write to {place} ({reason}); using {self._buffer_path} instead")
            except OSError:
                say(f"cannot write to {place} ({reason}); keeping what fits in memory")

    def _open(self, name: str | None) -> None:
        self._folder.describe(self._run_file(name), durable=False)
        self._journal.open()

    def _fall_back(self, name: str | None) -> None:
        place, limit = _temporary_place()
        self._folder = Buffer(place).run(self.id)
        self._journal.quota = Quota(Buffer(place), limit or self.settings.limit)
        self._journal.move(self._folder)
        self._open(name)

    @property
    def _buffer_path(self) -> Path:
        return self._folder.path.parent.parent.parent

    def _run_file(self, name: str | None) -> dict[str, Any]:
        sends = self.mode == "online"
        return {
            "v": 1,
            "run": self.id,
            "team": self.settings.team,
            "project": self.settings.project,
            "name": name,
            "server": self.settings.url if self.settings.given or self.settings.key else None,
            "created": time.time(),
            "sdk": VERSION,
            "key_hint": key_hint(self.settings.key) if sends else None,
        }

    def _opening(self) -> dict[str, Any]:
        mine = os.getpid() == getattr(self, "_pid", os.getpid())
        return {
            "run": self.id,
            "pid": os.getpid(),
            "host": host(),
            "rank": self.settings.rank,
            "primary": self.settings.primary and mine,
            "sdk": VERSION,
            "wall": time.time_ns() // 1_000_000,
            "mono": time.monotonic_ns() // 1_000_000,
            "boot_id": boot_id(),
        }

    def _describe(self, name: str | None, config: Any, attributes: Mapping[str, Any]) -> None:
        self.config.update(as_config(config))
        if name is not None:
            self._recorder.set("name", [("", name)])
        for kind, value in attributes.items():
            if value is not None:
                self._recorder.set(kind, [("", value)])

    def _launch(self) -> None:
        if self.mode != "online":
            return
        if not self.settings.key:
            say(f"no API key for {self.settings.url}, recording to disk only; see `tidelog login`")
            return
        self._launcher = Launcher(
            Buffer(self._buffer_path), url=self.settings.url, key=self.settings.key
        )
        try:
            self._launcher.ensure()
        except (OSError, NotImplementedError) as error:
            say(f"the uploader does not start ({error}); the run is recorded on disk")

    def _announce(self) -> None:
        say(f"run {self.name}" + (f" at {self.url}" if self._launcher and self.url else ""))
        say(f"recorded in {self._folder.path}")

    # --- what scripts use ----------------------------------------------------------------

    def log(self, data: Mapping[str, Any], step: float | None = None) -> None:
        """Record numbers. They survive this process once this returns.

        data  {key: number}; nested dicts become "a/b"; NaN and infinities are values
        step  any finite number; it may repeat, skip or go back. Left out: the last one plus 1
        """
        self._recorder.log(data, step)

    @property
    def project(self) -> str:
        """The project's slug."""
        return self.settings.project

    @property
    def dir(self) -> Path:
        """Where the run is recorded on this machine."""
        return self._folder.path

    @property
    def url(self) -> str | None:
        """The run's page, or None while nobody has said which team it belongs to."""
        team = self.settings.team
        if team:
            return f"{self.settings.url}/{team}/{self.settings.project}/runs/{self.id}"
        path = self._folder.status().get("path")
        return f"{self.settings.url}{path}" if isinstance(path, str) else None

    def finish(self, exit_code: int | None = None, *, timeout: float = FINISH_SECONDS) -> None:
        """End the run and wait until the server has it, but no longer than `timeout` seconds.

        exit_code  0 (the default) says finished, anything else failed

        What could not be sent stays on disk, and the way to send it is printed.
        """
        code = 0 if exit_code is None else exit_code
        self._end(state_of(code), code, timeout=timeout)

    def __enter__(self) -> Run:
        """Begin a block at whose end the run ends."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the run as the block ended."""
        if isinstance(error, SystemExit):
            code = code_of(error.code)
            self._end(state_of(code), code)
        elif isinstance(error, KeyboardInterrupt):
            self._end(RunState.KILLED.value, 130)
        else:
            self._end(state_of(int(error is not None)), int(error is not None))

    def __repr__(self) -> str:
        """Name the run."""
        return f"<Run {self.name} {self.id} {self.mode}>"

    # --- ending --------------------------------------------------------------------------

    def script_ended(self, state: str, code: int | None) -> None:
        """End with the script."""
        self._end(state, code)

    def script_killed(self, signum: int, *, deadly: bool) -> None:
        """Save what matters before a signal does what it does."""
        self._journal.when_free(lambda: self._last_words(signum, deadly=deadly))

    def _last_words(self, signum: int, *, deadly: bool) -> None:
        if deadly:
            self._journal.close(self._finish_record(RunState.KILLED.value, 128 + signum))
        else:
            self._recorder.event("preempting", signal=signum)
            self._journal.sync()

    def _finish_record(self, state: str, code: int | None) -> Any:
        def record(dropped: Counter[str]) -> dict[str, Any]:
            lost = {**dropped, **self._recorder.bad}
            now = time.time_ns() // 1_000_000
            return {"t": now, "state": state, "exit": code, "dropped": lost}

        return record

    def _end(self, state: str, code: int | None, *, timeout: float = FINISH_SECONDS) -> None:
        if self.finished or self.mode == "disabled":
            self.finished = True
            return
        self.finished = True
        deadline = time.monotonic() + timeout
        exits.forget(self)
        if self._background and os.getpid() == self._pid:
            self._background.stop()
        self._journal.close(self._finish_record(state, code))
        self._recorder.end()
        if os.getpid() == self._pid:
            self._wait_until_sent(deadline)

    def _wait_until_sent(self, deadline: float) -> None:
        patience = time.monotonic() + GIVE_UP_SECONDS
        while self._launcher and not self._is_sent() and time.monotonic() < deadline:
            trouble = self._folder.status().get("state", "ok") != "ok"
            if trouble and time.monotonic() > patience:
                break
            if self._folder.status().get("state") in ("auth", "missing", "deleted", "upgrade"):
                break
            time.sleep(POLL_SECONDS)
        self._report()

    def _is_sent(self) -> bool:
        following = self._journal.stream.ack().get("next", -1)
        return isinstance(following, int) and following >= self._journal.seq > 0

    def _report(self) -> None:
        if self._is_sent():
            say(f"run {self.name} is at {self.url}" if self.url else f"run {self.name} is stored")
            return
        message = self._folder.status().get("message")
        if self._launcher and message:
            say(str(message))
        say(f"what is left is on disk; send it with: tidelog sync {self._folder.path}")


def _temporary_place() -> tuple[Path, int | None]:
    """Return a fresh directory, and how large it may grow if it lies in memory."""
    import tempfile

    try:
        return Path(tempfile.mkdtemp(prefix="tidelog-")), None
    except OSError:
        return Path(tempfile.mkdtemp(prefix="tidelog-", dir="/dev/shm")), MEMORY_BYTES
