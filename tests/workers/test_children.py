"""Children of the supervisor, one by one."""

import os
import signal
import subprocess
import sys
import time

import psutil
import pytest
from tests.workers.serving import environment, until

from tidelog_workers.supervisor import children
from tidelog_workers.supervisor.children import Child

SLEEP = "import time; time.sleep(600)"


@pytest.fixture
def child():
    made = Child(name="sleeper", argv=[sys.executable, "-c", SLEEP], env=dict(os.environ))
    yield made
    made.send(signal.SIGKILL)
    if made.process is not None:
        made.process.wait()


def killed(child: Child) -> str:
    """Start it, kill it, and return what is said of that."""
    child.start()
    assert child.process is not None
    child.process.kill()
    child.process.wait()
    return child.ended()


class TestChild:
    def test_says_how_it_went_and_when_it_comes_back(self, child):
        said = killed(child)
        assert said == (
            f"sleeper (pid {child.pid}) was killed by SIGKILL; starting it again in 0.5 s."
        )

    def test_waits_twice_as_long_after_each_crash_up_to_half_a_minute(self, child):
        pauses = [killed(child).split()[-2] for _ in range(8)]
        assert pauses == ["0.5", "1", "2", "4", "8", "16", "30", "30"]

    def test_that_ran_well_for_a_minute_comes_back_at_once_again(self, child, monkeypatch):
        for _ in range(4):
            killed(child)
        monkeypatch.setattr(children, "STEADY", 0.0)
        assert killed(child).endswith("in 0.5 s.")

    def test_that_ended_is_due_after_its_pause(self, child):
        killed(child)
        assert child.due is not None
        assert child.due > time.monotonic()

    def test_is_the_leader_of_a_group_of_its_own(self, child):
        child.start()
        assert os.getpgid(child.pid) == child.pid

    def test_signals_its_own_children_too(self, child, tmp_path):
        started = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {SLEEP!r}])"
        child.argv = [sys.executable, "-c", started]
        child.start()
        family = until(lambda: psutil.Process(child.pid).children(), "it has a child")
        child.send(signal.SIGKILL)
        until(lambda: not psutil.wait_procs(family, timeout=0)[1], "the grandchild is gone")

    @pytest.mark.skipif(sys.platform != "linux", reason="the kernel does it on Linux only")
    def test_ends_with_its_parent_however_that_ends(self, tmp_path):
        script = (
            "import os, sys; from tidelog_workers.supervisor.children import Child\n"
            f"argv = [sys.executable, '-c', {SLEEP!r}]\n"
            "child = Child(name='c', argv=argv, env=dict(os.environ))\n"
            "child.start(); print(child.pid, flush=True)\n"
            "os.kill(os.getpid(), 9)\n"
        )
        done = subprocess.run(
            [sys.executable, "-c", script],
            env=environment(tmp_path),
            capture_output=True,
            text=True,
            check=False,
        )
        pid = int(done.stdout)
        until(lambda: not psutil.pid_exists(pid) or _is_zombie(pid), "the child is gone")


def _is_zombie(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True
