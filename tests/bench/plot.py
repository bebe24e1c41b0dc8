"""Draw a bench's curve as SVG: both axes logarithmic, nothing but text and a line.

    .venv/bin/python tests/bench/plot.py curve.json out.svg --x points --y milliseconds

curve.json is {"x": y, ...}, as the benches write it.
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Iterator, Sequence
from pathlib import Path

WIDTH, HEIGHT, MARGIN = 640, 320, 64
STYLE = "font:12px system-ui,sans-serif;fill:#4a5560"


class Scale:
    """Places on one axis, whole decades from end to end."""

    def __init__(self, values: Sequence[float], start: float, end: float) -> None:
        self.low = math.floor(math.log10(min(values)))
        self.high = max(math.ceil(math.log10(max(values))), self.low + 1)
        self.start, self.end = start, end

    def place(self, value: float) -> float:
        part = (math.log10(value) - self.low) / (self.high - self.low)
        return self.start + part * (self.end - self.start)

    def ticks(self) -> list[float]:
        return [10.0**exponent for exponent in range(self.low, self.high + 1)]


def svg(points: Sequence[tuple[float, float]], x_name: str, y_name: str) -> str:
    x = Scale([a for a, _ in points], MARGIN, WIDTH - MARGIN / 2)
    y = Scale([b for _, b in points], HEIGHT - MARGIN, MARGIN / 2)
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}">',
            f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
            *grid(x, y),
            text(WIDTH / 2, HEIGHT - 16, x_name),
            text(MARGIN, 16, y_name),
            *curve([(x.place(a), y.place(b)) for a, b in points]),
            "</svg>\n",
        ]
    )


def grid(x: Scale, y: Scale) -> Iterator[str]:
    for value in x.ticks():
        at = x.place(value)
        yield line(at, y.start, at, y.end)
        yield text(at, y.start + 18, f"{value:,.0f}")
    for value in y.ticks():
        at = y.place(value)
        yield line(x.start, at, x.end, at)
        yield text(x.start - 28, at + 4, f"{value:,g}")


def curve(places: Sequence[tuple[float, float]]) -> Iterator[str]:
    joined = " ".join(f"{a:.1f},{b:.1f}" for a, b in places)
    yield f'<polyline points="{joined}" fill="none" stroke="#0b7285" stroke-width="2"/>'
    for a, b in places:
        yield f'<circle cx="{a:.1f}" cy="{b:.1f}" r="3" fill="#0b7285"/>'


def line(x1: float, y1: float, x2: float, y2: float) -> str:
    ends = f'x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"'
    return f'<line {ends} stroke="#e3e7ea"/>'


def text(x: float, y: float, words: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" style="{STYLE}" text-anchor="middle">{words}</text>'


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("curve", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--x", required=True)
    parser.add_argument("--y", required=True)
    given = parser.parse_args()
    found = json.loads(given.curve.read_text())
    points = sorted((float(a), float(b)) for a, b in found.items())
    given.out.write_text(svg(points, given.x, given.y))


if __name__ == "__main__":
    main()
