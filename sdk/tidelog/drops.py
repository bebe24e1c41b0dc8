"""What could not be recorded, counted by reason and kind."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any

from tidelog.wire.frames import FrameType


class Drops:
    """How many records were given up, and which of them the stream has told of.

    Told counts add up: each DROPPED record speaks of those since the last one. The FINISH
    record repeats the totals.

    total  how many, by reason ("disk_full", "cap", "too_large")
    """

    def __init__(self) -> None:  # noqa: D107
        self.total: Counter[str] = Counter()
        self._untold: defaultdict[str, Counter[int]] = defaultdict(Counter)

    def __bool__(self) -> bool:
        """Whether there is something to tell."""
        return bool(self._untold)

    def count(self, why: str, kind: int, number: int = 1) -> None:
        """Count records of a kind."""
        self.total[why] += number
        self._untold[why][kind] += number

    def untold(self) -> list[tuple[str, dict[str, Any]]]:
        """Return (reason, what a DROPPED record says of it) for what was not told yet."""
        return [(why, _said(why, kinds)) for why, kinds in self._untold.items()]

    def told(self, why: str) -> None:
        """Note that the stream knows."""
        del self._untold[why]


def _said(why: str, kinds: Counter[int]) -> dict[str, Any]:
    named = {_name(kind): count for kind, count in kinds.items()}
    return {"n": kinds.total(), "why": why, "kinds": named}


def _name(kind: int) -> str:
    try:
        return FrameType(kind).name.lower()
    except ValueError:
        return str(kind)
