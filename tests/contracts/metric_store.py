"""What every metric store does, back end by back end: `test_metric_store.py` names them.

The model of a store is a plain list of points (step, time, value) in order of arrival.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from uuid import UUID, uuid4

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tidelog_server.metrics.columns import Axis, Columns, SeriesColumn
from tidelog_server.metrics.store import MetricStore
from tidelog_server.metrics.values import Points, RunAxis, SeriesTotal, Window, X

STREAM = "ab" * 16
NAN, INF = math.nan, math.inf

Point = tuple[float, float, float]


def columns_of(series: dict[str, Sequence[Point]]) -> Columns:
    """Columns in which every key has an axis of its own."""
    rows = [np.array(points, float).reshape(-1, 3) for points in series.values()]
    return Columns(
        axes=tuple(Axis(row[:, 0].copy(), row[:, 1].copy()) for row in rows),
        series=tuple(
            SeriesColumn(key, index, rows[index][:, 2].copy()) for index, key in enumerate(series)
        ),
    )


def some_points(n: int, *, first_step: int = 0, every: int = 1) -> list[Point]:
    """Points of a noisy curve, a point every 100 milliseconds."""
    values = np.random.default_rng(first_step).normal(size=n)
    return [(float((first_step + i) * every), 1.79e9 + i / 10, values[i]) for i in range(n)]


@dataclass
class Log:
    """A run's stream as a store sees it, and the points it brought."""

    store: MetricStore
    run_id: UUID = field(default_factory=uuid4)
    stream: str = STREAM
    next: int = 0
    points: list[Point] = field(default_factory=list)

    def append(self, points: Sequence[Point], key: str = "loss") -> SeriesTotal:
        end = self.next + len(points)
        totals = self.store.append(
            run_id=self.run_id,
            stream=self.stream,
            start=self.next,
            end=end,
            columns=columns_of({key: points}),
        )
        self.next = end
        self.points += points
        return totals[0]

    def stored(self, *, after: int = 0, limit: int = 10**9) -> list[Point]:
        found = self.store.points(run_id=self.run_id, key="loss", after=after, limit=limit)
        return rows(found)

    def total(self) -> SeriesTotal:
        return self.store.series([self.run_id])[self.run_id][0]


def rows(points: Points) -> list[Point]:
    columns = (points.steps.tolist(), points.times.tolist(), points.values.tolist())
    return list(zip(*columns, strict=True))


def same(one: Sequence[Point], other: Sequence[Point]) -> bool:
    """Whether two lists hold the same points in the same order, a NaN being itself."""
    return np.array_equal(
        np.array(one).reshape(-1, 3), np.array(other).reshape(-1, 3), equal_nan=True
    )


def by_step(points: Sequence[Point]) -> list[Point]:
    return sorted(points, key=lambda point: point[0])


