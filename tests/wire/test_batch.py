import json
import struct
from array import array
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.wire.make_golden import HEADER, a_batch

from tidelog.wire import batch
from tidelog.wire.batch import BatchError

GOLDEN = Path(__file__).parent / "golden"


def column(*numbers: float) -> bytes:
    return array("d", numbers).tobytes()


def a_header(**changes: object) -> dict[str, object]:
    return {
        "v": 1,
        "from": 0,
        "to": 2,
        "axes": [],
        "series": [],
        "records": [],
        "gaps": [],
        **changes,
    }


def packed(header: object) -> bytes:
    text = json.dumps(header).encode()
    text += b" " * (-(4 + len(text)) % 8)
    return struct.pack("<I", len(text)) + text


class TestGoldenBatch:
    def test_still_reads(self):
        header, axes, series = batch.decode((GOLDEN / "batch-1.bin").read_bytes())
        assert header == HEADER
        assert axes[0][0].cast("d").tolist() == [0, 1]
        assert series[0].cast("d")[0] == 0.5

    def test_is_still_written_the_same(self):
        assert a_batch() == (GOLDEN / "batch-1.bin").read_bytes()


class TestBatch:
    @given(st.lists(st.lists(st.floats(allow_nan=False), max_size=9), max_size=4))
    def test_columns_come_back_as_they_were(self, values):
        header = a_header(
            axes=[len(v) for v in values],
            series=[{"key": f"k{i}", "axis": i, "n": len(v)} for i, v in enumerate(values)],
        )
        raw = [column(*v) for v in values]
        back, axes, series = batch.decode(batch.encode(header, [(r, r) for r in raw], raw))
        assert back == header
        assert [s.cast("d").tolist() for s in series] == values
        assert [(a.tobytes(), b.tobytes()) for a, b in axes] == [(r, r) for r in raw]

    @given(st.text(max_size=40))
    def test_columns_start_at_a_multiple_of_eight(self, text):
        head = batch.container_head({"key": text})
        assert len(head) % 8 == 0
        assert batch.split_container(head)[0] == {"key": text}

    def test_an_empty_one_is_a_heartbeat(self):
        header, _, _ = batch.decode(packed(a_header(to=0, writer="gone")))
        assert header["from"] == header["to"] == 0


class TestBadBatch:
    @pytest.mark.parametrize(
        "header",
        [
            [],
            a_header(v=2),
            a_header(to=-1),
            a_header(**{"from": 3}),
            a_header(to=2**63),
            a_header(to=True),
            a_header(axes=[-1]),
            a_header(axes=[1.5]),
            a_header(axes=None),
            a_header(series=[{"key": "a", "axis": 0, "n": 0}]),
            a_header(axes=[0], series=[{"key": 1, "axis": 0, "n": 0}]),
            a_header(axes=[0], series=[{"key": "a", "axis": 0, "n": 1}]),
            a_header(axes=[1]),
            a_header(records=[[5, 2, {}]]),
            a_header(records=[[True, 2, {}]]),
            a_header(records=[[0, 256, {}]]),
            a_header(records=[[0, 2, "text"]]),
            a_header(records=[None]),
            a_header(gaps=[[1, 1, "corrupt"]]),
            a_header(gaps=[[0, 3, "corrupt"]]),
            a_header(gaps=[["a"]]),
            a_header(run=[]),
            a_header(writer="here"),
        ],
    )
    def test_a_header_that_contradicts_itself_is_refused(self, header):
        with pytest.raises(BatchError):
            batch.decode(packed(header))

    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"\xff\xff\xff\xff",
            b"\x04\0\0\0nope",
            b"\x05\0\0\0{}   ",
            packed(a_header()) + b"\0" * 8,
            struct.pack("<I", 12) + b'{"v":NaN}   ',
            struct.pack("<I", 100_004) + b"[" * 100_004,
        ],
    )
    def test_a_body_that_is_none_is_refused(self, body):
        with pytest.raises(BatchError):
            batch.decode(body)

    @given(st.binary(max_size=200))
    def test_noise_never_raises_anything_else(self, noise):
        with pytest.raises(BatchError):
            batch.decode(noise)
