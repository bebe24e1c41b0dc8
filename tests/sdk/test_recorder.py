import json
import math
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.sdk.test_disk import a_recorder, stored

from tidelog.packing import Unpacker
from tidelog.recorder import Recorder
from tidelog.wire.frames import FrameType


class Scalar:
    """What numpy, torch and jax have in common."""

    def __init__(self, value):
        self.value = value

    def item(self):
        return self.value


class Angry:
    def __float__(self):
        raise SystemError("no")

    def __str__(self):
        raise SystemError("no")


@pytest.fixture
def said():
    return []


@pytest.fixture
def recorder(tmp_path, said):
    recorder = a_recorder(tmp_path, said)
    recorder.journal.open()
    return recorder


def points(recorder: Recorder) -> list[tuple[float, dict[str, float]]]:
    unpacker = Unpacker()
    found = []
    for frame in stored(recorder.journal):
        if frame.type == FrameType.METRICS:
            point = unpacker.read(frame.payload)
            values = struct.unpack(f"<{len(point.keys)}d", point.values)
            found.append((point.step, dict(zip(point.keys, values, strict=True))))
    return found


class TestLog:
    def test_takes_nested_dicts_as_paths(self, recorder):
        recorder.log({"train": {"loss": 1, "deep": {"er": 2}}, "lr": 3})
        assert points(recorder) == [(0, {"train/loss": 1, "train/deep/er": 2, "lr": 3})]

    @given(st.lists(st.floats(allow_nan=False), min_size=1, max_size=200))
    def test_keeps_every_bit(self, tmp_path_factory, numbers):
        recorder = a_recorder(tmp_path_factory.mktemp("run"), [])
        recorder.journal.open()
        for number in numbers:
            recorder.log({"x": number})
        assert [values["x"] for _, values in points(recorder)] == numbers

    def test_keeps_nan_and_the_infinities(self, recorder):
        for _ in range(2):
            recorder.log({"a": math.nan, "b": math.inf, "c": -math.inf})
        for _, values in points(recorder):
            assert math.isnan(values["a"])
            assert (values["b"], values["c"]) == (math.inf, -math.inf)

    def test_writes_what_a_person_can_read_now_and_then(self, recorder):
        for step in range(200):
            recorder.log({"loss": step})
        plain = [f for f in stored(recorder.journal) if b'"d":' in f.payload]
        assert 5 <= len(plain) <= 10

    @pytest.mark.parametrize(
        ("value", "number"),
        [(True, 1), (2**70, 2.0**70), (10**400, math.inf), (Scalar(3), 3), (Scalar(0.5), 0.5)],
    )
    def test_takes_what_means_a_number(self, recorder, value, number):
        for _ in range(3):
            recorder.log({"x": value})
        assert [values["x"] for _, values in points(recorder)] == [number] * 3

    @pytest.mark.parametrize("value", ["0.5", None, [1], object(), 1j, b"1", Angry(), Scalar("x")])
    def test_drops_what_does_not_and_says_so_once(self, recorder, said, value):
        for _ in range(3):
            recorder.log({"loss": 1, "x": value})
        assert [values for _, values in points(recorder)] == [{"loss": 1}] * 3
        assert len(said) == 1
        assert recorder.bad["not_a_number"] == 3

    def test_takes_arrays_of_one(self, recorder):
        numpy = pytest.importorskip("numpy")
        for _ in range(2):
            recorder.log({"a": numpy.float32(0.5), "b": numpy.array([2.0]), "c": numpy.int64(3)})
        assert [v for _, v in points(recorder)] == [{"a": 0.5, "b": 2, "c": 3}] * 2

    @pytest.mark.parametrize("data", [None, [1], "loss", 3, {}])
    def test_never_raises_for_what_is_no_dict(self, recorder, data):
        recorder.log(data)
        assert points(recorder) == []

    @pytest.mark.parametrize("key", ["k" * 10_000, "a\nb", "\ud800", 7, None, ("a", 1), ""])
    def test_cleans_keys_that_cannot_name_a_series(self, recorder, key):
        recorder.log({key: 1})
        ((_, values),) = points(recorder)
        (name,) = values
        assert 0 < len(name.encode()) <= 512

    def test_ends_very_deep_and_very_wide_dicts(self, recorder, said):
        deep: dict[str, object] = {"x": 1}
        for _ in range(100):
            deep = {"d": deep}
        recorder.log({"deep": deep, "loss": 1})
        recorder.log({f"k{i}": i for i in range(12_000)})
        found = points(recorder)
        assert found[0] == (0, {"loss": 1})
        assert sum(len(values) for _, values in found[1:]) == 10_000
        assert len(said) == 2

    def test_survives_a_dict_that_holds_itself(self, recorder):
        loop: dict[str, object] = {"loss": 1}
        loop["self"] = loop
        recorder.log(loop)
        assert points(recorder)[0][1]["loss"] == 1


