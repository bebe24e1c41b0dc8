"""Runs in the order that is asked for."""

from collections.abc import Sequence

import numpy as np

from tidelog_server.runtable.columns import Ranks, Slots
from tidelog_server.runtable.query.tree import SortBy
from tidelog_server.runtable.table import DURATION, Table

BITS = 62


def sorted_slots(table: Table, slots: Slots, by: Sequence[SortBy], *, now: float) -> Slots:
    """Return `slots` sorted, the first key first; equal ones keep their order.

    Each key becomes places in a row of few bits. Packed into one number with what is known of the
    order already, they are sorted at the speed of integers.
    """
    place = np.arange(len(slots), dtype=np.int64)
    bits = _bits(len(slots))
    # From the last key to the first: each weighs more than all behind it.
    for key in reversed(by):
        ranks, count = _ranks(table, key, slots, now=now)
        if bits + _bits(count + 1) > BITS:
            place, bits = _renumbered(place), _bits(len(slots))
        place |= ranks << bits
        bits += _bits(count + 1)
    if not by:
        return slots
    return slots[_order(place)]


def _ranks(table: Table, by: SortBy, slots: Slots, *, now: float) -> tuple[Ranks, int]:
    """Return places from 0, in the direction asked for; who has no value has the last one."""
    found = table.find(by.key)
    if found is None:
        return np.zeros(len(slots), np.int64), 1
    if found[1] == DURATION:
        known = table.dense(found, now)
        ranks, count = known.ranks() if known else (np.empty(0, np.int64), 0)
    else:
        ranks, count = table.columns[found].ranks(table.size)
    ranks = ranks[slots]
    placed = count - 1 - ranks if by.descending else ranks
    return np.where(ranks < 0, count, placed), count


def _renumbered(place: Ranks) -> Ranks:
    """Return the same order in as few bits as there are runs; no two are equal."""
    fewer = np.empty_like(place)
    fewer[_order(place)] = np.arange(len(place))
    return fewer


def _order(place: Ranks) -> Slots:
    return np.argsort(place)  # no two are equal, so it need not be a stable sort


def _bits(count: int) -> int:
    return max(1, count.bit_length())
