"""`tidelog status`: who we are, and what waits on this disk."""

from __future__ import annotations

import argparse
from typing import Any

from tidelog.buffer import Buffer, RunFolder, StreamFolder
from tidelog.reader import StreamReader
from tidelog.settings import buffer_directory, resolve
from tidelog.wire.runs import default_name


def add_to(commands: Any) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser("status", help="show the server, the key and what waits on disk")
    parser.add_argument("dir", nargs="?", help="the buffer directory (default: TIDELOG_DIR)")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print it. Exit code 2 if something waits to be sent."""
    settings = resolve(directory=options.dir)
    key = f"{settings.key[:8]}…" if settings.key else "none, see `tidelog login`"
    print(f"server  {settings.url}")
    print(f"key     {key}")
    print(f"team    {settings.team or 'that of the key'}")
    print(f"buffer  {buffer_directory(options.dir)}")
    waiting = [_tell(folder) for folder in Buffer(settings.directory).runs()]
    if not waiting:
        print("no runs on this disk")
    return 2 if any(waiting) else 0


def _tell(folder: RunFolder) -> int:
    """Print one line about a run, and return how many of its records wait."""
    about = folder.description()
    waiting = sum(_waiting(folder, stream) for stream in folder.streams())
    alive = any(stream.is_alive() for stream in folder.streams())
    name = about.get("name") or default_name(folder.id)
    place = "/".join(filter(None, [about.get("team"), about.get("project")]))
    state = "running" if alive else "ended"
    what = f"{waiting} records to send" if waiting else "all sent"
    print(f"{name}  {place}  {state}, {what}  {folder.path}")
    message = folder.status().get("message")
    if message and waiting:
        print(f"    {message}")
    return waiting


def _waiting(folder: RunFolder, stream: StreamFolder) -> int:
    held = StreamReader(stream, folder.quarantine).held_end()
    return max(0, held - int(stream.ack().get("next", 0)))