class MetricStoreContract:
    """Subclasses have a fixture `store`."""

    def test_gives_back_points_by_step_and_equal_steps_as_they_came(self, store: MetricStore):
        log = Log(store)
        log.append([(2, 10.0, 0.5), (1, 11.0, 0.25)])
        log.append([(1, 12.0, 0.75), (0.5, 9.0, 0.1)])
        expected = [(0.5, 9.0, 0.1), (1, 11.0, 0.25), (1, 12.0, 0.75), (2, 10.0, 0.5)]
        assert log.stored() == expected
        store.compact(log.run_id, force=True)
        assert log.stored() == expected

    def test_equal_steps_of_two_streams_keep_their_order(self, store: MetricStore):
        one = Log(store)
        other = Log(store, run_id=one.run_id, stream="00" * 16)
        for value in range(3):
            one.append([(1, 10.0, value)])
            other.append([(1, 10.0, value + 0.5)])
        assert [value for _, _, value in one.stored()] == [0, 0.5, 1, 1.5, 2, 2.5]

    def test_tells_what_a_series_holds_after_every_batch(self, store: MetricStore):
        log = Log(store)
        log.append([(5, 100.0, 3.0), (7, 101.0, 1.0)])
        total = log.append([(6, 99.0, 9.0)])
        assert total == SeriesTotal("loss", 3, 5, 7, 99.0, 101.0, last=1.0, min=1.0, max=9.0)
        assert log.total() == total

    def test_the_last_of_equal_steps_is_the_one_that_came_last(self, store: MetricStore):
        log = Log(store)
        log.append([(1, 1.0, 1.0), (1, 1.0, 2.0)])
        assert log.append([(1, 1.0, 3.0)]).last == 3.0

    def test_nan_is_a_value_but_neither_least_nor_greatest(self, store: MetricStore):
        log = Log(store)
        only_nan = log.append([(1, 1.0, NAN)])
        assert math.isnan(only_nan.last)
        assert math.isnan(only_nan.min)
        total = log.append([(0, 1.0, INF), (0, 1.0, -2.0)])
        assert math.isnan(total.last)
        assert (total.min, total.max) == (-2.0, INF)

    def test_names_the_keys_of_runs_and_how_many_have_them(self, store: MetricStore):
        one, other = Log(store), Log(store)
        one.append([(0, 0.0, 1.0)], key="loss")
        one.append([(0, 0.0, 1.0)], key="acc")
        other.append([(0, 0.0, 1.0)], key="loss")
        assert store.keys([one.run_id, other.run_id]) == {"acc": 1, "loss": 2}
        assert [total.key for total in store.series([one.run_id])[one.run_id]] == ["acc", "loss"]
        assert [t.key for t in store.series([one.run_id], ["loss"])[one.run_id]] == ["loss"]

    def test_a_run_without_points_has_nothing(self, store: MetricStore):
        run_id = uuid4()
        assert store.series([run_id]) == {run_id: []}
        assert len(store.points(run_id=run_id, key="loss", limit=10)) == 0
        chart = store.chart(key="loss", runs=[RunAxis(run_id)], width=100)
        assert (chart.n, chart.curves[0].range, chart.curves[0].total) == (0, 0, 0)

    def test_forgets_a_deleted_run_and_no_other(self, store: MetricStore):
        gone, kept = Log(store), Log(store)
        for log in (gone, kept):
            log.append([(0, 0.0, 1.0)])
            store.compact(log.run_id, force=True)
            log.append([(1, 0.0, 1.0)])
        store.delete(gone.run_id)
        assert store.series([gone.run_id]) == {gone.run_id: []}
        assert gone.stored() == []
        assert len(kept.stored()) == 2

    @pytest.mark.parametrize("compacted", [10_000, 12_000])
    def test_reads_any_slice_while_late_points_await_compaction(
        self, store: MetricStore, compacted: int
    ):
        log = Log(store)
        log.append(some_points(compacted, every=2))
        store.compact(log.run_id, force=True)
        log.append(some_points(500, first_step=1_000, every=3))
        expected = by_step(log.points)
        assert same(log.stored(), expected)
        assert same(log.stored(after=4_000, limit=700), expected[4_000:4_700])
        assert log.stored(after=len(expected), limit=5) == []


