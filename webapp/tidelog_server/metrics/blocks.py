"""How a compacted series lies in chunks, and how new points are merged into them.

A series is a list of blocks in order of step; a block is a list of level-0 chunks of at most
4,096 points, sorted by step, in order of arrival among equal steps. Beside them a block has

    one level-2 row, its directory: one aggregate for each chunk, in order of step
    one level-1 row: aggregates of cells of about 64 points, none across two chunks, in the same
    order, of all chunks but the series' last one

so ten million points have some fifty directories to look through. Chunks are cut at the edges of
`cells`, and so are the aggregates in them: those that are no wider than a chart's bucket never lie
in two. New points go into the chunk they fall in, behind those of equal step. Points that come in
order touch the last chunk and the last directory until that chunk is full, and then the level-1
row and what is new. Late ones touch the chunks they fall in: a chunk that grows too long is cut
within its block, a block that grows beyond 128 chunks is cut, and the blocks behind it are
renumbered, which is rare.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Protocol

import numpy as np

from tidelog_server.metrics import codec
from tidelog_server.metrics.aggregates import Row, every, group_starts, no_aggregates, summarise
from tidelog_server.metrics.cells import cuts, fine_starts
from tidelog_server.metrics.codec import Matrix
from tidelog_server.metrics.tails import joined, sort
from tidelog_server.metrics.values import Points

CHUNK_POINTS = 4_096
FINE_POINTS = 64
BLOCK_CHUNKS = 64
BLOCK_CHUNKS_MAX = 128

POINTS, FINE, DIRECTORY = 0, 1, 2

Home = tuple[int, int]
Address = tuple[int, int, int]


class Source(Protocol):
    """Where the payloads of a series are read from: (level, block, index)."""

    def payload(self, address: Address) -> bytes | memoryview: ...


@dataclass(frozen=True, slots=True)
class Directory:
    """A block's level-2 row."""

    block: int
    chunks: Matrix


@dataclass(frozen=True, slots=True)
class Piece:
    """A level-0 chunk: where it lies, or what is to be written of it, or both (overwrite).

    stored_fine  its aggregates of level 1 while its points stay as they are, if they are needed
    home         (block, index) of its row
    """

    aggregate: Matrix
    stored_fine: Matrix | None = None
    home: Home | None = None
    points: Points | None = None

    def fine(self) -> Matrix:
        if self.points is not None:
            return summarise(self.points, fine_starts(self.points.steps, FINE_POINTS))
        return no_aggregates() if self.stored_fine is None else self.stored_fine


