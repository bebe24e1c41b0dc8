"""A table as a file, so that a process that starts need not read every run.

    magic | zstd frame, with its checksum: u32le header length | header, JSON | arrays, in order

A file is only an economy. What is damaged, of another project, of another history of the database
or of another version is ignored, and the database is read instead.
"""

import os
import struct
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import structlog
import zstandard
from numpy.typing import NDArray

from tidelog_server.runtable.columns import Column
from tidelog_server.runtable.query.tree import Scope
from tidelog_server.runtable.table import Table
from tidelog_server.runtable.texts import Texts

log = structlog.get_logger(__name__)

MAGIC = b"tidelog run table 1\n"
LENGTH = struct.Struct("<I")
PK = 16
TYPES: dict[str, type[np.generic]] = {
    "slots": np.int32,
    "kinds": np.uint8,
    "numbers": np.float64,
    "codes": np.int32,
}


def save(path: Path, table: Table, *, identity: str) -> None:
    """Write a table to `path`, whole or not at all.

    identity  whose it is: the project and the history of the database
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(f".{os.getpid()}-{threading.get_ident()}.new")
    try:
        with fresh.open("wb") as file:
            fresh.chmod(0o600)
            file.write(MAGIC)
            file.write(_packed(table, identity))
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)


def load(path: Path, *, identity: str, newest: int) -> Table | None:
    """Return the table that was saved at `path`, or None if there is none to be used.

    newest  the project's revision: a table that knows more is of another history
    """
    try:
        content = path.read_bytes()
    except OSError:
        return None
    try:
        return _unpacked(content, identity, newest)
    except (ValueError, KeyError, TypeError, struct.error, zstandard.ZstdError) as error:
        log.warning("a snapshot of the run table is ignored", path=path.name, why=str(error))
        return None


def copied(table: Table) -> Table:
    """Return a table of the runs that are there, which shares nothing that changes."""
    alive = table.alive[: table.size]
    new = np.where(alive, np.cumsum(alive) - 1, -1)
    pks = [pk for pk, lives in zip(table.pks, alive.tolist(), strict=True) if lives]
    columns = {}
    for name, column in table.columns.items():
        # Texts only grow, so a copy of the list is a copy of all.
        copy = Column.of_parts(Texts(column.texts.values), *column.parts())
        if len(pks) < table.size:
            copy.renumber(new)
        columns[name] = copy
    return Table.of_parts(table.rev, pks, table.revs[: table.size][alive], columns)


def _packed(table: Table, identity: str) -> bytes:
    columns: list[Any] = []
    arrays: list[NDArray[Any]] = [table.revs[: table.size]]
    for (scope, name), column in table.columns.items():
        held = [(k, v) for k, v in zip(TYPES, column.parts(), strict=True) if v is not None]
        columns.append([scope, name, column.size, [k for k, _ in held], column.texts.values])
        arrays += [array for _, array in held]
    header = orjson.dumps(
        {"identity": identity, "rev": table.rev, "size": table.size, "columns": columns}
    )
    body = b"".join(
        [LENGTH.pack(len(header)), header, *table.pks, *(array.tobytes() for array in arrays)]
    )
    return zstandard.ZstdCompressor(level=1, write_checksum=True).compress(body)


def _unpacked(content: bytes, identity: str, newest: int) -> Table:
    if not content.startswith(MAGIC):
        raise ValueError("it is of another version")
    body = zstandard.ZstdDecompressor().decompress(memoryview(content)[len(MAGIC) :])
    (length,) = LENGTH.unpack_from(body)
    header = orjson.loads(body[LENGTH.size : LENGTH.size + length])
    if header["identity"] != identity:
        raise ValueError("it is of another project or history")
    if header["rev"] > newest:
        raise ValueError("it knows more than the database")
    rest = _Arrays(body, LENGTH.size + length)
    joined = rest.take(np.uint8, header["size"] * PK).tobytes()
    pks = [joined[at : at + PK] for at in range(0, len(joined), PK)]
    revs = rest.take(np.int64, header["size"])
    return Table.of_parts(header["rev"], pks, revs, dict(_columns(header["columns"], rest)))


def _columns(headers: list[Any], rest: "_Arrays") -> Iterator[tuple[tuple[Scope, str], Column]]:
    for scope, name, size, held, values in headers:
        slots, kinds, numbers, codes = (
            rest.take(kind, size) if array in held else None for array, kind in TYPES.items()
        )
        if slots is None or kinds is None:
            raise ValueError("a column has no slots")
        column = Column.of_parts(Texts(values), slots, kinds, numbers, codes)
        yield (Scope(scope), name), column


class _Arrays:
    """Arrays one after the other, copied so that they can be changed."""

    def __init__(self, body: bytes, at: int) -> None:
        self._body = body
        self._at = at

    def take(self, kind: type[np.generic], n: int) -> NDArray[Any]:
        array = np.frombuffer(self._body, kind, n, self._at).copy()
        self._at += array.nbytes
        return array
