import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tidelog_server.metrics.grid import WIDEST, Grid

# What is tiny beside a bucket counts as 0: divided by its width it is less than any float.
ENDS = st.tuples(*[st.floats(-1e250, 1e250).map(lambda x: x if abs(x) > 1e-50 else 0.0)] * 2).map(
    sorted
)
LIMITS = st.integers(2, 6_000)


class TestGrid:
    @given(ENDS, LIMITS)
    @example([0.0, 5e-324], 2)
    @example([1e18, 1e18 + 256], 1_500)
    @example([-1.7976931348623157e308, 1.7976931348623157e308], 1_500)
    def test_covers_both_ends_with_no_more_buckets_than_allowed(self, ends, limit):
        grid = Grid.over(*ends, limit)
        assert 1 <= grid.n <= limit
        assert grid.index(np.array(ends)).tolist() == [0, grid.n - 1]

    @given(ENDS, LIMITS)
    def test_is_as_fine_as_a_power_of_two_may_be(self, ends, limit):
        grid = Grid.over(*ends, limit)
        assert math.frexp(grid.dx)[0] == 0.5
        finer = grid.dx / 2
        if ends[0] < ends[1] and finer > 0:
            assert math.floor(ends[1] / finer) - math.floor(ends[0] / finer) + 1 > limit

    @given(ENDS, LIMITS, st.floats(0, 1))
    def test_puts_every_x_between_its_bucket_s_edges(self, ends, limit, part):
        grid = Grid.over(*ends, limit)
        x = min(max(ends[0] + part * (ends[1] - ends[0]), ends[0]), ends[1])
        index = int(grid.index(np.array([x]))[0])
        assert Fraction(grid.first) + index <= Fraction(x) / Fraction(grid.dx)
        assert Fraction(x) / Fraction(grid.dx) < Fraction(grid.first) + index + 1

    def test_one_point_is_one_bucket(self):
        assert Grid.over(3.0, 3.0, 100) == Grid(dx=1.0, first=3, n=1)

    def test_stays_while_a_curve_grows(self):
        grids = [Grid.over(0, last, 1_500) for last in range(100_000, 150_000, 10_000)]
        assert {grid.dx for grid in grids} == {128.0}
        assert {grid.x0 for grid in grids} == {0.0}

    @pytest.mark.parametrize("limit", [2, 3])
    def test_ends_further_apart_than_any_float_still_give_a_grid(self, limit):
        greatest = 1.7976931348623157e308
        grid = Grid.over(-greatest, greatest, limit)
        assert grid.dx <= WIDEST
        assert grid.index(np.array([-greatest, greatest])).tolist() == [0, grid.n - 1]
