"""What a run says of the machine and the code it ran with. Never waits on the training."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path
from typing import Any

from tidelog import redact

GIT_SECONDS = 10


def environment() -> dict[str, Any]:
    """Return what can be known without starting a process: a few hundred microseconds."""
    uname = os.uname()
    return {
        "python": ".".join(map(str, sys.version_info[:3])),
        "platform": f"{uname.sysname} {uname.release} {uname.machine}",
        "host": uname.nodename,
        "pid": os.getpid(),
        "cpus": os.cpu_count(),
        "directory": _directory(),
        "command": command(),
        "variables": redact.environment(os.environ),
    }


def command() -> str:
    """Return the command line, without the secrets in it."""
    arguments = list(sys.orig_argv) if hasattr(sys, "orig_argv") else list(sys.argv)
    if arguments:
        arguments[0] = Path(arguments[0]).name
    return shlex.join(redact.argv(arguments))


def _directory() -> str:
    try:
        return str(Path.cwd())
    except OSError:
        return ""


def git(directory: str | None = None) -> dict[str, Any]:
    """Return commit, branch, remote and whether files differ; {} outside a repository."""
    commit = _git(["rev-parse", "HEAD"], directory)
    if commit is None:
        return {}
    remote = _git(["config", "--get", "remote.origin.url"], directory)
    found: dict[str, Any] = {
        "commit": commit,
        "branch": _git(["rev-parse", "--abbrev-ref", "HEAD"], directory),
        "remote": redact.text(remote) if remote else None,
        "dirty": bool(_git(["status", "--porcelain", "--untracked-files=no"], directory)),
    }
    return {name: value for name, value in found.items() if value is not None}


def _git(arguments: list[str], directory: str | None) -> str | None:
    import subprocess

    try:
        done = subprocess.run(
            ["git", *arguments],
            capture_output=True,
            text=True,
            errors="replace",
            check=True,
            timeout=GIT_SECONDS,
            cwd=directory,
            stdin=subprocess.DEVNULL,
            env={**os.environ, "GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0"},
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()
