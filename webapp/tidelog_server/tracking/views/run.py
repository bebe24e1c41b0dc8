"""A run's pages: Overview, Charts, Logs."""

import math
from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.timezone import now

from tidelog.wire.runs import jsonable
from tidelog_server.core.gate import Action, caller_of, opens
from tidelog_server.metrics.values import SeriesTotal
from tidelog_server.tracking.models import Run
from tidelog_server.tracking.rows import duration
from tidelog_server.tracking.selectors import console_lines, detail, series_of
from tidelog_server.tracking.views.crumbs import project_crumbs
from tidelog_server.tracking.views.live_page import (
    Main,
    api_address,
    main_metric,
    socket_address,
)
from tidelog_server.tracking.views.loss import losses
from tidelog_server.tracking.views.tree import tree_of

FIGURES = 6
_SPLITS = {"val": 0, "test": 1, "eval": 1, "train": 2}
# After so many seconds without a word, a running run is shown as silent.
SILENT = 60
TROUBLED = {Run.State.FAILED, Run.State.CRASHED}
_WORDS_OF_FAILURE = ("error", "exception", "killed", "fatal", "traceback")


@opens("run", Action.READ)
def overview(request: HttpRequest, run: Run) -> HttpResponse:
    parts = {
        "config": tree_of(run.config),
        "summary": sorted(run.summary.items()),
        "environment": tree_of(flattened(run.environment)),
    }
    return _page(request, run, "overview", parts)


@opens("run", Action.READ)
def notes(request: HttpRequest, run: Run) -> HttpResponse:
    """Draw the notes alone, as the overview shows them: the page asks after an edit."""
    return render(request, "tracking/run_notes.html", {"run": run})


@opens("run", Action.READ)
def charts(request: HttpRequest, run: Run) -> HttpResponse:
    return _page(request, run, "charts", {})


@opens("run", Action.READ)
def logs(request: HttpRequest, run: Run) -> HttpResponse:
    address = f"{api_address(run.project)}/runs/{run.run_id}/logs"
    return _page(request, run, "logs", {"logs_url": address})


def _page(request: HttpRequest, run: Run, tab: str, more: Mapping[str, Any]) -> HttpResponse:
    series = [s for s in series_of(run) if not s.key.startswith("system/")]
    main = main_metric(s.key for s in series)
    context = {
        "project": run.project,
        "run": run,
        "writable": caller_of(request).may(Action.WRITE, run.project.team_id),
        "here": "run",
        "tab": tab,
        "crumbs": project_crumbs(run.project, leaf=run.name),
        "seconds": duration(run),
        "silence": silence(run),
        "path": f"{run.project.team.slug}/{run.project.slug}/{run.run_id}",
        "resume": f"TIDELOG_RUN_ID={run.run_id} {run.command or 'python train.py'}",
        "losses": losses(run),
        "stored": sum(s.n for s in series),
        "metrics": len(series),
        "started": run.started_at or run.created_at,
        "figures": figures(series, main),
        "trouble": trouble(run) if run.state in TROUBLED else None,
        "page": _page_data(run, main),
        **more,
    }
    return render(request, f"tracking/run_{tab}.html", context)


def silence(run: Run) -> float | None:
    """Return for how many seconds a running run has said nothing, if that is long."""
    if run.state != Run.State.RUNNING:
        return None
    past = (now() - run.heard_at).total_seconds()
    return past if past > SILENT else None


def figures(series: list[SeriesTotal], main: Main) -> list[dict[str, Any]]:
    """Return the headline figures: the main metric first, then the other common ones."""
    order = sorted(series, key=lambda s: (s.key != main["key"], *_rank(s.key)))
    return [_figure(s, main["key"], lower=main["lower"]) for s in order[:FIGURES]]


def _rank(key: str) -> tuple[int, bool, str]:
    head, _, tail = key.rpartition("/")
    told = any(word in tail.lower() for word in ("loss", "acc", "score", "reward"))
    return _SPLITS.get(head, len(_SPLITS)), not told, key


def _figure(series: SeriesTotal, main: str, *, lower: bool) -> dict[str, Any]:
    best = (series.min if lower else series.max) if series.key == main else None
    known = best is not None and math.isfinite(best)
    return {"key": series.key, "last": series.last, "best": best if known else None}


def trouble(run: Run) -> dict[str, Any]:
    """Return what a failed run said last: the last line that names an error, and its number."""
    tail = console_lines(run, first=-200, limit=200).lines
    for number, _, _, text in reversed(tail):
        if any(word in text.lower() for word in _WORDS_OF_FAILURE):
            return {"text": text.strip(), "line": number + 1}
    silent = "The process vanished without a word" if run.state == Run.State.CRASHED else "Failed"
    return {"text": silent, "line": None}


def flattened(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return nested values as "a/b": value, lists as text."""
    out: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, Mapping):
            out |= flattened(value, f"{prefix}{key}/")
        else:
            out[f"{prefix}{key}"] = ", ".join(map(str, value)) if isinstance(value, list) else value
    return out


def _page_data(run: Run, main: Main) -> dict[str, Any]:
    row = {**detail(run), "environment": {}, "config": {}}
    return {
        "api": api_address(run.project),
        "socket": socket_address(run.project, run.run_id),
        "run": run.run_id,
        "workspace": reverse("workspace", args=[run.project.team.slug, run.project.slug]),
        "main": main,
        "first": {
            "runs": [jsonable(row)],
            "keys": [s.key for s in series_of(run)],
            "count": 1,
            "rev": run.rev,
        },
    }
