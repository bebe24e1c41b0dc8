"""What `tidelog up` is told."""

import argparse
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

DEFAULT_DATA_DIR = "~/.local/share/tidelog"


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How to serve.

    host      address to listen on
    port      0 picks a free one
    data_dir  database, files, broker's socket; made with mode 0700
    worker    whether a Celery worker belongs to the tree
    json      print one JSON line instead of the banner, then nothing
    """

    host: str
    port: int
    data_dir: Path
    worker: bool
    json: bool


def parser(prog: str, description: str) -> argparse.ArgumentParser:
    """Return a parser of the options that all commands which serve have in common."""
    made = argparse.ArgumentParser(prog=prog, description=description)
    made.add_argument("--host", default="127.0.0.1", help="address to listen on")
    made.add_argument("--port", type=_port, default=8000, help="0 picks a free one")
    made.add_argument(
        "--data-dir",
        type=Path,
        default=Path(os.environ.get("TIDELOG_DATA_DIR") or DEFAULT_DATA_DIR),
        help="where everything is kept (TIDELOG_DATA_DIR)",
    )
    made.add_argument("--no-worker", action="store_true", help="start no Celery worker")
    made.add_argument("--json", action="store_true", help="print one JSON line, then nothing")
    return made


def options_of(arguments: argparse.Namespace) -> Options:
    return Options(
        host=arguments.host,
        port=arguments.port,
        data_dir=arguments.data_dir.expanduser().absolute(),
        worker=not arguments.no_worker,
        json=arguments.json,
    )


def parse(argv: Sequence[str]) -> Options:
    return options_of(parser("tidelog up", "Serve Tidelog on this machine.").parse_args(argv))


def _port(text: str) -> int:
    port = int(text)
    if not 0 <= port <= 65535:
        raise ValueError
    return port
