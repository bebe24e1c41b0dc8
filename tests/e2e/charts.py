"""What is drawn, read from the canvas and from the elements' public data."""

from typing import Any

from playwright.sync_api import Locator, Page

READ = """panel => ({
  runs: panel.lines.lines.map(({ run }) => run),
  last: Object.fromEntries(panel.lines.lines.map(({ run, x }) => [run, x[x.length - 1]])),
  steps: Object.fromEntries(panel.lines.lines.map(({ run, x }) => [run, [...x]])),
  domain: panel.lines.domain, lit: panel.lines.lit, label: panel.lines.getAttribute("aria-label"),
})"""
# A checksum over the pixels of the plot: equal pictures give equal numbers.
PIXELS = """canvas => {
  const copy = new OffscreenCanvas(canvas.width, canvas.height);
  const pen = copy.getContext("2d", { willReadFrequently: true });
  pen.drawImage(canvas, 0, 0);
  const { data } = pen.getImageData(0, 0, canvas.width, canvas.height);
  let sum = 0;
  for (const byte of data) sum = (sum * 31 + byte) % 4294967291;
  return sum;
}"""


def panel(page: Page, key: str) -> Locator:
    return page.locator("tl-panel").filter(has=page.locator(f'h3[title="{key}"]'))


def painted(page: Page, key: str) -> Locator:
    """Return a panel once its lines are on the canvas."""
    found = panel(page, key)
    found.locator("canvas").first.wait_for()
    page.wait_for_function("panel => panel.lines.lines.length > 0", arg=found.element_handle())
    return found


def shown(found: Locator) -> dict[str, Any]:
    """Return what a panel's lines are."""
    return dict(found.evaluate(READ))


def pixels(found: Locator) -> int:
    """Return a number that changes when the picture does."""
    return int(found.locator("canvas").first.evaluate(PIXELS))


def wait_for_line(page: Page, found: Locator, run: str, at_least: float) -> None:
    """Wait until a run's line reaches a step."""
    page.wait_for_function(
        "([panel, run, step]) => panel.lines.lines.some(l => l.run === run && l.x.at(-1) >= step)",
        arg=[found.element_handle(), run, at_least],
    )


def drag(page: Page, found: Locator, start: float, end: float) -> None:
    """Drag across a panel's plot, from one share of its width to another."""
    box = found.locator(".u-over").bounding_box()
    assert box is not None
    y = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] * start, y)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * (start + end) / 2, y)
    page.mouse.move(box["x"] + box["width"] * end, y)
    page.mouse.up()
