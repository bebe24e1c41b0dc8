"""Buffers that were damaged, copied, or read by two at a time."""

import os
import random
import shutil

import pytest
from tests.workers.serving import until

STEPS = 2000


@pytest.fixture
def offline(train):
    """A run of 2,000 steps that nobody has sent yet."""
    training = train(mode="offline", steps=STEPS)
    training.ends()
    return training


class TestLostAck:
    @pytest.mark.parametrize(
        "content",
        [None, b"", random.Random(3).randbytes(90), b'{"v":1,"next":10000000}'],
        ids=["lost", "empty", "random", "from-the-future"],
    )
    def test_costs_no_point_and_doubles_none(self, offline, content):
        assert offline.sync().returncode == 0
        for stream in offline.streams:
            (stream / "ack.json").unlink()
            if content is not None:
                (stream / "ack.json").write_bytes(content)
        assert offline.sync().returncode == 0
        assert offline.is_whole()


class TestTwoSyncs:
    def test_of_one_buffer_store_each_point_once(self, offline):
        syncs = [offline.syncing() for _ in range(3)]
        assert [sync.communicate()[0] and sync.returncode for sync in syncs] == [0, 0, 0]
        assert offline.is_whole()

    def test_beside_a_run_that_is_being_sent_store_each_point_once(self, train):
        training = train(steps=20_000)
        until(lambda: training.promised, "the training logs")
        syncs = [training.syncing() for _ in range(2)]
        training.ends()
        assert [sync.communicate()[0] and sync.returncode for sync in syncs] == [0, 0]
        until(training.is_whole, "everything is stored")

    def test_of_a_buffer_and_its_copy_store_each_point_once(self, offline):
        copy = offline.buffer.with_name("copy")
        shutil.copytree(offline.buffer, copy)
        syncs = [offline.syncing(), offline.syncing(copy)]
        assert [sync.communicate()[0] and sync.returncode for sync in syncs] == [0, 0]
        assert offline.is_whole()


class TestDamageInTheMiddle:
    def test_costs_the_damaged_records_only_and_is_shown(self, offline):
        (segment,) = (path for stream in offline.streams for path in stream.glob("*.tlog"))
        damage(segment)
        receipt = offline.sync()
        assert receipt.returncode == 4, receipt.stdout + receipt.stderr
        assert "damaged and skipped" in receipt.stdout
        account = offline.account()
        assert 1 <= account.lost <= 20
        assert (account.doubled, account.wrong) == (0, 0)
        row = offline.row()
        assert row["gaps"] == 1
        assert row["state"] == "finished"
        assert list(offline.buffer.glob("v1/runs/*/quarantine/*"))


def damage(segment) -> None:
    """Overwrite 200 bytes in the middle of a file."""
    with segment.open("r+b") as file:
        file.seek(segment.stat().st_size // 2)
        file.write(random.Random(4).randbytes(200))
        os.fsync(file.fileno())
