"""What the journal does when the disk does not."""

import json
import resource
import shutil
import subprocess
from pathlib import Path

import pytest

from tidelog.buffer import Buffer
from tidelog.journal import Journal
from tidelog.packing import Unpacker
from tidelog.reader import Gap, StreamReader
from tidelog.recorder import Recorder
from tidelog.wire.frames import Frame, FrameType


def a_recorder(
    directory: Path, said: list[str], *, run: str = "r1", durable: bool = False
) -> Recorder:
    made: list[Recorder] = []

    def renewed() -> None:
        for each in made:
            each.renewed()

    journal = Journal(
        Buffer(directory).run(run),
        opening=lambda: {"run": run, "primary": True},
        renewed=renewed,
        say=said.append,
        durable=durable,
    )
    made.append(Recorder(journal, say=said.append))
    return made[0]


def stored(journal: Journal) -> list[Frame]:
    items = []
    reader = StreamReader(journal.stream, journal.folder.quarantine)
    while found := reader.read():
        items += found
    assert not [item for item in items if isinstance(item, Gap)]
    return [item for item in items if isinstance(item, Frame)]


def losses(journal: Journal) -> list[float]:
    unpacker = Unpacker()
    points = [unpacker.read(f.payload) for f in stored(journal) if f.type == FrameType.METRICS]
    return [point.step for point in points]


@pytest.fixture
def small_disk(tmp_path: Path):
    """A file system of one megabyte."""
    place = tmp_path / "disk"
    place.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(place)],
        check=False,
        capture_output=True,
    )
    if done.returncode:
        pytest.skip("needs the right to mount a small file system")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


class TestFullDisk:
    def test_keeps_what_comes_and_writes_it_when_there_is_room_again(self, small_disk):
        said: list[str] = []
        recorder = a_recorder(small_disk, said)
        recorder.journal.open()
        filler = small_disk / "filler"
        filler.write_bytes(b"x" * 900_000)
        for step in range(3_000):
            recorder.log({"loss": 0.5, "accuracy": 0.5}, step)
        assert not recorder.journal.healthy
        filler.unlink()
        recorder.journal._retry_at = 0
        recorder.log({"loss": 0.5, "accuracy": 0.5}, 3_000)
        assert recorder.journal.healthy
        assert losses(recorder.journal) == list(range(3_001))
        assert len(said) == 1

    def test_counts_what_the_ring_cannot_hold_and_says_so_in_band(self, small_disk, monkeypatch):
        monkeypatch.setattr("tidelog.ring.RING_BYTES", 10_000)
        recorder = a_recorder(small_disk, [])
        recorder.journal.open()
        filler = small_disk / "filler"
        filler.write_bytes(b"x" * 900_000)
        for step in range(5_000):
            recorder.log({"loss": 0.5, "accuracy": 0.5}, step)
        filler.unlink()
        recorder.journal._retry_at = 0
        recorder.log({"loss": 0.5, "accuracy": 0.5}, 5_000)
        told = [f for f in stored(recorder.journal) if f.type == FrameType.DROPPED]
        lost = json.loads(told[0].payload)["n"]
        kept = losses(recorder.journal)
        assert len(kept) + lost == 5_001
        assert kept[: len(kept) - 1] == list(range(len(kept) - 1))

    def test_still_takes_the_end_of_the_run(self, small_disk):
        recorder = a_recorder(small_disk, [])
        recorder.journal.open()
        recorder.journal.ballast()
        with (small_disk / "filler").open("wb") as filler:
            filler.write(b"x" * 800_000)
            for step in range(3_000):
                recorder.log({"loss": 0.5, "accuracy": 0.5}, step)
            recorder.journal.close(lambda dropped: {"state": "finished", "dropped": dict(dropped)})
        last = stored(recorder.journal)[-1]
        assert last.type == FrameType.FINISH
        lost = json.loads(last.payload)["dropped"]["disk_full"]
        assert len(losses(recorder.journal)) + lost == 3_000

    def test_can_be_sent_from(self, small_disk, online, server, tidelog):
        recorder = a_recorder(small_disk, [])
        recorder.journal.folder.describe({"run": "r1", "team": "acme", "project": "demo"})
        recorder.journal.open()
        with (small_disk / "filler").open("wb") as filler:
            for step in range(20_000):
                recorder.log({"loss": 0.5}, step)
                if step == 10:
                    filler.write(b"x" * 900_000)
        recorder.journal._writer_lock.release()
        done = tidelog("sync", str(small_disk))
        assert done.returncode == 0, done.stdout + done.stderr
        assert len(server.points("r1", "loss")) == len(losses(recorder.journal)) > 10

    def test_training_goes_on_through_it(self, train, environment, small_disk, tidelog):
        source = """
import tidelog
run = tidelog.init(project="acme/demo", id="r1", mode="offline", console=False)
for i in range(20_000):
    run.log({"loss": i, "accuracy": i})
print("trained")
"""
        script = train(source, {**environment, "TIDELOG_DIR": str(small_disk / "b")}).ends()
        assert (script.code, script.out) == (0, "trained\n")
        assert script.err.count("cannot write") == 1
        assert "are lost" in script.err or "on disk" in script.err


