import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from tidelog_server.metrics.cells import cuts, fine_starts, width_of

STEPS = st.lists(
    st.one_of(
        st.integers(-50, 50).map(float),
        st.floats(allow_nan=False, allow_infinity=False),
        st.sampled_from([0.0, -0.0, 5e-324, -5e-324, 2.0**63, 1.7e308, -1.7e308]),
    ),
    min_size=1,
    max_size=80,
).map(sorted)


class TestCuts:
    @given(STEPS, st.integers(1, 9))
    @example([-1e300, -5e-324], 1)
    def test_leave_no_piece_too_long_and_none_empty(self, steps, most):
        starts = cuts(np.array(steps), most)
        lengths = np.diff(starts, append=len(steps))
        assert starts[0] == 0
        assert ((lengths > 0) & (lengths <= most)).all()

    @given(STEPS, st.integers(1, 9))
    def test_part_equal_steps_only_if_they_are_too_many(self, steps, most):
        starts = cuts(np.array(steps), most)
        for start in starts[1:].tolist():
            same = [step for step in steps if step == steps[start]]
            assert steps[start - 1] < steps[start] or len(same) > most

    def test_fall_on_multiples_of_powers_of_two_wherever_a_series_begins(self):
        steps = np.arange(1_000, 100_000) * 10.0
        starts = cuts(steps, 4_096)
        widths = np.diff(steps[starts] // 32_768)
        assert (widths == 1).all()
        assert (np.diff(starts)[1:] >= 2_048).all()


class TestFineStarts:
    def test_hold_64_points_if_steps_are_regular(self):
        assert fine_starts(np.arange(4_096.0), 64).tolist() == list(range(0, 4_096, 64))

    @given(STEPS)
    def test_put_no_aggregate_into_two_cells_of_its_width(self, steps):
        array = np.array(steps)
        width = width_of(float(len(array)), float(array[0]), float(array[-1]), 4)
        starts = fine_starts(array, 4)
        ends = np.append(starts[1:], len(array)) - 1
        assert (np.floor(array[starts] / width) == np.floor(array[ends] / width)).all()

    @given(STEPS)
    def test_the_width_of_many_chunks_is_the_width_of_each(self, steps):
        low, high = np.array(steps[:-1]), np.array(steps[1:])
        together = width_of(np.full(len(low), 9.0), low, high, 4)
        each = [width_of(9.0, a, b, 4) for a, b in zip(low.tolist(), high.tolist(), strict=True)]
        assert together.tolist() == each
