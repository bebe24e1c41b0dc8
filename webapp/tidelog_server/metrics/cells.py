"""Where a sorted series is cut, so that buckets of any power of two are unions of its pieces.

A cell is [k * 2**e, (k + 1) * 2**e) for whole k and e. Cells lie in each other or apart, and so do
cells and a chart's buckets: what lies in one cell lies in one bucket at least as wide.
"""

from __future__ import annotations

import math
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from tidelog_server.metrics.columns import Vector

Integers = npt.NDArray[np.intp]
Numbers = TypeVar("Numbers", float, Vector)

WIDEST = 1023


def cuts(steps: Vector, most: int) -> Integers:
    """Return where the pieces of sorted steps begin, at most `most` long, the first at 0.

    What is too long is cut at the edge between its two halves: the multiple of the greatest power
    of two that lies in it. Only among equal steps, which have no edge, the number decides.
    """
    starts, parts = [], [(0, len(steps))]
    while parts:
        start, end = parts.pop()
        if end - start <= most:
            starts.append(start)
            continue
        edge = _edge(float(steps[start]), float(steps[end - 1]))
        if edge is None:
            starts += range(start, end, most)
            continue
        middle = start + int(np.searchsorted(steps[start:end], edge))
        parts += ((middle, end), (start, middle))
    return np.array(starts, np.intp)


def _edge(low: float, high: float) -> float | None:
    """Return the multiple of the greatest power of two within (low, high]."""
    if low == high:
        return None
    if low < 0 <= high:
        return 0.0
    exponent = math.frexp(high / 2 - low / 2)[1]
    # Upwards until both lie in one cell, then one down: 53 bits at most.
    while exponent < WIDEST and _cell(low, exponent) != _cell(high, exponent):
        exponent += 1
    while True:
        exponent -= 1
        edge = math.ldexp(_cell(high, exponent), exponent)
        # Tiny negative numbers round to 0 in wide cells, whose edge lies above them.
        if low < edge <= high:
            return edge


def _cell(step: float, exponent: int) -> int:
    return math.floor(math.ldexp(step, -exponent))


def width_of(n: Numbers, first: Numbers, last: Numbers, points: int) -> Numbers:
    """Return how wide the cells are that hold `points` to twice as many, if steps are regular.

    n, first, last  of a chunk; or arrays of them
    """
    with np.errstate(over="ignore"):
        fraction, exponent = np.frexp((last - first) * (points / np.maximum(n - 1, 1)))
    exponent = np.minimum(exponent - (fraction == 0.5), WIDEST)
    widths: Numbers = np.ldexp(1.0, exponent)
    return widths


def fine_starts(steps: Vector, points: int) -> Integers:
    """Return where the cells of `width_of` begin among the sorted steps of a chunk."""
    if len(steps) == 1:
        return np.zeros(1, np.intp)
    width = width_of(float(len(steps)), float(steps[0]), float(steps[-1]), points)
    cells = np.floor(steps / width)
    return np.flatnonzero(np.concatenate([[True], cells[1:] != cells[:-1]]))
