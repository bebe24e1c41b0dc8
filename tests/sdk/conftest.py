import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.sdk.fake_server import KEY, FakeServer

from tidelog.settings import Credentials

ROOT = Path(__file__).parents[2]


def eventually(claim: Callable[[], object], *, seconds: float = 20) -> None:
    """Wait until `claim` holds; fail if it does not in time."""
    deadline = time.monotonic() + seconds
    while not claim():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


@pytest.fixture
def buffer(tmp_path: Path) -> Path:
    return tmp_path / "buffer"


@pytest.fixture
def environment(tmp_path: Path, buffer: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """What a training process is started with: nothing of ours but an empty buffer."""
    names = [name for name in os.environ if name.startswith("TIDELOG_")]
    for name in names:
        monkeypatch.delenv(name)
    ours = {"TIDELOG_DIR": str(buffer), "TIDELOG_CONFIG_DIR": str(tmp_path / "config")}
    for name, value in ours.items():
        monkeypatch.setenv(name, value)
    return {**os.environ, **ours, "PYTHONPATH": f"{ROOT / 'sdk'}:{ROOT}"}


@pytest.fixture
def server() -> Iterator[FakeServer]:
    fake = FakeServer()
    yield fake
    fake.close()


@pytest.fixture
def online(environment: dict[str, str], server: FakeServer, tmp_path: Path) -> dict[str, str]:
    """The same, signed in to the server."""
    path = tmp_path / "config" / "credentials.json"
    Credentials(path).remember(url=server.url, key=KEY, team="acme")
    return environment


@pytest.fixture(autouse=True)
def no_uploader_is_left(buffer: Path) -> Iterator[None]:
    yield
    for lock in buffer.glob("uploader-*.lock"):
        for pid in holders(lock):
            os.kill(pid, signal.SIGKILL)


def holders(lock: Path) -> list[int]:
    """The processes that hold a lock, as the kernel lists them."""
    inode = lock.stat().st_ino
    lines = Path("/proc/locks").read_text().splitlines()
    found = [line.split() for line in lines if line.split()[5].endswith(f":{inode}")]
    return [int(fields[4]) for fields in found if int(fields[4]) > 0]


class Script:
    """A training script in a process of its own."""

    def __init__(self, source: str, environment: dict[str, str], directory: Path) -> None:
        self.path = directory / "train.py"
        self.path.write_text(source)
        self.process = subprocess.Popen(
            [sys.executable, str(self.path)],
            env=environment,
            cwd=directory,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def ends(self, *, seconds: float = 60) -> "Script":
        self.out, self.err = self.process.communicate(timeout=seconds)
        self.code = self.process.returncode
        return self


@pytest.fixture
def train(tmp_path: Path) -> Iterator[Callable[[str, dict[str, str]], Script]]:
    started: list[Script] = []

    def start(source: str, environment: dict[str, str]) -> Script:
        started.append(Script(source, environment, tmp_path))
        return started[-1]

    yield start
    for script in started:
        if script.process.poll() is None:
            script.process.kill()
        script.process.communicate()


@pytest.fixture
def tidelog(environment: dict[str, str]) -> Callable[..., subprocess.CompletedProcess[str]]:
    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = "import sys; from tidelog.cli import main; sys.exit(main())"
        return subprocess.run(
            [sys.executable, "-c", command, *arguments],
            check=False,
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
        )

    return run
