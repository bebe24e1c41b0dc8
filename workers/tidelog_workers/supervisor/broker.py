"""The embedded broker: a Redis or Valkey on a Unix socket in the data directory."""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

from tidelog_workers.supervisor.children import Child

PROGRAMS = ("valkey-server", "redis-server")
# The kernel's limit for the path of a Unix socket is 108 bytes, 104 on other systems.
LONGEST_SOCKET_PATH = 103


def embedded_broker(data_dir: Path, env: Mapping[str, str]) -> Child | None:
    """Return the broker to supervise, or None if there is no program for it or no room.

    It keeps nothing on disk: a message is a doorbell, the row in the database is the job.
    """
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    path = socket_path(data_dir)
    if program is None or len(os.fsencode(path)) > LONGEST_SOCKET_PATH:
        return None
    path.unlink(missing_ok=True)
    options = {
        "port": "0",
        "unixsocket": str(path),
        "unixsocketperm": "700",
        "save": "",
        "appendonly": "no",
        "dir": str(data_dir),
        "loglevel": "warning",
        "logfile": "/dev/null",
        "maxmemory": "64mb",
        "maxmemory-policy": "noeviction",
    }
    argv = [program, *(word for key, value in options.items() for word in (f"--{key}", value))]
    return Child(name="broker", argv=argv, env=env, last=True)


def socket_path(data_dir: Path) -> Path:
    return data_dir / "broker.sock"


def broker_url(data_dir: Path) -> str:
    return f"redis+socket://{quote(str(socket_path(data_dir)))}"
