"""Distinct texts, and what is asked of them: once for each text, not for each run."""

import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pyarrow as pa

Mask = NDArray[np.bool_]
Codes = NDArray[np.int32]

# What is searched and kept of a text; the database has all of it.
LONGEST_TEXT = 4_096
LONGEST_PATTERN = 200
# Bytes: the text, its place in the list and in the dict, its folded twin.
WEIGHT = 200
REGEX_SECONDS = 1.0
# Texts at a time; each has at most LONGEST_TEXT characters.
FIRST_BITE, LARGEST_BITE = 1, 16_384
MOST_ANSWERS = 16


class BadPattern(Exception):
    """A pattern that RE2 refuses, or that takes too long; the message is a sentence."""


class Texts:
    """Texts by code: 0, 1, 2, ... in order of arrival, each once and for good."""

    def __init__(self, values: Iterable[str] = ()) -> None:
        self.values: list[str] = list(values)
        self._codes: dict[str, int] | None = None
        self._folded: tuple[NDArray[np.uint8], NDArray[np.int64]] | None = None
        self._ranks: NDArray[np.int64] | None = None
        self._lists: Lists | None = None
        self._arrow: pa.StringArray | None = None
        self._answers: OrderedDict[tuple[str, str], Mask] = OrderedDict()
        self.nbytes = WEIGHT * len(self.values) + 2 * sum(map(len, self.values))

    def __len__(self) -> int:
        return len(self.values)

    def code(self, text: str) -> int:
        """Return the code of a text, which is added when it is new."""
        text = text[:LONGEST_TEXT]
        codes = self._index()
        code = codes.get(text)
        if code is None:
            code = codes[text] = len(self.values)
            self.values.append(text)
            self.nbytes += WEIGHT + 2 * len(text)
        return code

    def find(self, text: str) -> int:
        """Return the code of a text, -1 if no run has it."""
        return self._index().get(text, -1)

    def containing(self, needle: str) -> Mask:
        """Return for each text whether it contains `needle`, ignoring case."""
        wanted = needle.casefold().encode(errors="replace")
        return self._answer(("containing", needle), lambda first: self._holding(wanted, first))

    def matching(self, pattern: str) -> Mask:
        """Return for each text whether `pattern` matches in it. Raises BadPattern."""
        return self._answer(("matching", pattern), lambda first: self._liking(pattern, first))

    def ranks(self) -> NDArray[np.int64]:
        """Return for each text its place in the alphabet, ignoring case."""
        if self._ranks is None or len(self._ranks) != len(self):
            order = sorted(range(len(self)), key=lambda code: _alphabetical(self.values[code]))
            self._ranks = np.empty(len(self), np.int64)
            self._ranks[order] = np.arange(len(self))
        return self._ranks

    def lists(self) -> "Lists":
        """Return what the texts contain, each of which is a JSON list of texts."""
        if self._lists is None or len(self._lists.ends) != len(self):
            self._lists = _lists(self.values)
        return self._lists

    def _index(self) -> dict[str, int]:
        if self._codes is None:  # texts out of a snapshot may never be asked for theirs
            self._codes = {text: code for code, text in enumerate(self.values)}
        return self._codes

    def _answer(self, question: tuple[str, str], ask: Callable[[int], Mask]) -> Mask:
        """Return what was answered lately; `ask` answers for the texts from a code on."""
        known = self._answers.pop(question, np.empty(0, np.bool_))
        if len(known) < len(self):
            known = np.concatenate([known, ask(len(known))])
        self._answers[question] = known
        if len(self._answers) > MOST_ANSWERS:
            self._answers.popitem(last=False)
        return known

    def _holding(self, needle: bytes, first: int) -> Mask:
        blob, ends = _folded(self.values[first:]) if first else self._blob()
        hit = np.zeros(len(ends), np.bool_)
        hit[np.searchsorted(ends, _occurrences(blob, needle), side="right")] = True
        return hit

    def _liking(self, pattern: str, first: int) -> Mask:
        if self._arrow is None or len(self._arrow) != len(self):
            # 35 MB and 200 ms to import: who is never asked for a pattern does not pay.
            import pyarrow as pa

            self._arrow = pa.array(self.values, pa.string())
        return _matching(self._arrow[first:], pattern)

    def _blob(self) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
        if self._folded is None or len(self._folded[1]) != len(self):
            self._folded = _folded(self.values)
        return self._folded


