import math
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidelog_server.metrics.codec import PLAIN_ROWS, decode, encode

GOLDEN = Path(__file__).parent / "golden"

A_NAN = struct.unpack("<d", struct.pack("<Q", 0x7FF8_0000_0000_0123))[0]
A_SIGNALLING_NAN = struct.unpack("<d", struct.pack("<Q", 0xFFF0_0000_0000_0001))[0]

ANY_FLOAT = st.floats(allow_nan=True, allow_infinity=True, allow_subnormal=True, width=64)
COLUMNS = st.integers(1, 70).flatmap(
    lambda n: st.lists(
        st.one_of(
            st.lists(ANY_FLOAT, min_size=n, max_size=n),
            st.lists(st.integers(-(2**53), 2**53).map(float), min_size=n, max_size=n),
            st.lists(st.integers(0, 10**9).map(lambda i: i / 1000), min_size=n, max_size=n),
            st.lists(st.floats(width=32), min_size=n, max_size=n),
        ),
        min_size=1,
        max_size=4,
    )
)


def bits(columns: object) -> list[list[int]]:
    return np.ascontiguousarray(columns, dtype="<f8").view("<u8").tolist()


def round_trip(*columns: list[float]) -> bool:
    arrays = [np.array(column) for column in columns]
    return bits(decode(encode(arrays))) == bits(np.stack(arrays))


class TestCodec:
    @given(COLUMNS)
    def test_gives_back_every_bit(self, columns):
        assert round_trip(*columns)

    @pytest.mark.parametrize(
        "column",
        [
            [A_NAN, A_SIGNALLING_NAN, math.nan],
            [math.inf, -math.inf],
            [-0.0, 0.0],
            [5e-324, 1.7976931348623157e308],
            [2.0**53, -(2.0**53)],
            [2.0**63, 2.0**64],
            [0.001, 1790000000.123],
            [7.0],
        ],
    )
    def test_gives_back_odd_numbers(self, column):
        assert round_trip(column)

    def test_regular_steps_cost_nothing(self):
        values = np.random.default_rng(0).normal(size=4_096)
        steps = np.arange(4_096) * 25.0
        assert len(encode([steps, values])) - len(encode([values])) < 30

    def test_points_of_a_training_take_at_most_seven_bytes(self):
        random = np.random.default_rng(0)
        steps = np.arange(4_096) * 10.0
        times = (1_790_000_000_000 + np.cumsum(random.integers(90, 130, 4_096))) / 1000
        losses = random.normal(size=4_096).astype("f4").astype(float)
        assert len(encode([steps, times, losses])) / 4_096 <= 7
        assert len(encode([steps, times, random.normal(size=4_096)])) / 4_096 <= 9

    @pytest.mark.parametrize("n", [1, PLAIN_ROWS, PLAIN_ROWS + 1])
    def test_few_numbers_are_not_packed(self, n):
        payload = encode([np.arange(n) + 0.5, np.full(n, math.nan)])
        assert payload[0] == (2 if n <= PLAIN_ROWS else 1)
        assert len(payload) <= 8 + 16 * PLAIN_ROWS
        assert decode(payload).shape == (2, n)

    def test_refuses_a_version_it_does_not_know(self):
        payload = bytearray(encode([np.arange(3.0)]))
        payload[0] = 9
        with pytest.raises(ValueError, match="does not know"):
            decode(bytes(payload))

    def test_reads_what_version_1_wrote(self):
        expected = np.load(GOLDEN / "points_v1.npy")
        assert bits(decode((GOLDEN / "points_v1.chunk").read_bytes())) == bits(expected)
