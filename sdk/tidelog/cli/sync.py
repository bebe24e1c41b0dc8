"""`tidelog sync [DIR]`: send what is on this disk, and give a receipt for it."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

from tidelog.buffer import Buffer, RunFolder
from tidelog.sender import StreamSender
from tidelog.settings import Credentials, Settings, resolve
from tidelog.transport import HttpTransport
from tidelog.uploader import Uploader, rest
from tidelog.wire.runs import default_name

DONE, WRONG, LEFT, REFUSED, DAMAGED = 0, 1, 2, 3, 4
PATIENCE = 20.0
PROGRESS = 0.5
RESUME = 60.0


def add_to(commands: Any) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "sync",
        help="send what is on this disk",
        description="Send every run of a buffer directory, or one run, to the server it was "
        "recorded for. Exit codes: 0 all stored, 2 something is left (network), 3 a key is "
        "missing or was refused, 4 damaged records were skipped.",
    )
    parser.add_argument("dir", nargs="?", help="a buffer or a run in it (default: TIDELOG_DIR)")
    parser.add_argument("--watch", action="store_true", help="go on as new records come")
    parser.add_argument("--to", metavar="URL", help="send to this server, whatever runs say")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Send, show progress, and print the receipt."""
    buffer, only = _what_to_send(options.dir)
    settings = resolve(directory=buffer.path)
    runs = [folder for folder in buffer.runs() if only in (None, folder.id)]
    to = options.to.rstrip("/") if options.to else None
    servers = {to} if to else {_server_of(folder, settings) for folder in runs}
    if options.watch and not to:
        servers.add(settings.url)
    keys = {url: _key_for(url, settings) for url in sorted(servers)}
    uploaders = {
        url: Uploader(buffer, HttpTransport(url, key), wanted=_wanted(url, only, to, settings))
        for url, key in keys.items()
        if key
    }
    try:
        _work(list(uploaders.values()), watch=options.watch)
    except KeyboardInterrupt:
        print(file=sys.stderr)
    for uploader in uploaders.values():
        uploader.close()
    keyless = [url for url, key in keys.items() if not key]
    for url in keyless:
        print(f"no API key for {url}; see `tidelog login {url}`, or `--to`", file=sys.stderr)
    if not runs and not options.watch:
        print(f"nothing to send in {buffer.path}")
    codes = {_receipt(uploader, url) for url, uploader in uploaders.items()}
    codes.update(REFUSED for _ in keyless)
    return next(code for code in (REFUSED, LEFT, DAMAGED, DONE) if code in codes | {DONE})


def _server_of(folder: RunFolder, settings: Settings) -> str:
    """Return which server a run was recorded for; the settings say, if nobody did then."""
    return str(folder.description().get("server") or settings.url)


def _key_for(url: str, settings: Settings) -> str | None:
    """Return our key for a server: that of the environment is for the server of the settings."""
    return settings.key if url == settings.url else Credentials().of(url).get("key")


def _wanted(
    url: str, only: str | None, to: str | None, settings: Settings
) -> Callable[[RunFolder], bool]:
    return lambda folder: (
        only in (None, folder.id) and (to is not None or _server_of(folder, settings) == url)
    )


def _what_to_send(directory: str | None) -> tuple[Buffer, str | None]:
    """Return the buffer, and the id of the one run that is meant, if the path is a run's."""
    path = resolve(directory=directory).directory
    if (path / "run.json").exists():
        return Buffer(path.parent.parent.parent), path.name
    if not (path / "v1").exists() and path.name == "v1":
        return Buffer(path.parent), None
    return Buffer(path), None


def _work(uploaders: Sequence[Uploader], *, watch: bool) -> None:
    """Send until all is stored, nothing more can be, or (watching) somebody interrupts."""
    progress = Progress(uploaders)
    moved_at, sent, resumed_at = time.monotonic(), -1, time.monotonic()
    while True:
        for uploader in uploaders:
            uploader.discover()
            uploader.tick()
        now = time.monotonic()
        if progress.sent() != sent:
            sent, moved_at = progress.sent(), now
        progress.show(now)
        if not watch and (all(map(_is_over, uploaders)) or now - moved_at > PATIENCE):
            return
        if watch and now - resumed_at > RESUME:
            resumed_at = now
            for uploader in uploaders:
                uploader.resume()
        rest(uploaders)


def _is_over(uploader: Uploader) -> bool:
    """Whether all is stored. A run that is still being written is only brought up to date."""
    return not uploader.is_working and all(
        sender.done or sender.session.stopped or sender.is_up_to_date
        for sender in uploader.senders.values()
    )


class Progress:
    """One line that is renewed while records leave; nothing when nobody looks."""

    def __init__(self, uploaders: Sequence[Uploader]) -> None:  # noqa: D107
        self._uploaders = uploaders
        self._shown_at = 0.0
        self._visible = sys.stderr.isatty()

    def _senders(self) -> list[StreamSender]:
        return [sender for each in self._uploaders for sender in each.senders.values()]

    def sent(self) -> int:
        """Count the records that were acknowledged."""
        return sum(sender.sent for sender in self._senders())

    def show(self, now: float) -> None:
        """Renew the line, twice a second."""
        if not self._visible or now - self._shown_at < PROGRESS:
            return
        self._shown_at = now
        done = sum(sender.done for sender in self._senders())
        total = len(self._senders())
        line = f"\r{self.sent()} records sent, {done} of {total} streams done"
        print(line, end="", file=sys.stderr, flush=True)


def _receipt(uploader: Uploader, url: str) -> int:
    """Print what was sent beside what the server holds, run by run; return the exit code."""
    for run_id, session in uploader.sessions.items():
        senders = [sender for (run, _), sender in uploader.senders.items() if run == run_id]
        _tell(session.folder, senders, session.message if session.stopped else "")
    senders = list(uploader.senders.values())
    if any(sender.session.stopped == "auth" or sender.session.missing_for for sender in senders):
        return REFUSED
    if not all(map(_is_settled, senders)):
        print(f"something is left: {url} did not take it; try again later")
        return LEFT
    return DAMAGED if any(_skipped(sender) for sender in senders) else DONE


def _is_settled(sender: StreamSender) -> bool:
    known = sender.position is not None and sender.position >= sender.reader.held_end()
    return known or sender.done or sender.is_up_to_date


def _skipped(sender: StreamSender) -> int:
    return sender.damaged + sender.reader.damaged + sender.rejected


def _tell(folder: RunFolder, senders: list[StreamSender], trouble: str) -> None:
    name = folder.description().get("name") or default_name(folder.id)
    sent = sum(sender.sent for sender in senders)
    stored = sum(sender.position or 0 for sender in senders)
    held = sum(sender.reader.held_end() for sender in senders)
    print(f"{name}: {sent} records sent, {stored} of {held} stored")
    damaged = sum(sender.damaged + sender.reader.damaged for sender in senders)
    rejected = sum(sender.rejected for sender in senders)
    if damaged:
        print(f"    {damaged} records damaged and skipped; their bytes are in {folder.quarantine}")
    if rejected:
        print(f"    {rejected} records refused by the server; see {folder.rejects}")
    if trouble:
        print(f"    {trouble}")
