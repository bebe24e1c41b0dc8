"""What must not leave the machine: secrets in arguments, URLs and on the console."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

MASK = "***"
_SECRET_NAME = re.compile(r"key|token|secret|passw|auth|cred", re.IGNORECASE)
_USERINFO = re.compile(r"(://)[^/\s@]{1,256}@")
_KNOWN_SECRET = re.compile(
    r"\b(?:tl_|sk-|hf_|gh[pousr]_|github_pat_|glpat-|xox[baprs]-|AKIA|ASIA|AIza)[A-Za-z0-9_\-]{12,}"
)
_ALLOWED_ENVIRONMENT = re.compile(
    r"CUDA_VISIBLE_DEVICES|CUDA_DEVICE_ORDER|CUDA_LAUNCH_BLOCKING|NCCL_[A-Z_]+|OMP_NUM_THREADS"
    r"|SLURM_JOB_ID|SLURM_JOB_NAME|SLURM_NNODES|SLURM_NTASKS|SLURM_PROCID"
    r"|WORLD_SIZE|RANK|LOCAL_RANK|PYTHONHASHSEED"
)


def text(line: str) -> str:
    """Mask tokens that are known by their prefix, and user names and passwords in URLs."""
    return _USERINFO.sub(rf"\1{MASK}@", _KNOWN_SECRET.sub(MASK, line))


def argv(arguments: Sequence[str]) -> list[str]:
    """Mask the values of `--api-key v`, `--token=v`, `password=v` and their like."""
    clean: list[str] = []
    hide_next = False
    for argument in arguments:
        name, equals, _ = argument.partition("=")
        is_option = name.startswith("-")
        if hide_next and not is_option:
            clean.append(MASK)
            hide_next = False
            continue
        secret = bool(_SECRET_NAME.search(name)) and (is_option or bool(equals))
        clean.append(f"{name}={MASK}" if secret and equals else text(argument))
        hide_next = secret and not equals
    return clean


def environment(variables: Mapping[str, str]) -> dict[str, str]:
    """Return the few variables that explain a run; nothing that is not on the list."""
    return {
        name: text(value)
        for name, value in variables.items()
        if _ALLOWED_ENVIRONMENT.fullmatch(name)
    }
