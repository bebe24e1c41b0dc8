"""Chunk rows of a run by the hundred: plain SQL, because a thousand keys have thousands of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, TypeVar
from uuid import UUID

from django.db import connection
from django.db.backends.utils import CursorWrapper

from tidelog_server.metrics.models import Chunk

T = TypeVar("T")
ROWS_AT_ONCE = 500

Key = tuple[int, tuple[int, int, int]]


def load(run_id: UUID, keys: Sequence[Key]) -> Iterator[tuple[Key, bytes]]:
    """Yield the payloads at these (series, (level, block, index)) of a run."""
    for part in parts(keys, ROWS_AT_ONCE):
        values = [value for number, address in part for value in (number, *address)]
        with connection.cursor() as cursor:
            cursor.execute(
                'SELECT series, level, block, "index", payload FROM metrics_chunk'
                ' WHERE run_id = %s AND (series, level, block, "index")'
                f" IN (VALUES {_places(len(part), 4)})",
                [_value("run_id", run_id), *values],
            )
            for number, level, block, index, payload in cursor.fetchall():
                yield (number, (level, block, index)), bytes(payload)


def save(run_id: UUID, found: Sequence[tuple[Key, tuple[int, bytes]]]) -> None:
    """Write (n, payload) at these addresses of a run, over what is there."""
    run = _value("run_id", run_id)
    with connection.cursor() as cursor:
        for part in parts(found, ROWS_AT_ONCE):
            _save(cursor, run, part)


def _save(cursor: CursorWrapper, run: Any, part: Sequence[tuple[Key, tuple[int, bytes]]]) -> None:
    values: list[Any] = []
    for (number, address), (n, payload) in part:
        values += (run, number, *address, n, _value("payload", payload))
    cursor.execute(
        'INSERT INTO metrics_chunk (run_id, series, level, block, "index", n, payload)'
        f" VALUES {_places(len(part), 7)}"
        ' ON CONFLICT (run_id, series, level, block, "index")'
        " DO UPDATE SET n = excluded.n, payload = excluded.payload",
        values,
    )


def _places(rows: int, columns: int) -> str:
    return ", ".join([f"({', '.join(['%s'] * columns)})"] * rows)


def _value(name: str, value: object) -> Any:
    field: Any = Chunk._meta.get_field(name)
    return field.get_db_prep_value(value, connection)


def parts(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    return (items[start : start + size] for start in range(0, len(items), size))
