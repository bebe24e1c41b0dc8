"""Small facts about this process and its machine, and its way to speak."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any


def say(sentence: str) -> None:
    """Tell the person who runs the script, without disturbing its output."""
    try:
        sys.stderr.write(f"tidelog: {sentence}\n")
        sys.stderr.flush()
    except (OSError, ValueError, AttributeError):  # no stderr, or a closed one: nobody listens
        return


def new_run_id() -> str:
    """Return a UUIDv7: ids of later runs sort behind those of earlier ones."""
    millis = time.time_ns() // 1_000_000
    number = (millis << 80) | int.from_bytes(os.urandom(10), "big")
    number = number & ~(0xF << 76) | (0x7 << 76)
    number = number & ~(0x3 << 62) | (0x2 << 62)
    text = f"{number:032x}"
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))


def host() -> str:
    """Return this machine's name."""
    return os.uname().nodename


def boot_id() -> str:
    """Return what tells this start of the machine from others, or "" if nobody knows."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""


def flat(content: Mapping[str, Any]) -> Sequence[tuple[str, Any]]:
    """Return what was captured as [("a/b", value)]."""
    flat: list[tuple[str, Any]] = []
    for key, value in content.items():
        if isinstance(value, Mapping):
            flat += [(f"{key}/{name}", inner) for name, inner in value.items()]
        else:
            flat.append((key, value))
    return flat
