"""A real `tidelog up` for tests: on a free port, in a directory of its own."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil

from tidelog_workers.supervisor.children import die_with_parent

PATIENCE = 60.0
COMMAND = (
    "import sys; from tidelog_workers import cli; sys.exit(getattr(cli, sys.argv[1])(sys.argv[2:]))"
)
# What the shell that runs the tests says of servers must not reach the one under test.
FOREIGN = ("TIDELOG_URL", "TIDELOG_API_KEY", "TIDELOG_PROJECT", "DATABASE_URL", "REDIS_URL")


def until(true: Callable[[], Any], what: str, *, patience: float = PATIENCE) -> Any:
    """Return the first true answer; fail if none came in time."""
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        if answer := true():
            return answer
        time.sleep(0.05)
    raise AssertionError(f"{what}: not within {patience:g} s")


def environment(folder: Path, **more: str) -> dict[str, str]:
    """Return an environment whose Tidelog lives in `folder` only."""
    kept = {name: value for name, value in os.environ.items() if name not in FOREIGN}
    own = {"TIDELOG_CONFIG_DIR": str(folder / "config"), "TIDELOG_DIR": str(folder / "buffer")}
    return {**kept, **own, **more}


class Serving:
    """A server and all its processes. Use it in a `with` block, which leaves none behind."""

    def __init__(self, folder: Path, *arguments: str, command: str = "up", **env: str) -> None:
        self.folder = folder
        self.env = environment(folder, **env)
        # The last --port counts, so a test can name its own.
        words = ("--port", "0", "--data-dir", str(folder / "data"), "--json", *arguments)
        self.process = subprocess.Popen(
            [sys.executable, "-c", COMMAND, command, *words],
            env=self.env,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            preexec_fn=die_with_parent,  # noqa: PLW1509  nothing outlives a test run that is killed
        )
        self.out: list[str] = []
        self.said: list[str] = []
        self._readers = [
            threading.Thread(target=self._read, args=(stream, lines), daemon=True)
            for stream, lines in ((self.process.stdout, self.out), (self.process.stderr, self.said))
        ]
        for reader in self._readers:
            reader.start()

    def _read(self, stream: Any, lines: list[str]) -> None:
        with stream:
            lines.extend(iter(stream.readline, ""))

    def __enter__(self) -> "Serving":
        until(lambda: self.out or self.process.poll() is not None, "the server is ready")
        assert self.out, "".join(self.said)
        self.banner = json.loads(self.out[0])
        self.url: str = self.banner["url"]
        self.family = self.processes()
        return self

    def __exit__(self, *_: object) -> None:
        # Not SIGINT: a shell's background jobs are started with it ignored, and so are theirs.
        self.stop(signal.SIGTERM)

    def processes(self) -> list[psutil.Process]:
        supervisor = psutil.Process(self.process.pid)
        return [supervisor, *supervisor.children(recursive=True)]

    def stop(self, number: signal.Signals = signal.SIGINT) -> int:
        """Ask it to stop, and return its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.ended()

    def ended(self) -> int:
        """Wait until it is gone, and return its exit code."""
        try:
            code = self.process.wait(PATIENCE)
        finally:
            if self.process.poll() is None:
                os.killpg(self.process.pid, signal.SIGKILL)
        for reader in self._readers:
            reader.join(PATIENCE)
        return code

    def get(self, path: str, *, key: str | None = None) -> tuple[int, bytes]:
        request = urllib.request.Request(self.url + path)
        if key is not None:
            request.add_header("Authorization", f"Bearer {key}")
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read()

    def api(self, path: str) -> Any:
        status, body = self.get(f"/api/v1{path}", key=self.banner["api_key"])
        assert status == 200, (path, status, body)
        return json.loads(body)

    def child(self, name: str) -> psutil.Process:
        return psutil.Process(self.banner["pids"][name])

    def heard(self, text: str) -> bool:
        return any(text in line for line in self.said)


def all_gone(processes: list[psutil.Process]) -> bool:
    return not psutil.wait_procs(processes, timeout=0)[1]
