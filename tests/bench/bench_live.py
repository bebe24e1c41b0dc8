"""How long from `log()` to the painted line, in a real browser.

    .venv/bin/python tests/bench/bench_live.py [--points N]

A script logs the time of its own clock; the page says, at the frame in which it painted a point,
how old that point is. Beside it, the least that is possible: a frame of the browser and a round
trip to the server.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.e2e.conftest import CHROMIUM, FLAGS
from tests.workers.serving import Serving, until

TARGET_P50, TARGET_P95 = 500.0, 1000.0  # ms
TRAINER = """
import random, sys, time, tidelog
start, points = float(sys.argv[1]), int(sys.argv[2])
with tidelog.init(project="bench", console=False) as run:
    for step in range(points):
        run.log({"clock": time.time() - start}, step=step)
        time.sleep(random.uniform(0.2, 0.8))
"""
# Reads what was painted at every frame; a point's value is the second in which it was logged.
WATCH = """start => {
  window.ages = []; window.frames = [];
  let last = -1, before = performance.now();
  const look = () => {
    const now = performance.now(); window.frames.push(now - before); before = now;
    const line = document.querySelector("tl-lines")?.lines?.[0];
    const value = line?.y.at(-1);
    if (value !== undefined && line.y.length !== last) {
      last = line.y.length; window.ages.push(Date.now() - (start + value) * 1000);
    }
    requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
}"""


def percentile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def round_trip(url: str) -> float:
    """Return the median milliseconds of a request that does nothing."""
    times = []
    for _ in range(20):
        begin = time.perf_counter()
        urllib.request.urlopen(f"{url}/healthz").read()
        times.append((time.perf_counter() - begin) * 1000)
    return statistics.median(times)


def exists(served: Serving) -> bool:
    address = f"{served.url}/api/v1/projects/{served.banner['team']}/bench"
    key = {"Authorization": f"Bearer {served.banner['api_key']}"}
    try:
        urllib.request.urlopen(urllib.request.Request(address, headers=key))
    except urllib.error.HTTPError:
        return False
    return True


def watch(page: Page, served: Serving, folder: Path, points: int) -> None:
    start = time.time()
    trainer = subprocess.Popen(
        [sys.executable, "-c", TRAINER, str(start), str(points)],
        env={
            **os.environ,
            "TIDELOG_URL": served.url,
            "TIDELOG_API_KEY": served.banner["api_key"],
            "TIDELOG_DIR": str(folder / "buffer"),
            "TIDELOG_CONFIG_DIR": str(folder / "config"),
        },
        stderr=subprocess.DEVNULL,
    )
    until(lambda: exists(served), "the project exists")
    page.goto(f"{served.url}/{served.banner['team']}/bench/?sm=0")
    page.evaluate(WATCH, start)
    trainer.wait()


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--points", type=int, default=120)
    points = options.parse_args().points
    with tempfile.TemporaryDirectory(prefix="tidelog-bench-") as name, sync_playwright() as driver:
        folder = Path(name)
        with Serving(folder / "data", "--no-worker") as served:
            page = driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS).new_page()
            page.goto(served.banner["sign_in_url"])
            watch(page, served, folder, points)
            ages = page.evaluate("window.ages")[5:]
            frame = statistics.median(page.evaluate("window.frames"))
            print(f"points painted        {len(ages):7d}")
            print(
                f"log() to painted p50  {percentile(ages, 0.5):7.0f} ms  (target {TARGET_P50:.0f})"
            )
            print(
                f"log() to painted p95  {percentile(ages, 0.95):7.0f} ms  (target {TARGET_P95:.0f})"
            )
            print(f"one frame here        {frame:7.1f} ms")
            print(f"one round trip here   {round_trip(served.url):7.1f} ms")


if __name__ == "__main__":
    main()
