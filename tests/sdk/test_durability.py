"""What is on the disk itself, and not only with the kernel: what a power cut leaves."""

import os
import time
from pathlib import Path

import pytest
from tests.sdk.test_disk import a_recorder, losses, stored

import tidelog
from tidelog import segment as module
from tidelog.recorder import Recorder


@pytest.fixture
def synced(monkeypatch):
    """The size that each file had when it was last flushed, by descriptor."""
    sizes: dict[int, int] = {}
    flush = module._sync

    def note(descriptor):
        flush(descriptor)
        sizes[descriptor] = os.fstat(descriptor).st_size

    monkeypatch.setattr(module, "_sync", note)
    return sizes


def is_on_disk(recorder: Recorder, synced: dict[int, int]) -> bool:
    segment = recorder.journal._segment
    return segment is not None and synced.get(segment.descriptor) == segment.size


class TestPowerCut:
    def test_leaves_everything_of_a_durable_run(self, tmp_path, synced, monkeypatch):
        monkeypatch.setattr("tidelog.journal.ROTATE_BYTES", 400)
        recorder = a_recorder(tmp_path, [], durable=True)
        recorder.journal.open()
        for step in range(30):
            recorder.log({"loss": step}, step)
            assert is_on_disk(recorder, synced) or recorder.journal._segment.is_empty
        assert losses(recorder.journal) == list(range(30))

    def test_takes_what_came_since_the_last_second_of_any_other(self, tmp_path, synced):
        recorder = a_recorder(tmp_path, [])
        recorder.journal.open()
        recorder.log({"loss": 1})
        assert not is_on_disk(recorder, synced)
        recorder.journal.tend()
        assert is_on_disk(recorder, synced)

    def test_takes_no_more_from_a_forked_child(self, tmp_path, synced):
        recorder = a_recorder(tmp_path, [])
        recorder.journal._after_fork_in_child()  # it has no thread that would do it
        recorder.log({"loss": 1})
        recorder.journal._sync_at = time.monotonic()
        recorder.log({"loss": 2})
        assert len(synced) == 1

    def test_durability_has_two_names(self, environment):
        with pytest.raises(ValueError, match="process, power"):
            tidelog.init(mode="disabled", durability="some")


class TestForkedChild:
    def test_does_not_leak_descriptors(self, tmp_path, monkeypatch):
        monkeypatch.setattr("tidelog.journal.ROTATE_BYTES", 1_000)
        monkeypatch.setattr("tidelog.journal.SYNC_SECONDS", 0.0)
        recorder = a_recorder(tmp_path, [])
        recorder.journal._after_fork_in_child()
        recorder.log({"loss": 0.5})
        before = len(list(Path("/proc/self/fd").iterdir()))
        for step in range(500):
            recorder.log({"loss": 0.5}, step)
        assert len(list(Path("/proc/self/fd").iterdir())) <= before + 1


class TestFlushThatFails:
    def test_is_not_tried_again_on_the_same_file(self, tmp_path, monkeypatch):
        said: list[str] = []
        recorder = a_recorder(tmp_path, said)
        recorder.journal.open()
        recorder.log({"loss": 1})
        flushed = []

        def fail(descriptor):
            flushed.append(descriptor)
            raise OSError(5, "Input/output error")

        monkeypatch.setattr(module, "_sync", fail)
        old = recorder.journal._segment
        recorder.journal.sync()
        recorder.log({"loss": 2})
        assert recorder.journal._segment is not old
        assert len(recorder.journal.stream.segments()) == 2
        assert "could not sync" in said[0]
        assert len(stored(recorder.journal)) == 3
        recorder.journal.sync()
        assert flushed.count(old.descriptor) == 1