class TestSteps:
    def test_count_by_themselves(self, recorder):
        for _ in range(3):
            recorder.log({"x": 1})
        assert [step for step, _ in points(recorder)] == [0, 1, 2]

    def test_may_be_any_finite_number(self, recorder, said):
        steps = [5, 5, 3, -1, 0.25, 2**63, 1e300, 10**9, True]
        for step in steps:
            recorder.log({"x": 1}, step)
        assert [step for step, _ in points(recorder)] == [float(step) for step in steps]
        assert said == []

    def test_go_on_from_the_last_one(self, recorder):
        recorder.log({"x": 1}, 10)
        recorder.log({"x": 1})
        assert [step for step, _ in points(recorder)] == [10, 11]

    @pytest.mark.parametrize("step", [math.nan, math.inf, "7", [], 10**400, Angry()])
    def test_that_are_none_are_replaced_and_told_once(self, recorder, said, step):
        for _ in range(2):
            recorder.log({"x": 1}, step)
        assert [step for step, _ in points(recorder)] == [0, 1]
        assert len(said) == 1


class TestClock:
    def test_that_jumps_changes_no_order_and_no_interval(self, recorder, monkeypatch):
        walls = iter([5_000_000_000, 9_000_000_000, 1_000_000_000, 1_000_000_000])
        monkeypatch.setattr("tidelog.recorder._wall", lambda: next(walls))
        for step in range(4):
            recorder.log({"x": step}, step)
        frames = [f for f in stored(recorder.journal) if f.type == FrameType.METRICS]
        said = [json.loads(frame.payload) for frame in frames]
        assert [each["s"] for each in said] == [0, 1, 2, 3]
        assert [each["t"] for each in said] == [5_000, 9_000, 1_000, 1_000]
        assert sorted(each["n"] for each in said) == [each["n"] for each in said]


class TestSet:
    def ops(self, recorder):
        frames = [f for f in stored(recorder.journal) if f.type == FrameType.SET]
        return [op for frame in frames for op in json.loads(frame.payload)["ops"]]

    def test_writes_nan_as_its_name(self, recorder):
        recorder.set("config", [("lr", math.nan)])
        assert self.ops(recorder) == [["lr", "NaN"]]

    def test_cuts_what_is_too_large_for_one_record(self, recorder):
        recorder.set("config", [(f"k{i}", "x" * 60_000) for i in range(100)])
        frames = [f for f in stored(recorder.journal) if f.type == FrameType.SET]
        assert len(self.ops(recorder)) == 100
        assert len(frames) > 3


class TestAfterTheEnd:
    def test_nothing_is_taken_and_it_is_said(self, recorder, said):
        recorder.log({"x": 1})
        recorder.journal.close(lambda _: {"state": "finished"})
        recorder.end()
        recorder.log({"x": 2})
        recorder.log({"x": 3})
        assert len(points(recorder)) == 1
        assert len(said) == 1


class TestStrictRun:
    @pytest.fixture
    def strict(self, tmp_path):
        recorder = Recorder(a_recorder(tmp_path, []).journal, say=print, strict=True)
        recorder.journal.open()
        return recorder

    @pytest.mark.parametrize(
        "data", [{"x": "0.5"}, {"x": None}, {"a\nb": 1}, None, {f"k{i}": 1 for i in range(10_001)}]
    )
    def test_raises_for_what_cannot_be_recorded_and_records_nothing_of_it(self, strict, data):
        with pytest.raises(ValueError, match=r"number|key|dict"):
            strict.log({"loss": 1, **data} if data else data)
        assert points(strict) == []

    @pytest.mark.parametrize("known", [0, 2])
    def test_raises_for_a_step_that_is_none(self, strict, known):
        for step in range(known):
            strict.log({"loss": 1}, step)
        with pytest.raises(ValueError, match="step"):
            strict.log({"loss": 1}, math.nan)
        assert [step for step, _ in points(strict)] == list(range(known))

    def test_raises_for_a_text_that_would_be_cut(self, strict):
        from tidelog.attributes import Attributes

        class Long:
            def __str__(self):
                return "x" * 100_000

        config = Attributes(lambda ops: strict.set("config", ops), strict.note)
        for value in ("x" * 100_000, Long()):
            with pytest.raises(ValueError, match="cut"):
                config["text"] = value
        assert "text" not in config

    def test_raises_when_the_run_has_ended(self, strict):
        strict.end()
        with pytest.raises(ValueError, match="has ended"):
            strict.log({"loss": 1})

    def test_takes_nan_as_it_is(self, strict):
        strict.log({"loss": math.nan})
        assert len(points(strict)) == 1
