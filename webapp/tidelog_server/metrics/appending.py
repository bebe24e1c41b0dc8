"""Append: the counters of a batch's series in one statement, then one row for its points."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any
from uuid import UUID

import numpy as np
from django.db import connection
from django.utils.timezone import now

from tidelog.wire.batch import BatchError
from tidelog_server.metrics import tails
from tidelog_server.metrics.columns import Columns, SeriesColumn
from tidelog_server.metrics.models import Series, number_of
from tidelog_server.metrics.values import SeriesTotal

# SQLite takes 32,766 parameters a statement.
ROWS_PER_STATEMENT = 2_000

FIELDS = (
    *("run_id", "number", "key", "n"),
    *("first_step", "last_step", "first_time", "last_time", "last", "min", "max"),
)

Row = tuple[Any, ...]


def append(
    *, run_id: UUID, stream: str, start: int, end: int, columns: Columns
) -> list[SeriesTotal]:
    """Store the points of records [start, end) of a stream, within the caller's transaction.

    Returns the series that the points belong to as they are now. Their rows stay locked until
    the transaction ends, so points of one series are numbered in the order of commits.
    Raises BatchError if a key cannot be stored.
    """
    if not columns.n:
        return []
    totals = _count(run_id, columns)
    numbers = [number_of(column.key) for column in columns.series]
    before = [
        totals[number].n - len(column.values)
        for number, column in zip(numbers, columns.series, strict=True)
    ]
    _keep(run_id, stream, start, end, columns.n, tails.pack(columns, numbers, before))
    return [totals[number] for number in numbers]


def _keep(run_id: UUID, stream: str, start: int, end: int, n: int, payload: bytes) -> None:
    """Add a row to the backlog, without a model: it is the busiest statement of the server."""
    with connection.cursor() as cursor:
        arrived = connection.ops.adapt_datetimefield_value(now())
        cursor.execute(
            'INSERT INTO metrics_batch (run_id, stream, start, "end", n, arrived_at, payload) '
            "VALUES (%s, %s, %s, %s, %s, %s, %s)",
            [_run_value(run_id), stream, start, end, n, arrived, payload],
        )


def _run_value(run_id: UUID) -> Any:
    return Series._meta.get_field("run_id").get_db_prep_value(run_id, connection)


def _count(run_id: UUID, columns: Columns) -> dict[int, SeriesTotal]:
    """Add the batch to its series' counters, and return them by the series' number."""
    # In one order for all streams, or two of them could wait for each other's rows.
    rows = sorted(summaries(columns))
    run = _run_value(run_id)
    totals: dict[int, SeriesTotal] = {}
    with connection.cursor() as cursor:
        for first in range(0, len(rows), ROWS_PER_STATEMENT):
            part = rows[first : first + ROWS_PER_STATEMENT]
            cursor.execute(_upsert(len(part)), [v for row in part for v in (run, *row)])
            totals |= {number: total_of(counters) for number, *counters in cursor.fetchall()}
    if len(totals) != len(rows):
        raise BatchError("key_collision", "A key has the same number as another one of its run.")
    return totals


def total_of(row: Sequence[Any]) -> SeriesTotal:
    """Return (key, n, ...) of a series' row as a value. Null is NaN."""
    key, n, *numbers = row
    # SQLite gives whole numbers back as integers here.
    return SeriesTotal(key, n, *(math.nan if v is None else float(v) for v in numbers))


@cache
def _upsert(rows: int) -> str:
    table = connection.ops.quote_name(Series._meta.db_table)
    names = [connection.ops.quote_name(field) for field in FIELDS]
    places = f"({', '.join(['%s'] * len(FIELDS))})"

    def pick(field: str, condition: str) -> str:
        name = connection.ops.quote_name(field)
        condition = condition.format(new=f"excluded.{name}", old=f"{table}.{name}", table=table)
        return f"{name} = CASE WHEN {condition} THEN excluded.{name} ELSE {table}.{name} END"

    return (
        f"INSERT INTO {table} ({', '.join(names)}) VALUES {', '.join([places] * rows)} "
        f"ON CONFLICT (run_id, number) DO UPDATE SET n = {table}.n + excluded.n, "
        + ", ".join(
            [
                *(pick(f, "{new} < {old}") for f in ("first_step", "first_time")),
                *(pick(f, "{new} > {old}") for f in ("last_step", "last_time")),
                pick("last", "excluded.last_step >= {table}.last_step"),
                pick("min", "{old} IS NULL OR {new} < {old}"),
                pick("max", "{old} IS NULL OR {new} > {old}"),
            ]
        )
        + f" WHERE {table}.key = excluded.key RETURNING {', '.join(names[1:])}"
    )


def summaries(columns: Columns) -> Iterator[Row]:
    """Yield (number, key, n, ...) of each series: what `FIELDS` wants but for the run.

    Keys of one axis are taken together, so that a batch of a thousand keys costs few numpy calls.
    """
    for index, axis in enumerate(columns.axes):
        series = [column for column in columns.series if column.axis == index]
        if not series:
            continue
        steps, times = axis.steps, axis.times
        least, greatest = float(steps.min()), float(steps.max())
        newest = len(steps) - 1 - int(np.argmax(steps[::-1]))
        shared = (len(steps), least, greatest, float(times.min()), float(times.max()))
        for column, values in zip(series, _extremes(series, newest), strict=True):
            yield (number_of(column.key), column.key, *shared, *values)


def _extremes(series: Sequence[SeriesColumn], newest: int) -> Iterator[tuple[float | None, ...]]:
    """Yield the value at index `newest`, the least and the greatest; None where that is NaN."""
    matrix = np.stack([column.values for column in series])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        low, high = np.fmin.reduce(matrix, axis=1), np.fmax.reduce(matrix, axis=1)
    for row in zip(matrix[:, newest].tolist(), low.tolist(), high.tolist(), strict=True):
        yield tuple(None if value != value else value for value in row)
