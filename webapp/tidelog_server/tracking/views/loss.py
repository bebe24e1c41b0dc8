"""What was lost of a run on its way here, in words."""

from collections.abc import Mapping

from django.db.models import F, Sum

from tidelog_server.tracking.models import Run

_DROPPED = {
    "disk_full": "the disk was full",
    "too_large": "one record was larger than a record may be",
    "too_many_keys": "the run has more metrics than are kept",
    "not_a_number": "they were not numbers",
    "not_a_dict": "log() was not given a dict",
    "bad_key": "the metric's name cannot be kept",
    "bad_step": "the step was not a number",
    "too_deep": "they were nested too deeply",
    "ended": "the run had ended",
    "unwritable": "they could not be written",
}
_MISSING = {
    "corrupt": "damaged on disk",
    "missing": "their file was gone",
    "expired": "kept offline for longer than the buffer holds",
}


def losses(run: Run) -> list[str]:
    """Return one sentence for each way in which something of the run was lost."""
    missing = run.gaps.values("why").annotate(n=Sum(F("end") - F("start"))).order_by("why")
    return dropped_words(run.dropped) + missing_words({row["why"]: row["n"] for row in missing})


def dropped_words(dropped: Mapping[str, int]) -> list[str]:
    """Return what the training's machine or this server could not take."""
    return [
        f"{_counted(n, 'point was', 'points were')} not recorded: {_DROPPED.get(why, _plain(why))}."
        for why, n in sorted(dropped.items())
        if n
    ]


def missing_words(missing: Mapping[str, int]) -> list[str]:
    """Return what was recorded and did not arrive."""
    return [
        f"{_counted(n, 'record is', 'records are')} missing: {_MISSING.get(why, _plain(why))}."
        for why, n in missing.items()
        if n
    ]


def _counted(n: int, one: str, many: str) -> str:
    return f"{n:,} {one if n == 1 else many}"


def _plain(why: str) -> str:
    return why.replace("_", " ") or "nobody knows why"
