"""Questions to a project's run table, answered from memory."""

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import numpy as np

from tidelog_server.runtable.cache import table_of
from tidelog_server.runtable.columns import NUMBER, Dense, Slots
from tidelog_server.runtable.evaluation import TAG, Evaluation
from tidelog_server.runtable.query import parse, parse_key, parse_sort
from tidelog_server.runtable.query.tree import Key, Query, Scope
from tidelog_server.runtable.sorting import sorted_slots
from tidelog_server.runtable.table import DURATION, Table
from tidelog_server.tracking.models import Project, Run
from tidelog_server.tracking.rows import RunRow, run_row

MOST_RUNS = 500
MOST_VALUES = 100

KINDS = {
    "tag": "tags",
    "created": "time",
    "started": "time",
    "ended": "time",
    "duration": "duration",
}


@dataclass(frozen=True, slots=True)
class Selection:
    """Some of the runs that match, in the order asked for.

    rev      the revision that this is true at
    count    runs that match, not only the ones here
    keys     the bytes of the runs' primary keys; `runs` are the keys themselves
    columns  for each key that was asked for the value of each run: a float, a text or None
    """

    rev: int
    count: int
    keys: list[bytes]
    columns: dict[str, list[Any]]

    @property
    def runs(self) -> list[UUID]:
        return [UUID(bytes=key) for key in self.keys]


@dataclass(frozen=True, slots=True)
class RunPage:
    """Rows of a run table, as the API shows them; `rev` and `count` as in `Selection`."""

    rev: int
    count: int
    runs: list[RunRow]


@dataclass(frozen=True, slots=True)
class KnownKey:
    """A key that can be filtered and sorted by, what its values are, how many runs have it."""

    key: str
    kind: str
    runs: int


@dataclass(frozen=True, slots=True)
class KnownValue:
    value: Any
    runs: int


def run_table(
    project: Project,
    *,
    query: str = "",
    sort: str = "",
    offset: int = 0,
    limit: int = 100,
    after_rev: int = 0,
    columns: Sequence[str] = (),
) -> Selection:
    """Return the runs that match a query, without asking the database for them.

    query      `lr<1e-3 state:failed`: docs/reference/query-language.md; empty is all
    sort       `-summary.val/acc,name`; equal runs are newest first, absent values and NaN last
    after_rev  only runs that changed since this revision
    columns    keys whose values are wanted, too

    Raises QueryError.
    """
    tree, by = parse(query), parse_sort(sort)
    wanted = {text: parse_key(text) for text in columns}
    now = time.time()
    with table_of(project.pk) as table:
        slots = _matching(table, tree, now=now)
        if after_rev:
            slots = slots[table.revs[slots] > after_rev]
        page = sorted_slots(table, slots, by, now=now)[offset : offset + limit]
        values = {text: _values(table, key, page, now=now) for text, key in wanted.items()}
        pks = [table.pks[slot] for slot in page.tolist()]
        return Selection(table.rev, len(slots), pks, values)


def run_page(
    project: Project,
    *,
    query: str = "",
    sort: str = "",
    offset: int = 0,
    limit: int = 100,
    after_rev: int = 0,
) -> RunPage:
    """Return rows of the run table, as `run_table` selects them. Raises QueryError.

    The rows are read by their keys, so they are as new as the database, or newer than `rev`.
    """
    found = run_table(
        project, query=query, sort=sort, offset=offset, limit=limit, after_rev=after_rev
    )
    runs = Run.objects.present().defer("environment", "written", "command").with_gaps()
    keys = found.runs
    rows = runs.select_related("author").in_bulk(keys)
    present = [rows[key] for key in keys if key in rows]  # one may be deleted meanwhile
    return RunPage(found.rev, found.count, [run_row(run, gaps=run.gap_count) for run in present])


def known_keys(project: Project) -> list[KnownKey]:
    """Return every key that some run has: its summary's, its config's, and the run's own."""
    with table_of(project.pk) as table:
        return [
            KnownKey(str(Key(name, scope)), _kind(table, scope, name), runs)
            for scope, name in sorted(table.columns)
            if (runs := _runs_with(table, scope, name))
        ]


def known_values(project: Project, *, key: str, part: str = "") -> list[KnownValue]:
    """Return the commonest values of a key and how many runs have each.

    part  only texts that contain it, ignoring case

    Raises QueryError.
    """
    wanted = parse_key(key)
    with table_of(project.pk) as table:
        name = table.find(wanted)
        column = table.dense(name, time.time())
        if name is None or column is None:
            return []
        column = column.take(table.order())
    found = _tag_counts(column) if name == TAG else _value_counts(column)
    if part:
        found = [known for known in found if part.casefold() in str(known.value).casefold()]
    return sorted(found, key=lambda known: -known.runs)[:MOST_VALUES]


def _matching(table: Table, tree: Query, *, now: float) -> Slots:
    order = table.order()
    matched: Slots = order[Evaluation(table, now=now).mask(tree)[order]]
    return matched


def _values(table: Table, key: Key, slots: Slots, *, now: float) -> list[Any]:
    column = table.dense(table.find(key), now)
    return [None] * len(slots) if column is None else column.take(slots).values()


def _runs_with(table: Table, scope: Scope, name: str) -> int:
    if (scope, name) == (Scope.RUN, DURATION):
        return len(table.order())
    return table.columns[scope, name].count


def _kind(table: Table, scope: Scope, name: str) -> str:
    if scope is Scope.RUN and name in KINDS:
        return KINDS[name]
    numbers, texts = table.columns[scope, name].counts()
    return "mixed" if numbers and texts else "number" if numbers else "text"


def _value_counts(column: Dense) -> list[KnownValue]:
    numbers, times = np.unique(column.numbers[column.kinds == NUMBER], return_counts=True)
    codes, runs = np.unique(column.codes[column.is_text], return_counts=True)
    texts = [column.texts.values[code] for code in codes.tolist()]
    values = [*numbers.tolist(), *texts]
    return list(map(KnownValue, values, [*times.tolist(), *runs.tolist()]))


def _tag_counts(column: Dense) -> list[KnownValue]:
    tags = Counter(
        tag for code in column.codes[column.is_text] for tag in column.texts.lists().of(int(code))
    )
    return [KnownValue(tag, runs) for tag, runs in tags.items()]
