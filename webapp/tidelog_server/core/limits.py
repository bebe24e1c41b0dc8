"""How often a key may ask, and how often an address may be wrong about one.

After an outage every client comes at once. A token bucket for each key, in this process: so it
costs a microsecond, and works when Redis does not. Whoever asks too often is told when to come
back, each another time, so that they do not come together again.
"""

import math
import random
import time
from collections.abc import Hashable

from tidelog_server.core.errors import TooOften

# Far above what an honest trainer needs: a stream sends five batches a second at most.
KEY_RATE, KEY_BURST = 2_000.0, 10_000.0
WRONG_KEY_RATE, WRONG_KEY_BURST = 0.5, 30.0
MOST_BUCKETS = 10_000
LONGEST_WAIT = 30


class Buckets:
    """Buckets by name: `burst` tokens at first, `rate` new ones a second, never more than `burst`.

    No clock of its own: who takes a token says when.
    """

    def __init__(self, *, rate: float, burst: float) -> None:
        self._rate = rate
        self._burst = burst
        self._levels: dict[Hashable, tuple[float, float]] = {}

    def take(self, name: Hashable, now: float) -> float:
        """Take a token; returns how many seconds too early that was, 0.0 if it was not."""
        level, since = self._levels.get(name, (self._burst, now))
        level = min(self._burst, level + (now - since) * self._rate)
        if level < 1:
            return (1 - level) / self._rate
        if len(self._levels) >= MOST_BUCKETS and name not in self._levels:
            self._levels.clear()
        self._levels[name] = (level - 1, now)
        return 0.0


_keys = Buckets(rate=KEY_RATE, burst=KEY_BURST)
_wrong = Buckets(rate=WRONG_KEY_RATE, burst=WRONG_KEY_BURST)


def note_key(key: Hashable) -> None:
    """Count a request of a key that is right. Raises TooOften."""
    _check(_keys.take(key, time.monotonic()))


def note_wrong_key(address: str) -> None:
    """Count a request whose key is wrong; right ones from there are not affected. Raises TooOften.

    address  the IP address it comes from
    """
    _check(_wrong.take(address, time.monotonic()))


def forget() -> None:
    """Fill every bucket; for tests."""
    _keys._levels.clear()
    _wrong._levels.clear()


def _check(early: float) -> None:
    if early > 0:
        wait = min(LONGEST_WAIT, math.ceil(early) + random.randrange(LONGEST_WAIT))
        raise TooOften("Too many requests; try again later.", after=wait)