class ChartContract:
    """Subclasses have a fixture `store`."""

    def test_few_points_are_shown_as_they_are(self, store: MetricStore):
        log = Log(store)
        log.append([(0, 1.0, 1.0), (2, 2.0, NAN), (2, 3.0, 5.0)])
        chart = store.chart(key="loss", runs=[RunAxis(log.run_id)], width=100)
        assert chart.grid is None
        assert chart.x is not None
        assert chart.x.tolist() == [0, 2, 2]
        curve = chart.curves[0]
        assert np.array_equal(curve.columns["value"], [1.0, NAN, 5.0], equal_nan=True)
        assert (curve.nan.tolist(), curve.total, curve.range) == ([1], 3, 3)

    def test_runs_share_one_x_with_as_many_repeats_as_the_most(self, store: MetricStore):
        one, other = Log(store), Log(store)
        one.append([(1, 1.0, 10.0), (3, 1.0, 30.0)])
        other.append([(1, 1.0, 1.0), (1, 1.0, 2.0), (2, 1.0, 3.0)])
        chart = store.chart(
            key="loss", runs=[RunAxis(one.run_id), RunAxis(other.run_id)], width=100
        )
        assert chart.x is not None
        assert chart.x.tolist() == [1, 1, 2, 3]
        first, second = (curve.columns["value"] for curve in chart.curves)
        assert np.array_equal(first, [10, NAN, NAN, 30], equal_nan=True)
        assert np.array_equal(second, [1, 2, 3, NAN], equal_nan=True)

    def test_relative_time_counts_from_each_runs_origin(self, store: MetricStore):
        one, other = Log(store), Log(store)
        one.append([(0, 100.0, 1.0), (1, 101.0, 2.0)])
        other.append([(0, 500.0, 1.0), (1, 502.0, 2.0)])
        axes = [RunAxis(one.run_id, 100.0), RunAxis(other.run_id, 500.0)]
        chart = store.chart(key="loss", runs=axes, x=X.RELATIVE, width=100)
        assert chart.x is not None
        assert chart.x.tolist() == [0, 1, 2]
        wall = store.chart(key="loss", runs=axes, x=X.WALL, width=100)
        assert wall.x is not None
        assert wall.x.tolist() == [100, 101, 500, 502]

    def test_a_window_takes_both_of_its_ends(self, store: MetricStore):
        log = Log(store)
        log.append(some_points(10))
        chart = store.chart(key="loss", runs=[RunAxis(log.run_id)], window=Window(2, 5), width=100)
        assert chart.x is not None
        assert chart.x.tolist() == [2, 3, 4, 5]
        assert chart.curves[0].range == 4

    def test_a_window_beside_the_points_is_empty(self, store: MetricStore):
        log = Log(store)
        log.append(some_points(10))
        chart = store.chart(
            key="loss", runs=[RunAxis(log.run_id)], window=Window(50, 60), width=100
        )
        assert (chart.n, chart.curves[0].total, chart.curves[0].range) == (0, 10, 0)

    @pytest.mark.parametrize("n", [20_000, 140_000, 600_000])
    @pytest.mark.parametrize("x", list(X))
    def test_no_spike_is_lost_at_any_level(self, store: MetricStore, n: int, x: X):
        log = Log(store)
        points = some_points(n)
        spike, dip = n // 3, n // 3 + 1
        points[spike] = (*points[spike][:2], 1e6)
        points[dip] = (*points[dip][:2], -1e6)
        log.append(points[: n - 1_000])
        store.compact(log.run_id, force=True)
        log.append(points[n - 1_000 :])
        chart = store.chart(key="loss", runs=[RunAxis(log.run_id, 1.79e9)], x=x, width=100)
        assert chart.n <= 150
        columns = chart.curves[0].columns
        assert (np.nanmax(columns["max"]), np.nanmin(columns["min"])) == (1e6, -1e6)
        assert chart.curves[0].range == n

    @pytest.mark.parametrize("n", [20_000, 140_000, 600_000])
    @pytest.mark.parametrize(("first", "every"), [(0, 1), (1_234, 1), (5, 10), (0, 7)])
    def test_buckets_are_exact_wherever_steps_lie(
        self, store: MetricStore, n: int, first: int, every: int
    ):
        log = Log(store)
        log.append(some_points(n, first_step=first, every=every))
        store.compact(log.run_id, force=True)
        middle = log.points[n // 2][0]
        log.append([(middle, 1.79e9, NAN), (log.points[-1][0] + 1, 1.79e9, 3.0)])
        for width in (100, 700):
            chart = store.chart(key="loss", runs=[RunAxis(log.run_id)], width=width)
            assert_buckets(chart, log.points)

    def test_a_window_between_aggregates_counts_only_its_own_points(self, store: MetricStore):
        log = Log(store)
        points = [(step, time, 0.0) for step, time, _ in some_points(300_000)]
        points[1_000] = (*points[1_000][:2], 7.0)
        log.append(points)
        store.compact(log.run_id, force=True)
        chart = store.chart(
            key="loss", runs=[RunAxis(log.run_id)], window=Window(1_001, 250_777), width=100
        )
        assert np.nanmax(chart.curves[0].columns["max"]) == 0.0
        assert chart.curves[0].range == 250_777 - 1_001 + 1

    def test_runs_of_any_length_share_one_grid(self, store: MetricStore):
        long, short = Log(store), Log(store)
        long.append(some_points(200_000))
        short.append(some_points(5))
        for log in (long, short):
            store.compact(log.run_id, force=True)
        chart = store.chart(
            key="loss", runs=[RunAxis(long.run_id), RunAxis(short.run_id)], width=200
        )
        assert chart.grid is not None
        lengths = {len(column) for curve in chart.curves for column in curve.columns.values()}
        assert lengths == {chart.grid.n}
        assert np.isfinite(chart.curves[1].columns["mean"]).sum() == 1


def assert_buckets(chart, points: Sequence[Point], *, column: int = 0) -> None:
    """Assert that the first curve's buckets are what the plain list gives.

    column  of a point: 0 is the step, 1 the time
    """
    grid, curve = chart.grid, chart.curves[0]
    assert grid is not None
    ordered = by_step(points)
    index = grid.index(np.array([point[column] for point in ordered]))
    buckets: dict[int, list[float]] = {}
    for bucket, (_, _, value) in zip(index.tolist(), ordered, strict=True):
        buckets.setdefault(bucket, []).append(value)
    columns = curve.columns
    assert np.flatnonzero(columns["count"] > 0).tolist() == sorted(buckets)
    for bucket, values in buckets.items():
        numbers = [value for value in values if not math.isnan(value)]
        expected = {
            "count": len(values),
            "first": values[0],
            "last": values[-1],
            "min": min(numbers, default=NAN),
            "max": max(numbers, default=NAN),
        }
        shown = {name: columns[name][bucket] for name in expected}
        assert shown == pytest.approx(expected, rel=0, abs=0, nan_ok=True)
        assert columns["mean"][bucket] == pytest.approx(mean(numbers), nan_ok=True, abs=1e-6)
        assert (bucket in curve.nan) == (len(numbers) < len(values))


def mean(numbers: Sequence[float]) -> float:
    """Infinities of both signs, and none at all, have no mean. A sum may be infinite."""
    if not numbers or (INF in numbers and -INF in numbers):
        return NAN
    with np.errstate(over="ignore"):
        return float(np.sum(numbers)) / len(numbers)


VALUES = st.one_of(
    st.floats(-1e6, 1e6), st.sampled_from([NAN, INF, -INF, 0.0, -0.0, 1e300, 5e-324])
)
STEPS = st.one_of(
    st.integers(0, 40).map(float), st.floats(-1e9, 1e9), st.sampled_from([2.0**63, -1e18])
)
TIMES = st.integers(0, 10**6).map(lambda ms: 1.79e9 + ms / 1000)
BATCHES = st.lists(st.lists(st.tuples(STEPS, TIMES, VALUES), min_size=1, max_size=60), max_size=12)
COMPACTIONS = st.sets(st.integers(0, 11))

# Every replay has a run of its own, and a contract is meant to be run by several classes.
ANY_HISTORY = settings(
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.differing_executors],
)


