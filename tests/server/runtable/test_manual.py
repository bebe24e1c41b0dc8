"""Every example of the manual, asked of the runs of the manual."""

import re
from pathlib import Path

import pytest
from tests.server.runtable.test_table import DAY, NOW, a_change

from tidelog_server.runtable.evaluation import Evaluation
from tidelog_server.runtable.query import parse
from tidelog_server.runtable.query.tree import Op, Scope
from tidelog_server.runtable.table import Table

MANUAL = (Path(__file__).parents[3] / "docs/reference/query-language.md").read_text()


def rows_below(header: str) -> list[list[str]]:
    """Return the cells of the table that begins with a header."""
    table = MANUAL.partition(f"| {header} |")[2].partition("\n\n")[0].splitlines()[2:]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in table]


def pairs(cell: str) -> dict[str, object]:
    named = dict(pair.split("=") for pair in cell.split())
    return {key: float(v) if re.match(r"\d", v) else v for key, v in named.items()}


def a_table() -> Table:
    table = Table()
    for number, (name, state, tags, config, summary, length) in enumerate(rows_below("run"), 1):
        begin = NOW - 9 * DAY
        own = {"number": number, "name": name.strip("`"), "state": state}
        own |= {"tag": tags.split(", ") if tags else []}
        own |= {"created": begin, "started": None, "ended": begin + float(length), "duration": None}
        row = {Scope.RUN: own, Scope.CONFIG: pairs(config), Scope.SUMMARY: pairs(summary)}
        table.apply([a_change(row, pk=number, rev=number)])
    return table


@pytest.mark.parametrize(("query", "numbers"), rows_below("query"))
def test_finds_what_the_manual_says(query, numbers):
    tree = parse(query.strip("`").replace(r"\|", "|"))
    mask = Evaluation(a_table(), now=NOW).mask(tree)
    assert [slot + 1 for slot in mask.nonzero()[0]] == [int(number) for number in numbers.split()]


def test_every_operator_and_field_is_in_the_manual():
    fields = [name for scope, name in a_table().columns if scope is Scope.RUN]
    for word in [*(f"opt{op}adam" for op in (Op.IS, Op.IS_NOT, Op.HAS)), *fields]:
        assert f"`{word}`" in MANUAL
    for op in (Op.LESS, Op.AT_MOST, Op.MORE, Op.AT_LEAST):
        assert f"`lr{op}0.1`" in MANUAL
