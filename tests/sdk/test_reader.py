"""Recovery: whatever happens to the files, only what was damaged is lost, and it is told."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidelog.buffer import Buffer, StreamFolder
from tidelog.reader import Gap, StreamReader
from tidelog.wire import frames
from tidelog.wire.frames import Frame

STREAM = "ab" * 16


def a_frame(seq: int, payload: bytes = b"") -> bytes:
    return frames.encode_frame(1, seq, payload or b'{"s":%d}' % seq)


def a_segment(folder: StreamFolder, first: int, body: bytes) -> Path:
    folder.path.mkdir(parents=True, exist_ok=True)
    path = folder.segment(first)
    path.write_bytes(frames.encode_segment_header(first, bytes.fromhex(STREAM)) + body)
    return path


def some(start: int, end: int) -> bytes:
    return b"".join(a_frame(seq) for seq in range(start, end))


@pytest.fixture
def folder(tmp_path):
    return Buffer(tmp_path).run("r1").stream(STREAM)


def read_all(reader: StreamReader) -> list[int | Gap]:
    found: list[int | Gap] = []
    while items := reader.read():
        found += [item.seq if isinstance(item, Frame) else item for item in items]
    return found


@pytest.fixture
def reader(folder, tmp_path):
    return StreamReader(folder, tmp_path / "quarantine")


class TestReader:
    def test_reads_segments_in_order(self, folder, reader):
        a_segment(folder, 3, some(3, 5))
        a_segment(folder, 0, some(0, 3))
        assert read_all(reader) == [0, 1, 2, 3, 4]

    def test_follows_a_living_writer(self, folder, reader):
        path = a_segment(folder, 0, some(0, 2))
        assert read_all(reader) == [0, 1]
        with path.open("ab") as writer:
            writer.write(a_frame(2)[:10])
            writer.flush()
            assert read_all(reader) == []
            writer.write(a_frame(2)[10:])
        assert read_all(reader) == [2]
        a_segment(folder, 3, some(3, 4))
        assert read_all(reader) == [3]

    @given(start=st.integers(0, 12))
    def test_goes_on_from_anywhere(self, tmp_path_factory, start):
        base = tmp_path_factory.mktemp("run")
        folder = Buffer(base).run("r1").stream(STREAM)
        for first in (0, 5, 9):
            a_segment(folder, first, some(first, {0: 5, 5: 9, 9: 12}[first]))
        reader = StreamReader(folder, base / "quarantine")
        reader.rewind(start)
        assert read_all(reader) == list(range(start, 12))

    def test_reads_more_than_a_window(self, folder, reader):
        body = b"".join(a_frame(seq, bytes([seq]) * 4_000) for seq in range(200))
        a_segment(folder, 0, body * 1)
        a_segment(folder, 200, b"".join(a_frame(s, b"%d" % s * 300) for s in range(200, 4_000)))
        assert read_all(reader) == list(range(4_000))

    def test_reads_a_frame_wider_than_the_window(self, folder, reader, monkeypatch):
        monkeypatch.setattr("tidelog.reader.WINDOW", 64)
        a_segment(folder, 0, some(0, 3) + a_frame(3, bytes(range(250)) * 8) + some(4, 6))
        assert read_all(reader) == [0, 1, 2, 3, 4, 5]


class TestDamage:
    def test_in_the_middle_costs_only_what_it_hit(self, folder, reader, tmp_path):
        body = bytearray(some(0, 9))
        body[len(some(0, 4)) + 3] ^= 255
        a_segment(folder, 0, bytes(body))
        assert read_all(reader) == [0, 1, 2, 3, Gap(4, 5, "corrupt"), 5, 6, 7, 8]
        assert reader.damaged == 1
        (kept,) = (tmp_path / "quarantine").iterdir()
        assert len(kept.read_bytes()) == len(a_frame(4))

    @pytest.mark.parametrize("tail", [a_frame(3)[:-1], b"\0" * 4096, b"TL", b""])
    def test_at_the_very_end_is_no_damage(self, folder, reader, tail):
        a_segment(folder, 0, some(0, 3) + tail)
        assert read_all(reader) == [0, 1, 2]
        assert reader.damaged == 0

    def test_of_a_header_costs_nothing(self, folder, reader):
        path = a_segment(folder, 0, some(0, 3))
        path.write_bytes(b"\xff" * 40 + some(0, 3))
        assert read_all(reader) == [0, 1, 2]

    def test_of_a_whole_segment_is_told(self, folder, reader):
        a_segment(folder, 0, some(0, 3))
        a_segment(folder, 3, b"\xff" * 500)
        a_segment(folder, 6, some(6, 8))
        assert read_all(reader) == [0, 1, 2, Gap(3, 6, "missing"), 6, 7]

    def test_longer_than_any_frame_is_skipped(self, folder, reader, monkeypatch):
        monkeypatch.setattr("tidelog.reader.WINDOW", 64)
        monkeypatch.setattr("tidelog.reader.MAX_PAYLOAD", 256)
        monkeypatch.setattr("tidelog.reader.WIDEST", 512 + 64)
        a_segment(folder, 0, some(0, 2) + b"\xff" * 5_000 + some(2, 4))
        assert read_all(reader) == [0, 1, 2, 3]

    def test_a_missing_file_is_a_gap(self, folder, reader):
        a_segment(folder, 0, some(0, 3))
        a_segment(folder, 6, some(6, 8))
        assert read_all(reader) == [0, 1, 2, Gap(3, 6, "missing"), 6, 7]

    def test_what_was_acked_and_unlinked_has_expired(self, folder, reader):
        a_segment(folder, 6, some(6, 8))
        folder.acknowledge({"next": 8})
        assert read_all(reader) == [Gap(0, 6, "expired"), 6, 7]
        assert reader.damaged == 0

    @given(st.data())
    def test_by_random_bytes_never_raises_and_never_lies(self, tmp_path_factory, data):
        base = tmp_path_factory.mktemp("run")
        folder = Buffer(base).run("r1").stream(STREAM)
        whole = bytearray(some(0, 30))
        for _ in range(data.draw(st.integers(1, 6))):
            place = data.draw(st.integers(0, len(whole) - 1))
            whole[place] = data.draw(st.integers(0, 255))
        a_segment(folder, 0, bytes(whole))
        found = read_all(StreamReader(folder, base / "quarantine"))
        covered = []
        for item in found:
            covered += range(item.start, item.end) if isinstance(item, Gap) else [item]
        assert covered == list(range(len(covered)))
