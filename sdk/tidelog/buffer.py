"""The buffer directory: where a run's files lie, and the small files beside its segments.

    $TIDELOG_DIR/v1/runs/<run_id>/run.json            written once, never the key
                                  status.json         what the uploader has to say
                                  streams/<stream_id>/<first seq>.tlog, ack.json, *.lock
                                  quarantine/  rejects.jsonl

Directories are 0700, files 0600. Everything but the segments can be lost without harm.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import time
import zlib
from collections.abc import Container, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from tidelog.wire.runs import is_run_id, is_stream_id

SEGMENT_SUFFIX = ".tlog"


def make_directory(path: Path) -> None:
    """Create `path` and its parents, readable by nobody else."""
    missing = [p for p in (path, *path.parents) if not p.exists()]
    for each in reversed(missing):
        each.mkdir(mode=0o700, exist_ok=True)


def open_private(path: Path, flags: int) -> int:
    """Open `path` with mode 0600 and close-on-exec; returns the descriptor."""
    return os.open(path, flags | os.O_CLOEXEC, 0o600)


def fsync_directory(path: Path) -> None:
    """Make the names in `path` durable."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_whole(path: Path, content: Mapping[str, Any], *, durable: bool = True) -> None:
    """Replace a small JSON file: a reader sees the old one or the new one, never half."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}.{time.monotonic_ns()}")
    try:
        _write_file(fresh, json.dumps(content, separators=(",", ":")).encode(), durable=durable)
        fresh.replace(path)
    except OSError:
        fresh.unlink(missing_ok=True)
        raise
    if durable:
        fsync_directory(path.parent)


def _write_file(path: Path, data: bytes, *, durable: bool) -> None:
    descriptor = open_private(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
    try:
        if os.write(descriptor, data) != len(data):
            raise OSError(errno.ENOSPC, "no room for a whole file", str(path))
        if durable:
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


def append_lines(path: Path, lines: Sequence[str]) -> None:
    """Add lines to a file."""
    descriptor = open_private(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    try:
        os.write(descriptor, "".join(f"{line}\n" for line in lines).encode())
    finally:
        os.close(descriptor)


def read_whole(path: Path) -> dict[str, Any] | None:
    """Return a small JSON file's object, or None if it is missing or damaged."""
    try:
        content = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return None
    return content if isinstance(content, dict) else None


class Lock:
    """An advisory lock of the kernel's: it ends with its process, however that ends."""

    def __init__(self, path: Path) -> None:  # noqa: D107
        self.path = path
        self.descriptor = -1

    def take(self) -> bool:
        """Take the lock, and say whether that worked. Never waits."""
        if self.descriptor >= 0:
            return True
        descriptor = open_private(self.path, os.O_RDWR | os.O_CREAT)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(descriptor)
            return False
        self.descriptor = descriptor
        return True

    def release(self) -> None:
        """Let go. In a forked child this only drops the child's copy."""
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1


def is_held(path: Path) -> bool:
    """Whether a living process holds the lock at `path`."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(descriptor)
    return False


class StreamFolder:
    """One process incarnation's records of one run."""

    def __init__(self, path: Path) -> None:  # noqa: D107
        self.path = path
        self.id = path.name
        self.writer_lock = path / "writer.lock"
        self.sync_lock = path / "sync.lock"
        self._ack = path / "ack.json"

    def segments(self) -> list[tuple[int, Path]]:
        """First sequence number and path of every segment, in order."""
        found = []
        for name in _names(self.path):
            stem = name.removesuffix(SEGMENT_SUFFIX)
            if stem != name and stem.isdigit():
                found.append((int(stem), self.path / name))
        return sorted(found)

    def segment(self, first_seq: int) -> Path:
        """Where the segment that begins with `first_seq` lies."""
        return self.path / f"{first_seq:020d}{SEGMENT_SUFFIX}"

    def is_alive(self) -> bool:
        """Whether its writer still runs."""
        return is_held(self.writer_lock)

    def ack(self) -> dict[str, Any]:
        """Return what the server has confirmed, or {} if nobody knows."""
        content = read_whole(self._ack) or {}
        following = content.get("next")
        good = type(following) is int and following >= 0
        return content if good and content.pop("crc", None) == _checksum(content) else {}

    def acknowledge(self, content: Mapping[str, Any]) -> None:
        """Record what the server has confirmed, before anything is unlinked for it."""
        note = {"v": 1, **content}
        write_whole(self._ack, {**note, "crc": _checksum(note)}, durable=False)


def _checksum(content: Mapping[str, Any]) -> int:
    return zlib.crc32(json.dumps(content, sort_keys=True).encode())


class RunFolder:
    """Everything on disk about one run."""

    def __init__(self, path: Path) -> None:  # noqa: D107
        self.path = path
        self.id = path.name
        self.run_file = path / "run.json"
        self.status_file = path / "status.json"
        self.rejects = path / "rejects.jsonl"
        self.quarantine = path / "quarantine"

    def describe(self, content: Mapping[str, Any], *, durable: bool = True) -> None:
        """Write `run.json`, unless this run already has one."""
        make_directory(self.path)
        if not self.run_file.exists():
            write_whole(self.run_file, content, durable=durable)

    def description(self) -> dict[str, Any]:
        """Return `run.json`, or {} if it is missing or damaged."""
        return read_whole(self.run_file) or {}

    def status(self) -> dict[str, Any]:
        """Return what the uploader last had to say about this run."""
        return read_whole(self.status_file) or {}

    def tell(self, content: Mapping[str, Any]) -> None:
        """Leave a word for the training process and for `tidelog status`."""
        write_whole(self.status_file, content, durable=False)

    def stream(self, stream_id: str) -> StreamFolder:
        """Return the folder of one stream, which need not exist yet."""
        return StreamFolder(self.path / "streams" / stream_id)

    def changed_at(self) -> float:
        """Return when a stream was last begun, by the file system's clock; 0 if never."""
        try:
            return (self.path / "streams").stat().st_mtime
        except OSError:
            return 0.0

    def streams(self) -> list[StreamFolder]:
        """Return the streams that have been begun."""
        names = _names(self.path / "streams")
        return [self.stream(name) for name in names if is_stream_id(name)]


class Buffer:
    """A buffer directory with any number of runs."""

    def __init__(self, path: Path) -> None:  # noqa: D107
        self.path = path

    def run(self, run_id: str) -> RunFolder:
        """Return the folder of one run, which need not exist yet."""
        return RunFolder(self.path / "v1" / "runs" / run_id)

    def runs(self, *, but: Container[str] = ()) -> Iterator[RunFolder]:
        """Yield every run that has a `run.json`, the oldest name first."""
        for name in _names(self.path / "v1" / "runs"):
            if name in but or not is_run_id(name):
                continue
            folder = self.run(name)
            if folder.run_file.exists():
                yield folder

    def uploader_lock(self, server: str, key_hint: str) -> Path:
        """Return the lock of the one uploader for `server` and a key."""
        import hashlib

        digest = hashlib.sha256(f"{server} {key_hint}".encode()).hexdigest()[:16]
        return self.path / f"uploader-{digest}.lock"


def _names(path: Path) -> list[str]:
    try:
        return sorted(entry.name for entry in path.iterdir())
    except OSError:
        return []
