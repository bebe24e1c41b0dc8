"""From what people log to records in the journal. `log` is the hot path of the SDK."""

from __future__ import annotations

import json
import struct
import time
from binascii import b2a_base64
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tidelog import values
from tidelog.journal import Journal
from tidelog.packing import PACKED, Layout, plain
from tidelog.wire.frames import FrameType
from tidelog.wire.runs import jsonable

MAX_LAYOUTS = 1_000
KEYS_A_RECORD = 2_000
OPS_BYTES = 1024 * 1024

# Unknown keys, no dict, or values that do not say at once which number they are. Not Exception:
# what a signal handler raises here is the script's own business.
CLOSER_LOOK = (
    KeyError,
    AttributeError,
    TypeError,
    ValueError,
    OverflowError,
    RuntimeError,
    Warning,
    struct.error,
)

_METRICS = int(FrameType.METRICS)
_LIMIT = values.TOO_LARGE
_PLAIN = (int, float)
_wall = time.time_ns
_monotonic = time.monotonic_ns


class Recorder:
    """Normalises what is logged and writes it to the journal. Only raises if it is `strict`.

    journal  where records go; its lock also guards the steps and the layouts
    say      takes a sentence for the person who runs the script
    strict   whether a bad value raises ValueError; then nothing of its call is recorded

    `_ready` holds the layouts that the current segment has named and may be packed with.
    """

    def __init__(  # noqa: D107
        self, journal: Journal, *, say: Callable[[str], None], strict: bool = False
    ) -> None:
        self.journal = journal
        self._strict = strict
        self.bad: Counter[str] = Counter()
        self.next_step: float = 0
        self._ended = False
        self._say = say
        self._said: set[str] = set()
        self._layouts: dict[tuple[str, ...], Layout] = {}
        self._ready: dict[tuple[Any, ...], Layout] = {}

    def log(self, data: Mapping[str, Any], step: float | None = None) -> None:
        """Write one METRICS record; it survives the process once this returns.

        The common case, known keys with plain numbers, takes no detour here: the numbers are
        packed by one C call, which also takes the scalars of numpy and torch.
        """
        try:
            keys = tuple(data)
            layout = self._ready[keys]
            packed = layout.pack(*data.values())
        except CLOSER_LOOK:
            self._log_with_care(data, step)
            return
        journal = self.journal
        with journal.lock:
            if step is None:
                step = self.next_step
            elif step.__class__ not in _PLAIN or not -_LIMIT < step < _LIMIT:
                step = self._usable_step(step)
            self.next_step = step + 1
            layout.left -= 1
            if layout.left <= 0:
                self._ready.pop(keys, None)
            journal.append(
                _METRICS,
                PACKED
                % (
                    _wall() // 1_000_000,
                    _monotonic() // 1_000_000,
                    step,
                    layout.number,
                    b2a_base64(packed, newline=False),
                ),
            )

    def _log_with_care(self, data: Any, step: Any) -> None:
        if self._ended:
            self.note("ended", "the run has ended; what is logged now is dropped")
            return
        if not isinstance(data, Mapping):
            kind = type(data).__name__
            self.note("not_a_dict", f"log() takes a dict of numbers, not a {kind}; dropped")
            return
        numbers = values.flat_numbers(data, self.note)
        with self.journal.lock:
            usable = self.next_step if step is None else self._usable_step(step)
            self.next_step = usable + 1
            names, found = list(numbers), list(numbers.values())
            for start in range(0, len(names), KEYS_A_RECORD):
                part = slice(start, start + KEYS_A_RECORD)
                self._log_plain(_METRICS, usable, names[part], found[part])

    def system(self, numbers: Mapping[str, float]) -> None:
        """Write one SYSTEM record: what the machine did, the first thing to be dropped."""
        with self.journal.lock:
            step = self.next_step
            self._log_plain(FrameType.SYSTEM, step, list(numbers), list(numbers.values()))

    def _log_plain(
        self, kind: int, step: float, keys: Sequence[str], found: Sequence[float]
    ) -> None:
        layout = self._named(keys) if kind == _METRICS and self.journal.healthy else None
        payload = plain(
            wall_ms=_wall() // 1_000_000,
            mono_ms=_monotonic() // 1_000_000,
            step=step,
            keys=keys,
            values=found,
            layout=layout.number if layout else None,
        )
        self.journal.append(kind, payload)
        if layout and self.journal.healthy and layout.was_named():
            self._ready[layout.keys] = layout

    def _named(self, keys: Sequence[str]) -> Layout | None:
        names = tuple(keys)
        layout = self._layouts.get(names)
        if layout is None and len(self._layouts) < MAX_LAYOUTS:
            layout = self._layouts[names] = Layout(len(self._layouts), names)
        return layout

    def renewed(self) -> None:
        """Forget which layouts were named: a new segment tells everything itself."""
        self._ready.clear()
        for layout in self._layouts.values():
            layout.named = 0

    def end(self) -> None:
        """Take nothing more, and say so to whoever still logs."""
        self._ready.clear()
        self._ended = True

    def _usable_step(self, step: Any) -> float:
        usable = values.as_step(step)
        if usable is None:
            usable = self.next_step
            self.note("bad_step", f"a step of {step!r:.60} is no finite number; {usable} is used")
        return usable

    def set(self, kind: str, ops: Sequence[tuple[str, Any]]) -> None:
        """Write SET records for `ops`, [(path, value)], of config, summary, tags, ..."""
        rest = [[path, jsonable(value)] for path, value in ops]
        while rest:
            part = rest[:1]
            size = _length(part[0])
            while len(part) < len(rest) and (size := size + _length(rest[len(part)])) < OPS_BYTES:
                part.append(rest[len(part)])
            self._write(FrameType.SET, {"k": kind, "ops": part})
            del rest[: len(part)]

    def console(self, descriptor: int, text: str) -> None:
        """Write a CONSOLE record: 1 is stdout, 2 is stderr."""
        self._write(FrameType.CONSOLE, {"f": descriptor, "x": text})

    def event(self, name: str, **content: Any) -> None:
        """Write an EVENT record."""
        self._write(FrameType.EVENT, {"event": name, **content})

    def _write(self, kind: int, content: dict[str, Any]) -> None:
        record = {"t": _wall() // 1_000_000, **content}
        try:
            payload = json.dumps(record, separators=(",", ":"), allow_nan=False).encode()
        except (ValueError, TypeError, RecursionError) as error:
            self.note("unwritable", f"a value could not be written and is dropped: {error}")
            return
        self.journal.append(kind, payload)

    def note(self, kind: str, sentence: str) -> None:
        """Count a value that could not be taken as it was, and say so once for each kind."""
        if self._strict:
            raise values.BadValue(sentence)
        self.bad[kind] += 1
        if kind not in self._said:
            self._said.add(kind)
            self._say(sentence)


def _length(op: list[Any]) -> int:
    return len(json.dumps(op))