class TestFileSizeLimit:
    def test_is_a_full_disk_too(self, train, environment, buffer):
        source = f"""
import resource, tidelog
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, {resource.RLIM_INFINITY}))
run = tidelog.init(project="acme/demo", id="r1", mode="offline", console=False)
for i in range(5_000):
    run.log({{"loss": i}})
resource.setrlimit(resource.RLIMIT_FSIZE, ({resource.RLIM_INFINITY}, {resource.RLIM_INFINITY}))
"""
        script = train(source, environment).ends()
        assert script.code == 0, script.err
        (stream,) = Buffer(buffer).run("r1").streams()
        reader = StreamReader(stream, buffer)
        items = [item for _ in range(4) for item in reader.read()]
        metrics = [item for item in items if isinstance(item, Frame) and item.type == 1]
        assert len(metrics) == 5_000


class TestUnwritableDirectory:
    SOURCE = """
import sys, tidelog
run = tidelog.init(project="acme/demo", id="r1", console=False)
for i in range(100):
    run.log({"loss": i})
sys.exit(7)
"""

    def test_training_goes_on_and_the_run_is_sent(self, train, online, server, tmp_path):
        (tmp_path / "file").write_text("in the way")
        elsewhere = {"TIDELOG_DIR": str(tmp_path / "file" / "b"), "TMPDIR": str(tmp_path)}
        script = train(self.SOURCE, {**online, **elsewhere}).ends()
        assert script.code == 7
        assert script.err.count("cannot write to") == 1
        assert len(server.points("r1", "loss")) == 100
        for place in tmp_path.glob("tidelog-*"):
            shutil.rmtree(place)

    def test_nor_a_temporary_one_is_sent_from_memory(self, train, online, server, tmp_path):
        (tmp_path / "file").write_text("in the way")
        source = """import tempfile
real = tempfile.mkdtemp
def full(dir=None, **options):
    if dir is None: raise OSError(28, 'full')
    return real(dir=dir, **options)
tempfile.mkdtemp = full
"""
        source += self.SOURCE.replace("sys.exit", "print(run.dir)\nsys.exit")
        script = train(source, {**online, "TIDELOG_DIR": str(tmp_path / "file" / "b")}).ends()
        assert script.code == 7
        assert len(server.points("r1", "loss")) == 100
        (place,) = [path for path in Path(script.out.strip()).parents if "tidelog-" in path.name]
        assert place.parent == Path("/dev/shm")
        shutil.rmtree(place)

    def test_with_no_place_at_all_training_goes_on(self, train, online, tmp_path):
        (tmp_path / "file").write_text("in the way")
        source = "import tempfile\n\ndef no(**_): raise OSError(30, 'read-only')\n"
        source += "tempfile.mkdtemp = no\n" + self.SOURCE
        script = train(source, {**online, "TIDELOG_DIR": str(tmp_path / "file" / "b")}).ends()
        assert script.code == 7
        assert "keeping what fits in memory" in script.err


class TestRotation:
    def test_leaves_each_segment_readable_by_itself(self, tmp_path, monkeypatch):
        monkeypatch.setattr("tidelog.journal.ROTATE_BYTES", 5_000)
        recorder = a_recorder(tmp_path, [])
        recorder.journal.open()
        for step in range(500):
            recorder.log({"loss": 0.5}, step)
        recorder.journal.sync()
        segments = recorder.journal.stream.segments()
        assert len(segments) > 5
        segments[0][1].unlink()
        reader = StreamReader(recorder.journal.stream, tmp_path)
        unpacker = Unpacker()
        items = []
        while found := reader.read():
            items += found
        assert items[0] == Gap(0, segments[1][0], "missing")
        for frame in items[1:]:
            unpacker.read(frame.payload)

    def test_happens_by_age_in_the_background(self, tmp_path):
        recorder = a_recorder(tmp_path, [])
        recorder.journal.open()
        recorder.log({"loss": 1})
        recorder.journal._segment.opened_at -= 601
        recorder.journal.tend()
        assert len(recorder.journal.stream.segments()) == 2

    def test_does_not_leak_descriptors(self, tmp_path, monkeypatch):
        monkeypatch.setattr("tidelog.journal.ROTATE_BYTES", 1_000)
        recorder = a_recorder(tmp_path, [])
        recorder.journal.open()
        before = len(list(Path("/proc/self/fd").iterdir()))
        for step in range(500):
            recorder.log({"loss": 0.5}, step)
        recorder.journal.sync()
        assert len(list(Path("/proc/self/fd").iterdir())) <= before
