"""Run a command beside a real Postgres and a real Redis of its own.

    python tests/with_services.py pytest tests/server

Both live in a temporary directory, listen on free loopback ports, and are gone when the command
ends. DATABASE_URL and REDIS_URL tell the command where they are.
"""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

PATIENCE = 60.0  # seconds a server may take to answer its first request


def free_port() -> int:
    """Return a TCP port that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def find_program(name: str, *, beside: str = "") -> str:
    """Return the path of `name`, from PATH or from the newest folder that matches `beside`."""
    folders = sorted(Path("/").glob(beside), reverse=True) if beside else []
    for folder in folders:
        if (folder / name).exists():
            return str(folder / name)
    found = shutil.which(name)
    if found is None:
        sys.exit(f"{name} is not installed. On Debian: apt-get install postgresql redis-server")
    return found


def wait_until(ready: Callable[[], bool], *, server: subprocess.Popen[bytes], name: str) -> None:
    """Return once `ready()`; exit with a sentence if the server dies or takes too long."""
    deadline = time.monotonic() + PATIENCE
    while not ready():
        if server.poll() is not None:
            sys.exit(f"{name} ended with exit code {server.returncode} before it was ready.")
        if time.monotonic() > deadline:
            sys.exit(f"{name} was not ready after {PATIENCE:.0f} s.")
        time.sleep(0.05)


def succeeds(*command: str, user: str | None = None) -> bool:
    return subprocess.run(command, user=user, capture_output=True, check=False).returncode == 0


@contextmanager
def postgres(folder: Path) -> Iterator[str]:
    """Serve an empty database for the length of the block, and yield its URL.

    Postgres refuses to run as root, so root hands it to the `postgres` user of the package.
    """
    user = "postgres" if os.geteuid() == 0 else None
    owner = user or pwd.getpwuid(os.geteuid()).pw_name
    tools = "usr/lib/postgresql/*/bin"
    data, port = folder / "postgres", free_port()
    data.mkdir()
    if user:
        folder.chmod(0o755)
        shutil.chown(data, user)
    initdb = [find_program("initdb", beside=tools), "-D", data, "-U", owner, "-A", "trust"]
    subprocess.run([*initdb, "-E", "UTF8", "--no-sync"], user=user, check=True, capture_output=True)
    server = subprocess.Popen(
        [
            *(find_program("postgres", beside=tools), "-D", str(data), "-p", str(port)),
            *("-h", "127.0.0.1", "-k", str(data), "-c", "max_connections=200"),
            *("-c", "fsync=off"),  # nothing here outlives the tests, and they empty tables often
        ],
        user=user,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    ask = (find_program("pg_isready", beside=tools), "-h", "127.0.0.1", "-p", str(port))
    try:
        wait_until(lambda: succeeds(*ask), server=server, name="Postgres")
        yield f"postgres://{owner}@127.0.0.1:{port}/postgres"
    finally:
        server.send_signal(signal.SIGINT)  # "fast" shutdown: do not wait for clients
        server.wait(timeout=PATIENCE)


@contextmanager
def redis(folder: Path) -> Iterator[str]:
    """Serve an empty Redis for the length of the block, and yield its URL."""
    port = free_port()
    data = folder / "redis"
    data.mkdir()
    server = subprocess.Popen(
        [
            *(find_program("redis-server"), "--port", str(port), "--bind", "127.0.0.1"),
            *("--dir", str(data), "--save", "", "--appendonly", "no"),
        ],
        stdout=subprocess.DEVNULL,
    )

    def answers() -> bool:
        with socket.socket() as client:
            return client.connect_ex(("127.0.0.1", port)) == 0

    try:
        wait_until(answers, server=server, name="Redis")
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        server.terminate()
        server.wait(timeout=PATIENCE)


def main(command: list[str]) -> int:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tidelog-test-")))
        environment = {
            **os.environ,
            "DATABASE_URL": stack.enter_context(postgres(folder)),
            "REDIS_URL": stack.enter_context(redis(folder)),
        }
        return subprocess.run(command, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
