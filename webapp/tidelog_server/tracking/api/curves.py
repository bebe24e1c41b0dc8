"""Curves and points as they travel: columns for the browser, JSON and CSV for people."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from rest_framework.renderers import BaseRenderer

from tidelog.wire.batch import container_head
from tidelog_server.core.json import dumps
from tidelog_server.metrics.columns import Vector
from tidelog_server.metrics.values import Chart, Curve, Points, RunAxis

BINARY = "application/octet-stream"
CSV = "text/csv"

# What a browser draws of buckets.
SENT = ("value", "mean", "min", "max", "last")

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


class BinaryRenderer(BaseRenderer):
    """Lets a client ask for columns. The views write them; what is rendered here are errors."""

    media_type = BINARY
    format = "bin"
    render_style = "binary"

    def render(
        self, data: Any, accepted_media_type: str | None = None, renderer_context: Any = None
    ) -> bytes:
        return b"" if data is None else dumps(data)


class CSVRenderer(BinaryRenderer):
    media_type = CSV
    format = "csv"


def chart_body(
    form: str, said: Mapping[str, Any], chart: Chart, runs: Mapping[str, RunAxis]
) -> bytes:
    """Return a chart: a header and its columns as bytes, or all of it as JSON.

    said  what was asked: "key", "x", "from", "to"
    runs  by name, in the order of the chart's curves
    """
    header: dict[str, Any] = {"v": 1, **said, "n": chart.n, "mode": "raw"}
    if chart.grid is not None:
        header |= {"mode": "buckets", "x0": chart.grid.x0, "dx": chart.grid.dx}
    header["runs"] = [
        _curve_header(name, runs[name], curve)
        for name, curve in zip(runs, chart.curves, strict=True)
    ]
    return _binary(header, chart) if form == BINARY else _json(header, chart)


def _curve_header(name: str, run: RunAxis, curve: Curve) -> dict[str, Any]:
    return {
        "id": name,
        "total": curve.total,
        "range": curve.range,
        "cols": list(_sent(curve)),
        "nan": curve.nan.tolist(),
        "origin": run.origin,
    }


def _sent(curve: Curve) -> dict[str, Vector]:
    return {name: curve.columns[name] for name in SENT if name in curve.columns}


def _binary(header: Mapping[str, Any], chart: Chart) -> bytes:
    parts = [container_head(header)]
    if chart.x is not None:
        parts.append(chart.x.astype("<f8").tobytes())
    padding = b"\0" * (-4 * chart.n % 8)
    for curve in chart.curves:
        for column in _sent(curve).values():
            parts += (_narrow(column), padding)
    return b"".join(parts)


def _narrow(column: Vector) -> bytes:
    # What is beyond float32 is drawn as infinite; the export has it exactly.
    with np.errstate(over="ignore", invalid="ignore"):
        return column.astype("<f4").tobytes()


def _json(header: dict[str, Any], chart: Chart) -> bytes:
    if chart.x is not None:
        header["x"] = chart.x.tolist()
    for said, curve in zip(header["runs"], chart.curves, strict=True):
        said |= {name: _or_null(column) for name, column in _sent(curve).items()}
        for index in said["nan"] if chart.grid is None else ():
            said["value"][index] = "NaN"
    return dumps(header)


def _or_null(column: Vector) -> list[float | str | None]:
    return [None if value != value else value for value in column.tolist()]


def points_body(form: str, said: Mapping[str, Any], points: Points) -> bytes:
    """Return points as columns of float64, as CSV, or as JSON.

    said  "key", "after", "next"
    """
    columns = (points.steps, points.times, points.values)
    if form == BINARY:
        head = container_head({"v": 1, **said, "n": len(points)})
        return b"".join([head, *(column.astype("<f8").tobytes() for column in columns)])
    rows = zip(*(column.tolist() for column in columns), strict=True)
    return _csv(str(said["key"]), rows) if form == CSV else dumps({**said, "points": list(rows)})


def _csv(key: str, rows: Iterable[tuple[float, ...]]) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["step", "time", harmless(key)])
    writer.writerows(rows)
    return out.getvalue().encode()


def harmless(cell: str) -> str:
    """Return a text that no spreadsheet takes for a formula."""
    return f"'{cell}" if cell.startswith(FORMULA_STARTS) else cell
