"""Frames of this layer: what was missed, in the container that batches and charts share."""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from tidelog.wire.batch import container_head
from tidelog.wire.runs import jsonable


def hello(
    *,
    rev: int,
    server: str,
    runs: Sequence[Mapping[str, Any]],
    series: Mapping[str, Mapping[str, int]],
) -> bytes:
    """Return what a page has missed up to revision `rev`.

    runs    rows that are newer than what the page knows
    series  run id -> key -> points stored: a page that has fewer reads the rest by REST
    """
    rows = jsonable(list(runs))
    return container_head(
        {"kind": "hello", "rev": rev, "server": server, "runs": rows, "series": series}
    )


def gone(*, run: str, rev: int) -> bytes:
    """Return the news that a run was deleted."""
    return container_head({"kind": "gone", "run": run, "rev": rev})


def shows(frame: bytes) -> tuple[str, int] | None:
    """Return the run whose row a frame shows and the row's revision, if it shows one."""
    length = int.from_bytes(frame[:4], "little")
    match orjson.loads(frame[4 : 4 + length]):
        case {"kind": "run", "run": {"id": str(run), "rev": int(rev)}}:
            return run, rev
        case {"kind": "gone", "run": str(run), "rev": int(rev)}:
            return run, rev
    return None
