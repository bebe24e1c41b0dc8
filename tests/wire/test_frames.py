import random
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.wire.make_golden import PAYLOADS, STREAM

from tidelog.wire import frames
from tidelog.wire.frames import Damage, Frame, FrameType

GOLDEN = Path(__file__).parent / "golden"
KINDS = st.integers(0, 255)
SEQS = st.integers(0, 2**64 - 1)


def some_frames(count: int = 3) -> list[bytes]:
    return [frames.encode_frame(1, seq, b'{"s":%d}' % seq) for seq in range(count)]


def seqs(data: bytes) -> list[int]:
    return [item.seq for item in frames.scan(data) if isinstance(item, Frame)]


class TestGoldenFiles:
    @pytest.mark.parametrize("kind", PAYLOADS)
    def test_a_frame_of_each_type_still_reads(self, kind: FrameType):
        data = (GOLDEN / f"frame-{kind:02d}-{kind.name.lower()}.bin").read_bytes()
        (frame,) = frames.scan(data)
        assert isinstance(frame, Frame)
        assert (frame.type, frame.payload) == (kind, PAYLOADS[kind])

    @pytest.mark.parametrize("kind", PAYLOADS)
    def test_a_frame_of_each_type_is_still_written_the_same(self, kind: FrameType):
        data = (GOLDEN / f"frame-{kind:02d}-{kind.name.lower()}.bin").read_bytes()
        assert frames.encode_frame(kind, list(PAYLOADS).index(kind), PAYLOADS[kind]) == data

    def test_a_whole_segment_still_reads(self):
        data = (GOLDEN / "segment-1.tlog").read_bytes()
        header = frames.decode_segment_header(data)
        found = list(frames.scan(data, frames.SEGMENT_HEADER_SIZE))
        assert header == frames.SegmentHeader(first_seq=0, stream_id=STREAM)
        assert [item.payload for item in found if isinstance(item, Frame)] == [*PAYLOADS.values()]


class TestFrame:
    def test_is_twenty_bytes_and_its_payload(self):
        assert len(frames.encode_frame(1, 0, b"{}")) == 22

    @given(KINDS, SEQS, st.binary(max_size=10_000))
    def test_comes_back_as_it_was(self, kind, seq, payload):
        data = frames.encode_frame(kind, seq, payload)
        assert list(frames.scan(data)) == [Frame(kind, seq, payload, 0, len(data))]

    def test_of_a_long_payload_is_compressed(self):
        assert len(frames.encode_frame(3, 0, b"a" * 100_000)) < 1_000

    def test_above_the_limit_is_refused(self):
        noise = random.Random(1).randbytes(5 * 1024 * 1024)
        with pytest.raises(frames.FrameError):
            frames.encode_frame(1, 0, noise)

    def test_that_inflates_without_end_is_damage(self):
        bomb = frames.encode_frame(3, 0, b"\0" * (frames.MAX_INFLATED + 1))
        assert frames.frame_at(bomb, 0) is None


class TestScan:
    def test_of_nothing_finds_nothing(self):
        assert list(frames.scan(b"")) == []

    @given(st.integers(0, 65), st.integers(0, 7))
    def test_one_flipped_bit_costs_at_most_one_frame(self, position, bit):
        data = bytearray(b"".join(some_frames()))
        position %= len(data)
        data[position] ^= 1 << bit
        victim = position // len(some_frames()[0])
        assert seqs(bytes(data)) == [seq for seq in range(3) if seq != victim]

    @given(st.binary(min_size=1, max_size=200))
    def test_junk_between_frames_is_told_as_damage(self, junk):
        first, second, _ = some_frames()
        found = list(frames.scan(first + junk + second))
        assert [item.seq for item in found if isinstance(item, Frame)][:1] == [0]
        assert found[-1].end == len(first + junk + second)
        assert Damage(len(first), len(first) + len(junk)) in found

    @given(st.integers(0, 65))
    def test_a_torn_tail_is_left_to_the_caller(self, cut):
        data = b"".join(some_frames())
        found = list(frames.scan(data[: cut % len(data)]))
        assert all(isinstance(item, Frame) for item in found)

    def test_a_length_that_lies_is_never_believed(self):
        liar = bytearray(some_frames()[0])
        liar[4:8] = (4_000_000).to_bytes(4, "little")
        rest = b"".join(some_frames()[1:])
        assert seqs(bytes(liar) + rest) == [1, 2]

    def test_zeros_at_the_end_are_not_a_frame(self):
        data = b"".join(some_frames())
        assert seqs(data + bytes(4096)) == [0, 1, 2]

    @given(st.lists(st.tuples(KINDS, SEQS, st.binary(max_size=50)), max_size=8))
    def test_frames_follow_each_other_without_a_hole(self, wanted):
        data = b"".join(frames.encode_frame(*each) for each in wanted)
        found = list(frames.scan(memoryview(data)))
        assert [(f.type, f.seq, f.payload) for f in found if isinstance(f, Frame)] == wanted
        assert all(left.end == right.start for left, right in pairwise(found))


class TestSegmentHeader:
    def test_is_forty_bytes(self):
        assert len(frames.encode_segment_header(0, STREAM)) == 40

    def test_comes_back_as_it_was(self):
        data = frames.encode_segment_header(41_237, STREAM)
        assert frames.decode_segment_header(data) == frames.SegmentHeader(41_237, STREAM)

    @given(st.integers(0, 39), st.integers(0, 7))
    def test_with_a_flipped_bit_is_not_believed(self, position, bit):
        data = bytearray(frames.encode_segment_header(7, STREAM))
        data[position] ^= 1 << bit
        assert frames.decode_segment_header(bytes(data)) is None
