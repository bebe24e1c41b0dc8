"""What a page with charts starts from: addresses, the main metric, the first rows."""

from collections.abc import Iterable
from typing import Any, TypedDict
from urllib.parse import quote

from tidelog.wire.runs import jsonable
from tidelog_server.tracking.models import Project
from tidelog_server.tracking.rows import RunRow

# Where a project says nothing, the first of these that it logs is its main metric.
_PREFERRED = (
    "val/accuracy", "val/acc", "val/f1", "val/auc", "val/map", "val/score", "eval/accuracy",
    "test/accuracy", "accuracy", "eval/reward", "reward", "val/loss", "eval/loss", "test/loss",
    "train/accuracy", "train/loss", "loss",
)  # fmt: skip
_LOWER_IS_BETTER = ("loss", "error", "err", "perplexity", "ppl", "mse", "mae", "rmse", "wer", "fid")
_SHORT = {"accuracy": "acc"}
# What the page itself does not show stays on the server until someone asks for it.
_LEFT_OUT = {"config", "environment", "command", "dropped", "group", "job_type", "gaps"}


class Main(TypedDict):
    """The metric that a project is about; `lower` says which way is better."""

    key: str
    short: str
    lower: bool


def main_metric(keys: Iterable[str]) -> Main:
    """Return the metric to show beside each run, guessed from its name."""
    known = sorted(key for key in keys if not key.startswith("system/"))
    key = next((name for name in _PREFERRED if name in known), known[0] if known else "")
    words = key.lower().replace("-", "_").replace("/", "_").split("_")
    lower = any(word in _LOWER_IS_BETTER for word in words)
    return Main(key=key, short=_shortened(key), lower=lower)


def _shortened(key: str) -> str:
    head, _, tail = key.rpartition("/")
    return "/".join(filter(None, [head, _SHORT.get(tail, tail)]))


def api_address(project: Project) -> str:
    return f"/api/v1/projects/{quote(project.team.slug)}/{quote(project.slug)}"


def socket_address(project: Project, run: str = "") -> str:
    base = f"/ws/v1/{quote(project.team.slug)}/{quote(project.slug)}/"
    return f"{base}runs/{quote(run)}/" if run else base


def lean(row: RunRow, *, main: str) -> dict[str, Any]:
    """Return what the first paint needs of a row: of its summary, only the main metric."""
    kept: dict[str, Any] = {key: value for key, value in row.items() if key not in _LEFT_OUT}
    kept["summary"] = {main: row["summary"][main]} if main in row["summary"] else {}
    return dict(jsonable(kept))
