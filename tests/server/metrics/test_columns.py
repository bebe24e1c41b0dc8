import json
import math
from array import array
from typing import Any

import pytest

from tidelog.wire.batch import BatchError, encode
from tidelog_server.metrics.columns import columns_from_body, columns_from_records


def body(axes: list[list[float]], series: list[tuple[str, int, list[float]]], **more: Any) -> bytes:
    """A columnar batch whose times are its steps plus 1,000."""
    header = {
        "v": 1,
        "from": 0,
        "to": 100,
        "axes": [len(steps) for steps in axes],
        "series": [{"key": key, "axis": axis, "n": len(v)} for key, axis, v in series],
        "records": [],
        "gaps": [],
        **more,
    }
    packed = [(floats(steps), floats([s + 1_000 for s in steps])) for steps in axes]
    return encode(header, packed, [floats(values) for _, _, values in series])


def floats(values: list[float]) -> bytes:
    return array("d", values).tobytes()


def record(seq: int, step: Any, time: Any = 5_000, **points: Any) -> list[Any]:
    return [seq, 1, {"s": step, "t": time, "d": points}]


def told(columns: Any) -> dict[str, list[tuple[float, float, float]]]:
    found = {}
    for column in columns.series:
        axis = columns.axes[column.axis]
        rows = zip(axis.steps.tolist(), axis.times.tolist(), column.values.tolist(), strict=True)
        found[column.key] = list(rows)
    return found


class TestColumnsFromBody:
    def test_reads_the_columns_in_place(self):
        given = body([[1, 2]], [("loss", 0, [0.5, 0.25]), ("acc", 0, [0, 1])])
        header, columns = columns_from_body(given)
        assert (header["from"], columns.n) == (0, 4)
        assert told(columns) == {
            "loss": [(1, 1001, 0.5), (2, 1002, 0.25)],
            "acc": [(1, 1001, 0), (2, 1002, 1)],
        }
        assert columns.series[0].values.base is not None

    def test_a_key_on_two_axes_becomes_one_column_in_order_of_time(self):
        given = body([[1, 3], [2, 4]], [("loss", 0, [1, 3]), ("loss", 1, [2, 4])])
        assert [value for _, _, value in told(columns_from_body(given)[1])["loss"]] == [1, 2, 3, 4]

    def test_leaves_out_bad_keys_and_names_them(self):
        bad = ["", "a\nb", "k" * 10_000]
        given = body([[1]], [("fine", 0, [1]), *((key, 0, [1.0]) for key in bad)])
        _, columns = columns_from_body(given)
        assert list(told(columns)) == ["fine"]
        assert [entry["code"] for entry in columns.rejected] == ["bad_key"] * 3
        assert max(len(entry["key"]) for entry in columns.rejected) == 100

    def test_a_lone_surrogate_is_named_in_a_way_that_can_be_sent(self):
        _, columns = columns_from_body(body([[1]], [("a\ud800", 0, [1])]))
        assert json.dumps(columns.rejected[0]).encode("utf-8")
        assert columns.n == 0

    @pytest.mark.parametrize("step", [math.nan, math.inf, -math.inf])
    def test_refuses_a_step_that_is_not_finite(self, step):
        with pytest.raises(BatchError) as refused:
            columns_from_body(body([[step]], [("loss", 0, [1])]))
        assert refused.value.code == "bad_step"

    def test_takes_a_step_of_2_to_the_63_and_any_value(self):
        given = body([[2.0**63, 0.5]], [("loss", 0, [math.inf, -math.inf])])
        assert columns_from_body(given)[1].n == 2

    def test_refuses_more_points_than_records(self):
        with pytest.raises(BatchError) as refused:
            columns_from_body(body([[1, 2, 3]], [("loss", 0, [1, 2, 3])], to=2))
        assert refused.value.code == "bad_batch"

    def test_refuses_too_many_keys(self):
        with pytest.raises(BatchError) as refused:
            columns_from_body(body([[1]], [(f"k{i}", 0, [1]) for i in range(10_001)]))
        assert refused.value.code == "too_many_keys"


class TestColumnsFromRecords:
    def test_gathers_points_in_order_of_the_records(self):
        records = [record(0, 2, loss=1), record(1, 1, loss="NaN", acc=0.5), record(2, 1, loss=3)]
        columns = columns_from_records(records)
        assert told(columns)["acc"] == [(1, 5, 0.5)]
        assert [step for step, _, _ in told(columns)["loss"]] == [2, 1, 1]
        assert math.isnan(told(columns)["loss"][1][2])

    def test_keys_of_the_same_records_share_an_axis(self):
        columns = columns_from_records([record(0, 0, a=1, b=1), record(1, 1, a=1, b=1, c=1)])
        a, b, c = (column.axis for column in columns.series)
        assert a == b != c

    def test_passes_over_other_types(self):
        assert columns_from_records([[0, 3, {"x": "text"}], [1, 99, {}]]).n == 0

    @pytest.mark.parametrize(
        ("wrong", "code"),
        [
            (record(7, None, loss=1), "bad_step"),
            (record(7, "Infinity", loss=1), "bad_step"),
            (record(7, True, loss=1), "bad_step"),
            (record(7, 1, None, loss=1), "bad_time"),
            (record(7, 1, -1, loss=1), "bad_time"),
            ([7, 1, {"s": 1, "t": 1, "d": [1]}], "bad_record"),
            ([7, 1, {}], "bad_step"),
            (record(7, 1, loss="high"), "bad_value"),
            (record(7, 1, loss={"a": 1}), "bad_value"),
            (record(7, 1, **{"": 1}), "bad_key"),
        ],
    )
    def test_leaves_out_a_bad_record_and_names_it(self, wrong, code):
        columns = columns_from_records([wrong, record(8, 1, loss=2)])
        assert [(entry["seq"], entry["code"]) for entry in columns.rejected] == [(7, code)]
        assert told(columns)["loss"] == [(1, 5, 2)]
