"""Record, show and search machine-learning runs on a server of your own.

    import tidelog

    run = tidelog.init(project="digits", config={"lr": 0.1})
    for step in range(100):
        run.log({"train/loss": loss, "train/accuracy": accuracy}, step=step)
    run.finish()

Everything is on disk before `log` returns; another process sends it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

from tidelog.run import FINISH_SECONDS, Run
from tidelog.settings import VERSION as __version__
from tidelog.settings import resolve

__all__ = ["Run", "__version__", "config", "finish", "init", "log", "summary"]

_current: Run | None = None


def init(
    project: str | None = None,
    name: str | None = None,
    config: Any = None,
    tags: Sequence[str] | None = None,
    group: str | None = None,
    job_type: str | None = None,
    notes: str | None = None,
    id: str | None = None,  # noqa: A002
    mode: str | None = None,
    dir: str | os.PathLike[str] | None = None,  # noqa: A002
    *,
    console: bool = True,
    capture: bool = True,
    system: bool = True,
    durability: str = "process",
    strict: bool = False,
) -> Run:
    """Begin a run and return it. Never waits for the network.

    project   "team/project" or "project"; else TIDELOG_PROJECT
    name      what people call the run; else two words made from its id
    config    a dict, a namespace or a dataclass of what the run was given
    tags      short texts to find it by
    group     which runs it belongs with, such as the seeds of one configuration
    job_type  what kind of run it is within its group, such as "train" or "evaluate"
    notes     a longer text
    id        names the run; one that exists is continued. Else TIDELOG_RUN_ID, else a new one
    mode      "online", "offline" (disk only, `tidelog sync` later) or "disabled" (nothing at all)
    dir       the buffer directory; else TIDELOG_DIR, else ~/.tidelog/buffer
    console   whether what the script prints is recorded
    capture   whether command line, git commit and machine are recorded
    system    whether processor, memory and GPUs are measured every ten seconds
    durability  what `log` survives once it returns: "process", the end of this process, and all
              but the last second also a power cut; or "power", that too, at the cost of a disk
              flush for each call
    strict    whether a value that cannot be recorded as it is raises ValueError, instead of
              being replaced or dropped with a warning

    Raises ValueError for a mode or a name that makes no sense; never for the state of the
    disk or of the server.
    """
    global _current  # noqa: PLW0603  # the module-level twins speak of the newest run
    settings = resolve(project=project, run_id=id, mode=mode, directory=dir)
    run = Run(settings, name=name, durability=durability, strict=strict)
    run.begin(
        given_name=name,
        config=config,
        attributes={
            "tags": list(tags) if tags is not None else None,
            "group": group,
            "job_type": job_type,
            "notes": notes,
        },
        console=console,
        capture_environment=capture,
        system=system,
    )
    _current = run
    return run


def log(data: Mapping[str, Any], step: float | None = None) -> None:
    """Do what `Run.log` does, for the run begun last."""
    _running().log(data, step)


def finish(exit_code: int | None = None, *, timeout: float = FINISH_SECONDS) -> None:
    """Do what `Run.finish` does, for the run begun last; nothing if there is none."""
    if _current is not None:
        _current.finish(exit_code, timeout=timeout)


def _running() -> Run:
    if _current is None:
        raise RuntimeError("no run has begun; call tidelog.init() first")
    return _current


def __getattr__(name: str) -> Any:
    if name in ("config", "summary"):
        return getattr(_running(), name)
    raise AttributeError(f"module 'tidelog' has no attribute {name!r}")
