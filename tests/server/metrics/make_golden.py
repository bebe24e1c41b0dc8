"""Write the golden chunk. Run it once a version of the codec; what it wrote is never rewritten."""

from pathlib import Path

import numpy as np

from tidelog_server.metrics.codec import VERSION, encode

GOLDEN = Path(__file__).parent / "golden"


def columns() -> list[np.ndarray]:
    """Columns of every form: whole numbers, thousandths, float32, float64."""
    random = np.random.default_rng(2026)
    n = 500
    steps = np.sort(random.integers(0, 10_000, n)).astype(float)
    times = (1_790_000_000_000 + np.cumsum(random.integers(1, 400, n))) / 1000
    narrow = random.normal(size=n).astype("f4").astype(float)
    narrow[:4] = [np.nan, np.inf, -np.inf, -0.0]
    return [steps, times, narrow, random.normal(size=n)]


def main() -> None:
    payload = GOLDEN / f"points_v{VERSION}.chunk"
    if payload.exists():
        raise SystemExit(f"{payload.name} is there already; a new format needs a new version")
    payload.write_bytes(encode(columns()))
    np.save(GOLDEN / f"points_v{VERSION}.npy", np.stack(columns()))


if __name__ == "__main__":
    main()
