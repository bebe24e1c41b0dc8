"""The server killed and restarted under load, or away altogether."""

import random
import shutil
import time

import psutil
from tests.faults.training import Training
from tests.workers.serving import Serving, until

STEPS = 20_000


class TestKilledServer:
    def test_has_every_point_once_when_the_training_ends(self, served, train):
        trainings = [train(steps=STEPS), train(steps=STEPS)]
        moments = random.Random(7)
        for _ in range(3):
            time.sleep(moments.uniform(0.2, 0.8))
            _web(served).kill()
            until(lambda: served.get("/healthz")[0] == 200, "the web is back")
        for training in trainings:
            training.ends()
            until(training.is_whole, "everything is stored")
            assert training.promised == STEPS
            until(lambda each=training: each.row()["state"] == "finished", "the run is finished")


class TestServerThatWasKilledWithAllItsProcesses:
    def test_has_every_point_once_after_it_is_started_again(self, tmp_path):
        with Serving(tmp_path) as first:
            training = Training(first, "survivor", steps=STEPS)
            until(lambda: training.promised > STEPS / 4, "the training logs")
            port = first.url.rsplit(":", 1)[1]
            for process in first.processes():
                process.kill()
            first.ended()
        with Serving(tmp_path, "--port", port) as second:
            training.served = second
            try:
                training.ends()
                assert training.promised == STEPS
                until(training.is_whole, "everything is stored")
                until(lambda: training.row()["state"] == "finished", "the run is finished")
            finally:
                training.kill(tree=True)


class TestServerThatWentBack:
    def test_gets_again_what_it_has_forgotten(self, tmp_path):
        """Its data directory is an older copy: what was acknowledged since is sent again."""
        with Serving(tmp_path) as first:
            port = first.url.rsplit(":", 1)[1]
            training = Training(first, "returned", steps=STEPS)
            until(training.stored, "some of it is stored")
        shutil.copytree(
            tmp_path / "data", tmp_path / "copy", ignore=shutil.ignore_patterns("*.sock")
        )
        with Serving(tmp_path, "--port", port) as second:
            training.served = second
            training.ends()
            until(training.is_whole, "everything is stored")
            training.kill(tree=True)
        shutil.rmtree(tmp_path / "data")
        (tmp_path / "copy").rename(tmp_path / "data")
        with Serving(tmp_path, "--port", port) as third:
            training.served = third
            assert len(training.stored()) < STEPS
            assert training.sync().returncode == 0
            assert training.promised == STEPS
            assert training.is_whole()
            assert training.row()["state"] == "finished"


def _web(served) -> psutil.Process:
    """The web process of this moment: its number changes with each restart."""
    supervisor = psutil.Process(served.process.pid)

    def found():
        return [each for each in supervisor.children() if "supervisor.web" in str(each.cmdline())]

    return until(found, "a web process")[0]


class TestOfflineRun:
    def test_is_on_the_server_after_sync_as_if_it_had_been_online(self, train):
        training = train(mode="offline", steps=500)
        training.ends()
        assert training.stored() == []
        receipt = training.sync()
        assert receipt.returncode == 0, receipt.stdout + receipt.stderr
        assert training.is_whole()
        assert training.row()["state"] == "finished"

    def test_synced_twice_is_stored_once(self, train):
        training = train(mode="offline", steps=500)
        training.ends()
        training.sync()
        assert training.sync().returncode == 0
        assert training.stored() == list(range(500))
