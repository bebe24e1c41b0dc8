"""The commands that this layer adds to `tidelog`. Each imports what it needs, when it is called."""

import argparse
import os
from pathlib import Path


def up(argv: list[str]) -> int:
    from tidelog_workers.supervisor.options import parse
    from tidelog_workers.supervisor.up import up as serve

    return serve(parse(argv))


def worker(argv: list[str]) -> int:
    """Run the Celery worker alone, beside a web server on this machine or another."""
    parser = argparse.ArgumentParser(prog="tidelog worker", description="Run a Celery worker.")
    parser.add_argument("--data-dir", type=Path, help="the server's (TIDELOG_DATA_DIR)")
    parser.add_argument("--threads", type=int, default=2, help="tasks at a time")
    arguments = parser.parse_args(argv)
    if arguments.data_dir is not None:
        os.environ["TIDELOG_DATA_DIR"] = str(arguments.data_dir.expanduser().absolute())
    _find_embedded_broker()

    from tidelog_workers.planner.worker import serve

    return serve(threads=arguments.threads)


def demo(argv: list[str]) -> int:
    from tidelog_workers.demo.command import demo as show

    return show(argv)


def _find_embedded_broker() -> None:
    """Use the broker that a `tidelog up --no-worker` on the same data directory started."""
    from tidelog_workers.supervisor.broker import broker_url, socket_path
    from tidelog_workers.supervisor.options import DEFAULT_DATA_DIR

    data_dir = Path(os.environ.get("TIDELOG_DATA_DIR") or DEFAULT_DATA_DIR).expanduser()
    if not os.environ.get("REDIS_URL") and socket_path(data_dir).is_socket():
        os.environ.setdefault("TIDELOG_BROKER_URL", broker_url(data_dir))
