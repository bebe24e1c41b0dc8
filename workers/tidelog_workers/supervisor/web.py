"""The web server's process: make the data ready, tell the supervisor, serve."""

import argparse
import json
import os
import socket
import sys
from typing import Any

import uvicorn

from tidelog_workers.supervisor.prepare import prepare

APPLICATION = "tidelog_server.asgi:application"
OPTIONS: dict[str, Any] = {
    "loop": "uvloop",
    "http": "httptools",
    "ws": "websockets-sansio",
    # Frames are columns of floats, which hardly deflate, and it costs each socket 300 kB.
    "ws_per_message_deflate": False,
    "ws_max_size": 64 * 1024,
    "log_config": None,
    "log_level": "warning",
    "access_log": False,
    "server_header": False,
    "timeout_graceful_shutdown": 5,
}


class Server(uvicorn.Server):
    """Uvicorn that says when it accepts connections."""

    def __init__(self, config: uvicorn.Config, report: "Report", prepared: dict[str, Any]) -> None:
        super().__init__(config)
        self._report = report
        self._prepared = prepared

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._report("ready", **self._prepared)


class Report:
    """Lines of JSON to the supervisor, through a pipe; a closed pipe is nobody's concern."""

    def __init__(self, descriptor: int | None) -> None:
        self._descriptor = descriptor

    def __call__(self, event: str, **facts: Any) -> None:
        if self._descriptor is not None:
            os.write(self._descriptor, json.dumps({"event": event, **facts}).encode() + b"\n")


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--listen", type=int, required=True, help="descriptor of the socket")
    parser.add_argument("--report", type=int, help="descriptor to report to, at the first start")
    parser.add_argument("--url", required=True)
    arguments = parser.parse_args()
    report = Report(arguments.report)
    try:
        prepared = prepare(url=arguments.url, report=report) if arguments.report else {}
    except Exception as error:  # noqa: BLE001  a person reads it: a sentence, not a traceback
        report("failed", why=f"{type(error).__name__}: {error}".strip())
        return 1
    with socket.socket(fileno=arguments.listen) as listening:
        Server(uvicorn.Config(APPLICATION, **OPTIONS), report, prepared).run(sockets=[listening])
    return 0


if __name__ == "__main__":
    sys.exit(main())