@dataclass(frozen=True, slots=True)
class Lists:
    """Lists of texts: list i is members[ends[i - 1] : ends[i]], codes into `texts`."""

    texts: Texts
    members: Codes
    ends: NDArray[np.int64]

    def of(self, number: int) -> list[str]:
        """Return one list."""
        begin = self.ends[number - 1] if number else 0
        return [self.texts.values[code] for code in self.members[begin : self.ends[number]]]

    def with_one_of(self, hit: Mask) -> Mask:
        """Return for each list whether one of its texts was hit."""
        before = np.concatenate([[0], np.cumsum(hit[self.members])])
        begins = np.concatenate([[0], self.ends[:-1]])
        some: Mask = before[self.ends] > before[begins]
        return some


def _lists(values: Iterable[str]) -> Lists:
    texts = Texts()
    lists = [list(map(texts.code, orjson.loads(value))) for value in values]
    ends = np.cumsum([len(codes) for codes in lists], dtype=np.int64)
    members = np.fromiter(chain.from_iterable(lists), np.int32)
    return Lists(texts, members, ends)


def _alphabetical(text: str) -> tuple[str, str]:
    return text.casefold(), text


def _occurrences(blob: NDArray[np.uint8], needle: bytes) -> NDArray[np.int64]:
    """Return where `needle` begins in `blob`: the first byte tells candidates, each more fewer."""
    if not needle or len(needle) > len(blob):
        return np.arange(0 if needle else len(blob))
    found = np.flatnonzero(blob[: len(blob) - len(needle) + 1] == needle[0])
    for ahead, byte in enumerate(needle[1:], 1):
        found = found[blob[found + ahead] == byte]
    return found


def _folded(values: Sequence[str]) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Return all texts, folded, one after the other, and where each ends."""
    # No text contains NUL, which no database keeps: it parts them.
    joined = "".join(f"{text}\0" for text in values).casefold()
    blob = np.frombuffer(joined.encode(errors="replace"), np.uint8)
    return blob, np.flatnonzero(blob == 0) + 1


def _matching(texts: "pa.StringArray", pattern: str) -> Mask:
    """Return for each text whether the pattern matches somewhere in it.

    RE2 takes time linear in the text, whatever the pattern. The factor can still be large, so the
    texts are eaten in bites that grow while they are quick.
    """
    if len(pattern) > LONGEST_PATTERN:
        raise BadPattern(f"A pattern has at most {LONGEST_PATTERN} characters.")
    parts, at, bite = [_bite(texts[:0], pattern)], 0, FIRST_BITE
    deadline = time.monotonic() + REGEX_SECONDS
    while at < len(texts):
        if time.monotonic() > deadline:
            raise BadPattern("This pattern takes too long; make it simpler.")
        parts.append(_bite(texts[at : at + bite], pattern))
        at, bite = at + bite, min(bite * 2, LARGEST_BITE)
    return np.concatenate(parts)


def _bite(texts: "pa.StringArray", pattern: str) -> Mask:
    import pyarrow as pa
    import pyarrow.compute as pc

    try:
        found: Any = pc.match_substring_regex(texts, pattern, ignore_case=True)
    except pa.ArrowInvalid as error:
        reason = str(error).removeprefix("Invalid regular expression: ")
        raise BadPattern(f"The pattern is not understood: {reason}.") from error
    mask: Mask = found.to_numpy(zero_copy_only=False)
    return mask
