"""kill -9 of a training at random moments: 0 lost, 0 doubled."""

import random
import time

from tests.workers.serving import until


class TestKilledProcess:
    def test_is_whole_on_the_server_without_anyone_s_help(self, train, moment):
        training = train()
        until(lambda: training.promised, "the training logs")
        time.sleep(random.Random(moment).uniform(0, 1.5))
        training.kill()
        until(training.is_whole, "the uploader has sent the rest")
        until(lambda: training.row()["state"] == "crashed", "the run is marked as crashed")


class TestKilledTree:
    def test_is_whole_after_a_sync(self, train, moment):
        training = train()
        until(lambda: training.promised, "the training logs")
        time.sleep(random.Random(100 + moment).uniform(0, 1.5))
        training.kill(tree=True)
        receipt = training.sync()
        assert receipt.returncode == 0, receipt.stdout + receipt.stderr
        assert training.is_whole()