class HistoryContract:
    """Any history of batches, compacted at any moments. Subclasses have a fixture `new_store`."""

    @ANY_HISTORY
    @given(batches=BATCHES, compactions=COMPACTIONS)
    def test_the_export_is_the_list_sorted_by_step(
        self, new_store: Callable[[], MetricStore], batches, compactions
    ):
        log = replayed(new_store(), batches, compactions)
        assert same(log.stored(), by_step(log.points))

    @ANY_HISTORY
    @given(
        batches=BATCHES,
        compactions=COMPACTIONS,
        ends=st.tuples(STEPS, STEPS).map(sorted),
        width=st.integers(2, 60),
    )
    def test_any_window_at_any_width_shows_what_the_list_gives(
        self, new_store: Callable[[], MetricStore], batches, compactions, ends, width
    ):
        log = replayed(new_store(), batches, compactions)
        for window in (Window(*ends), Window()):
            assert_shows(store_chart(log, window, width), log.points, window, width)

    @ANY_HISTORY
    @given(
        batches=BATCHES,
        compactions=COMPACTIONS,
        ends=st.tuples(TIMES, TIMES).map(sorted),
        width=st.integers(2, 60),
    )
    def test_any_window_of_time_shows_what_the_list_gives(
        self, new_store: Callable[[], MetricStore], batches, compactions, ends, width
    ):
        log = replayed(new_store(), batches, compactions)
        window = Window(*ends)
        chart = store_chart(log, window, width, x=X.WALL)
        assert_shows(chart, log.points, window, width, column=1)

    @ANY_HISTORY
    @given(batches=BATCHES, compactions=COMPACTIONS)
    def test_totals_are_those_of_the_list(
        self, new_store: Callable[[], MetricStore], batches, compactions
    ):
        log = replayed(new_store(), batches, compactions)
        if not log.points:
            return
        total, last = log.total(), by_step(log.points)[-1]
        numbers = [value for _, _, value in log.points if not math.isnan(value)]
        assert total.n == len(log.points)
        assert (total.last_step, total.first_step) == (
            last[0],
            min(step for step, _, _ in log.points),
        )
        assert total.last == pytest.approx(last[2], nan_ok=True)
        assert total.min == pytest.approx(min(numbers, default=NAN), nan_ok=True)
        assert total.max == pytest.approx(max(numbers, default=NAN), nan_ok=True)


def replayed(store: MetricStore, batches: Sequence[list[Point]], compactions: set[int]) -> Log:
    log = Log(store)
    for position, points in enumerate(batches):
        log.append(points)
        if position in compactions:
            store.compact(log.run_id, force=True)
    return log


def store_chart(log: Log, window: Window, width: int, x: X = X.STEP):
    return log.store.chart(key="loss", runs=[RunAxis(log.run_id)], x=x, window=window, width=width)


def assert_shows(
    chart, points: Sequence[Point], window: Window, width: int, *, column: int = 0
) -> None:
    """Assert that the chart is that of the plain list: its points while few, else its buckets."""
    inside = [point for point in points if window.lower <= point[column] <= window.upper]
    curve = chart.curves[0]
    assert (curve.total, curve.range) == (len(points), len(inside))
    assert (chart.grid is not None) == (len(inside) > max(2, int(1.5 * width)))
    if chart.grid is not None:
        return assert_buckets(chart, inside, column=column)
    ordered = sorted(by_step(inside), key=lambda point: point[column])
    assert chart.x is not None
    assert chart.x.tolist() == [point[column] for point in ordered]
    values = [value for _, _, value in ordered]
    assert np.array_equal(curve.columns["value"], values, equal_nan=True)
    return None