@dataclass(slots=True)
class Rewrite:
    """What is to be done to a series' rows, in this order: delete, move, write.

    moves   a block's number -> its new one
    writes  address -> (n, payload)
    """

    deletes: list[Address] = field(default_factory=list)
    moves: dict[int, int] = field(default_factory=dict)
    writes: dict[Address, tuple[int, bytes]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Plan:
    """A block to be: what it was stored as, and its pieces if they change."""

    stored: Directory | None
    pieces: Sequence[Piece] | None


Landing = dict[int, dict[int, Points]]


def landings(directories: Sequence[Directory], points: Points) -> Landing:
    """Return which points fall into which chunk: {position of block: {position in it: points}}."""
    if not directories:
        return {}
    first_steps = np.concatenate([d.chunks[Row.STEP_FIRST] for d in directories])
    sizes = [d.chunks.shape[1] for d in directories]
    ends = np.cumsum(sizes)
    chunk_of = np.maximum(np.searchsorted(first_steps, points.steps, side="right") - 1, 0)
    chunks, starts = np.unique(chunk_of, return_index=True)
    found: Landing = {}
    for chunk, start, end in zip(chunks, starts, np.append(starts, len(points))[1:], strict=True):
        block = int(np.searchsorted(ends, chunk, side="right"))
        position = int(chunk - (ends[block] - sizes[block]))
        found.setdefault(block, {})[position] = points[start:end]
    return found


def needed(directories: Sequence[Directory], landing: Landing) -> Iterator[Address]:
    """Yield the rows that `merge` will ask for, so that they can be read at once."""
    for position, chunks in landing.items():
        directory = directories[position]
        last = position == len(directories) - 1
        if _changes_fine(directory, chunks, last=last) and _sealed(directory, last=last):
            yield (FINE, directory.block, 0)
        for chunk in chunks:
            yield (POINTS, directory.block, int(directory.chunks[Row.CHUNK, chunk]))


def _sealed(directory: Directory, *, last: bool) -> int:
    """Return how many chunks are in the block's level-1 row: all but the series' last one."""
    return int(directory.chunks.shape[1]) - last


def _changes_fine(directory: Directory, arrived: dict[int, Points], *, last: bool) -> bool:
    """Whether more is touched than the series' last chunk, or that one gets too long."""
    position = directory.chunks.shape[1] - 1
    if not last or list(arrived) != [position]:
        return True
    return bool(directory.chunks[Row.N, position] + len(arrived[position]) > CHUNK_POINTS)


def merge(
    directories: Sequence[Directory], points: Points, landing: Landing, source: Source
) -> Rewrite:
    """Return what puts `points`, sorted, in their places.

    directories  of all blocks of the series, in order
    landing      what `landings` says of both
    """
    if not directories:
        plans = [_Plan(None, group) for group in _groups(_pieces(points), last=True)]
        return _rewrite(plans, source)
    plans = []
    for position, directory in enumerate(directories):
        if position not in landing:
            plans.append(_Plan(directory, None))
            continue
        last = position == len(directories) - 1
        pieces = list(_merged(directory, landing[position], source, last=last))
        first, *others = _groups(pieces, last=last)
        plans += [_Plan(directory, first), *(_Plan(None, group) for group in others)]
    return _rewrite(plans, source)


def _merged(
    directory: Directory, arrived: dict[int, Points], source: Source, *, last: bool
) -> Iterator[Piece]:
    """Yield the pieces of a block into whose chunks points have arrived."""
    fine = _fine_of(directory, arrived, source, last=last)
    for position, name in enumerate(directory.chunks[Row.CHUNK].astype(int).tolist()):
        home = (directory.block, name)
        if position in arrived:
            stored = Points(*codec.decode(source.payload((POINTS, *home))))
            yield from _pieces(sort(joined([stored, arrived[position]])), home=home)
        else:
            chunk = directory.chunks[:, position : position + 1]
            yield Piece(chunk, fine.get(name), home)


def _fine_of(
    directory: Directory, arrived: dict[int, Points], source: Source, *, last: bool
) -> dict[int, Matrix]:
    """Return the aggregates of a block's chunks by name; none if they stay as they are."""
    if not _sealed(directory, last=last) or not _changes_fine(directory, arrived, last=last):
        return {}
    return by_chunk(codec.decode(source.payload((FINE, directory.block, 0))))


def by_chunk(fine: Matrix) -> dict[int, Matrix]:
    """Return a level-1 row's aggregates by the name of their chunk."""
    starts = group_starts(fine[Row.CHUNK])
    names = fine[Row.CHUNK, starts].astype(int).tolist()
    return dict(zip(names, np.split(fine, starts[1:], axis=1), strict=True))


def _pieces(points: Points, *, home: Home | None = None) -> list[Piece]:
    """Cut points into chunks; the first is stored at `home`, if there is one."""
    starts = cuts(points.steps, CHUNK_POINTS)
    parts = [points[a:b] for a, b in pairwise([*starts.tolist(), len(points)])]
    return [_piece(part, home=None if index else home) for index, part in enumerate(parts)]


def _piece(points: Points, *, home: Home | None) -> Piece:
    return Piece(aggregate=summarise(points, every(1, 1)), home=home, points=points)


def _groups(pieces: list[Piece], *, last: bool) -> list[list[Piece]]:
    """Cut the pieces of a block into blocks, if they are too many for one."""
    size = BLOCK_CHUNKS
    if not last:
        if len(pieces) <= BLOCK_CHUNKS_MAX:
            return [pieces]
        size = -(-len(pieces) // -(-len(pieces) // BLOCK_CHUNKS))
    return [pieces[start : start + size] for start in range(0, len(pieces), size)]


def _rewrite(plans: Sequence[_Plan], source: Source) -> Rewrite:
    rewrite = Rewrite()
    for number, plan in enumerate(plans):
        if plan.stored is not None and plan.stored.block != number:
            rewrite.moves[plan.stored.block] = number
        if plan.pieces is not None:
            names = _write_points(rewrite, number, plan.stored, plan.pieces, source)
            last = number == len(plans) - 1
            _write_aggregates(rewrite, number, plan, names, last=last)
    return rewrite


def _write_points(
    rewrite: Rewrite,
    number: int,
    stored: Directory | None,
    pieces: Sequence[Piece],
    source: Source,
) -> list[int]:
    """Write the chunks of a block that are new or changed. Returns the names of all."""
    fresh = 0 if stored is None else int(stored.chunks[Row.CHUNK].max()) + 1
    names: list[int] = []
    for piece in pieces:
        stays = stored is not None and piece.home is not None and piece.home[0] == stored.block
        name = piece.home[1] if stays and piece.home is not None else fresh
        fresh += not stays
        names.append(name)
        if piece.points is not None:
            payload = codec.encode([piece.points.steps, piece.points.times, piece.points.values])
            rewrite.writes[POINTS, number, name] = (len(piece.points), payload)
        elif not stays and piece.home is not None:
            moved = bytes(source.payload((POINTS, *piece.home)))
            rewrite.writes[POINTS, number, name] = (int(piece.aggregate[Row.N, 0]), moved)
        if not stays and piece.home is not None:
            rewrite.deletes.append((POINTS, *piece.home))
    return names


def _write_aggregates(
    rewrite: Rewrite, number: int, plan: _Plan, names: Sequence[int], *, last: bool
) -> None:
    """Write a block's directory, and its level-1 row if that changes."""
    pieces = plan.pieces or ()
    directory = np.concatenate([piece.aggregate for piece in pieces], axis=1)
    directory[Row.CHUNK] = names
    rewrite.writes[DIRECTORY, number, 0] = (directory.shape[1], codec.encode(list(directory)))
    # The last chunk is left out: it changes with every merge, and is soon read as points.
    sealed = pieces[: len(pieces) - last]
    as_before = plan.stored is not None and plan.stored.chunks.shape[1] == len(pieces)
    if not sealed or (last and as_before and all(piece.points is None for piece in sealed)):
        return
    parts = [piece.fine() for piece in sealed]
    lengths = [part.shape[1] for part in parts]
    fine = np.concatenate(parts, axis=1)
    fine[Row.CHUNK] = np.repeat(names[: len(sealed)], lengths)
    rewrite.writes[FINE, number, 0] = (fine.shape[1], codec.encode(list(fine)))


def directory_of(directories: Sequence[Directory]) -> Matrix:
    """Return the aggregates of all chunks of a series, in order."""
    if not directories:
        return no_aggregates()
    return np.concatenate([directory.chunks for directory in directories], axis=1)


def count(directories: Sequence[Directory]) -> int:
    """Return how many points lie in the chunks of a series."""
    return int(sum(directory.chunks[Row.N].sum() for directory in directories))
