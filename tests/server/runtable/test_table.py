"""A table in memory against plain Python over the same rows."""

import random
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.server.runtable.plain import Plain

from tidelog_server.runtable.evaluation import Evaluation
from tidelog_server.runtable.query.tree import And, Compare, Key, Not, Op, Or, Scope, SortBy, Word
from tidelog_server.runtable.query.tree import Value as Asked
from tidelog_server.runtable.sorting import sorted_slots
from tidelog_server.runtable.table import Change, Table

NOW = 1_795_000_000.0
DAY = 86_400.0
TAGS = ["base", "Best", "baseline", 'odd "tag"', "größe"]
NAMES = ["tide-swift", "TIDE-reef", "coral (2)", "Größe", "a.b"]
VALUES = [0.1, 1e-3, 3, -2, "NaN", "Infinity", "adam", "AdamW", "3", True, [1, 2], None]


def a_row(chance: random.Random, number: int) -> dict:
    """Return the fields of a run that might be."""
    created = NOW - chance.choice([0, DAY, 30 * DAY]) - chance.random() * DAY
    state = chance.choice(["running", "failed", "finished"])
    keys = ["lr", "opt", "val/loss", "name", f"only{chance.randrange(30)}"]
    return {
        Scope.RUN: {
            "number": number,
            "id": f"run{number}",
            "name": f"{chance.choice(NAMES)}-{number % 7}",
            "state": state,
            "tag": chance.sample(TAGS, chance.randrange(3)),
            "group": chance.choice([None, "exp-7", "Exp"]),
            "job_type": chance.choice([None, "train"]),
            "notes": chance.choice([None, "the base\nof it"]),
            "host": "node1",
            "author": chance.choice([None, "Ann", "Bob"]),
            "created": created,
            "started": chance.choice([None, created + 5]),
            "ended": None if state == "running" else created + chance.random() * DAY,
            "duration": None,
        },
        Scope.CONFIG: {key: chance.choice(VALUES) for key in chance.sample(keys, 3)},
        Scope.SUMMARY: {key: chance.choice(VALUES) for key in chance.sample(keys[:3], 2)},
    }


def a_change(row: dict | None, *, pk: int, rev: int) -> Change:
    if row is None:
        return Change(UUID(int=pk).bytes, rev, None)
    own = row[Scope.RUN]
    quoted = [tag.replace('"', '\\"') for tag in own["tag"]]
    tags = "[" + ",".join(f'"{tag}"' for tag in quoted) + "]"
    return Change(UUID(int=pk).bytes, rev, {**row, Scope.RUN: {**own, "tag": tags}})


class History:
    """Runs that were made, changed and deleted at random, and the table that heard of it."""

    def __init__(self, seed: int, *, changes: int) -> None:
        chance = random.Random(seed)
        self.rows: dict[int, dict] = {}
        self.table = Table()
        told = []
        for rev in range(1, changes + 1):
            pk = chance.randrange(changes // 3 + 1)
            number = self.rows[pk][Scope.RUN]["number"] if pk in self.rows else rev
            row = None if chance.random() < 0.2 and pk in self.rows else a_row(chance, number)
            self.rows.pop(pk, None)
            if row is not None:
                self.rows[pk] = row
            told.append(a_change(row, pk=pk, rev=rev))
            if chance.random() < 0.2:
                self.table.apply(told)
                told = told[-3:]  # what is told twice changes nothing
        self.table.apply(told)
        self.plain = Plain(list(self.rows.values()), now=NOW)

    def select(self, tree, by=()):
        order = self.table.order()
        slots = order[Evaluation(self.table, now=NOW).mask(tree)[order]]
        slots = sorted_slots(self.table, slots, by, now=NOW)
        numbers = self.table.dense(self.table.find(Key("number")), NOW)
        return [] if numbers is None else numbers.numbers[slots].astype(int).tolist()


KEYS = [
    *("lr", "opt", "val/loss", "name", "only3", "nothing", "state", "tag", "author", "group"),
    *("created", "started", "ended", "duration", "number", "notes", "job_type"),
]
TIMES = ["2026-11-18", "-7d", "now", "2026-11-18T12:30"]
keys = st.builds(Key, st.sampled_from(KEYS), st.sampled_from([Scope.ANY, Scope.ANY, *Scope]))
comparable = st.sampled_from(["0.1", "3", "-2", "1e-3", "inf", "nan", "12"])
texts = [
    "adam",
    "Adam",
    "base",
    "BASE",
    "größe",
    "tide",
    "true",
    "[1,2]",
    "fail",
    "*",
    "3",
    "",
    "nan",
]
loose = st.builds(Asked, st.sampled_from(texts), st.booleans()).filter(lambda v: v.text or v.quoted)
patterns = st.builds(Asked, st.sampled_from(["^a", "a$", "tide|coral", "[0-9]+", "b.*e", ""]))


ordered = st.sampled_from([Op.LESS, Op.AT_MOST, Op.MORE, Op.AT_LEAST])
equal = st.sampled_from([Op.IS, Op.IS_NOT, Op.HAS])


def compares(key):
    its, numbers = st.just(key), comparable.map(Asked)
    if key.name in {"created", "started", "ended"}:
        return st.builds(Compare, its, ordered | equal, st.sampled_from(TIMES).map(Asked))
    return (
        st.builds(Compare, its, ordered, numbers)
        | st.builds(Compare, its, equal, loose | numbers)
        | st.builds(Compare, its, st.just(Op.LIKE), patterns)
    )


leaves = keys.flatmap(compares) | st.sampled_from(["tide", "BASE", "größe", "7", "ann"]).map(Word)


def nested(inner):
    several = st.lists(inner, min_size=2, max_size=3).map(tuple)
    return st.builds(Not, inner) | st.builds(And, several) | st.builds(Or, several)


class TestTable:
    @settings(max_examples=60)
    @given(
        st.integers(0, 2**32),
        st.sampled_from([0, 1, 5, 60]),
        st.lists(st.recursive(leaves, nested, max_leaves=6), min_size=1, max_size=4),
        st.lists(st.builds(SortBy, keys, st.booleans()), max_size=4),
    )
    def test_selects_and_sorts_as_plain_rows_do(self, seed, changes, trees, by):
        history = History(seed, changes=changes)
        for tree in trees:
            expected = [row[Scope.RUN]["number"] for row in history.plain.select(tree, by)]
            assert history.select(tree, by) == expected, (str(tree), by)
