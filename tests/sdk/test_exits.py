import signal

import pytest
from tests.sdk.conftest import eventually

BEGIN = """
import os, signal, sys, time, tidelog
run = tidelog.init(project="acme/demo", id="r1", console=False)
run.log({"loss": 1})
"""


class TestEndOfTheScript:
    @pytest.mark.parametrize(
        ("ending", "code", "state"),
        [
            ("", 0, "finished"),
            ("sys.exit(0)", 0, "finished"),
            ("sys.exit(3)", 3, "failed"),
            ("exit(3)", 3, "failed"),
            ("sys.exit('no')", 1, "failed"),
            ("raise ValueError('no')", 1, "failed"),
            ("raise KeyboardInterrupt", 130, "killed"),
            ("run.finish(4)", 0, "failed"),
            ("with run: pass", 0, "finished"),
            ("with run: sys.exit(5)", 5, "failed"),
            ("with run: 1 / 0", 1, "failed"),
        ],
    )
    def test_is_recorded_and_its_exit_code_is_its_own(
        self, train, online, server, ending, code, state
    ):
        script = train(BEGIN + ending, online).ends()
        assert script.code in (code, -signal.SIGINT if code == 130 else code), script.err
        (finish,) = server.records("r1", 7)
        assert finish["state"] == state

    @pytest.mark.parametrize(
        ("ending", "recorded"),
        [
            ("sys.exit(3)", 3),
            ("raise ValueError('no')", 1),
            ("raise KeyboardInterrupt", 130),
            ("raise SystemExit(3)", None),
        ],
    )
    def test_has_its_code_wherever_it_can_be_seen(self, train, online, server, ending, recorded):
        train(BEGIN + ending, online).ends()
        assert server.records("r1", 7)[0]["exit"] == recorded

    @pytest.mark.parametrize("leave", ["sys.exit(3)", "exit(3)", "raise SystemExit(3)"])
    @pytest.mark.parametrize("place", ["", "def main():"])
    def test_is_not_an_exit_that_the_script_caught(self, train, online, server, leave, place):
        caught = f"try: {leave}\nexcept SystemExit: run.log({{'later': 1}})\n"
        if place:
            caught = place + "\n" + "".join(f"  {line}\n" for line in caught.splitlines())
            caught += "main()\n"
        script = train(BEGIN + caught, online).ends()
        assert script.code == 0, script.err
        (finish,) = server.records("r1", 7)
        assert (finish["state"], finish["exit"]) == ("finished", 0)

    @pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
    def test_by_a_signal_is_recorded_at_once(self, train, online, server, signum):
        script = train(BEGIN + f"os.kill(os.getpid(), {int(signum)}); time.sleep(60)", online)
        assert script.ends(seconds=20).code == -signum
        eventually(lambda: server.records("r1", 7))
        finish = server.records("r1", 7)[0]
        assert (finish["state"], finish["exit"]) == ("killed", 128 + signum)

    def test_by_sigterm_leaves_the_scripts_own_handler_in_charge(self, train, online, server):
        handler = "signal.signal(signal.SIGTERM, lambda *_: (run.log({'last': 1}), sys.exit(7)))\n"
        kill = "os.kill(os.getpid(), signal.SIGTERM); time.sleep(60)"
        script = train("import signal, sys\n" + handler + BEGIN + kill, online).ends(seconds=20)
        assert script.code == 7
        assert server.records("r1", 6)[0]["event"] == "preempting"
        assert server.points("r1", "last") == [(1, 1)]
        assert server.records("r1", 7)[0]["exit"] == 7

    def test_signals_in_the_middle_of_writes_do_no_harm(self, train, online, server):
        storm = """
count = [0]
def handler(*_):
    count[0] += 1
    run.log({"signal": count[0]})
signal.signal(signal.SIGALRM, handler)
signal.setitimer(signal.ITIMER_REAL, 0.0002, 0.0002)
for i in range(20_000):
    run.log({"calm": i}, step=i)
signal.setitimer(signal.ITIMER_REAL, 0)
print(count[0])
"""
        script = train(BEGIN + storm, online).ends()
        assert [value for _, value in server.points("r1", "calm")] == list(range(20_000))
        assert len(server.points("r1", "signal")) == int(script.out) > 10

    def test_interrupts_in_the_middle_of_writes_lose_nothing(self, train, online, server):
        storm = """
class Stop(BaseException): pass  # as KeyboardInterrupt is
def handler(*_): raise Stop
signal.signal(signal.SIGALRM, handler)
answered = []
i = 0
stops = 0
while stops < 300:
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.0005)
        while True:
            i += 1
            run.log({"calm": i}, step=i)
            answered.append(i)
    except Stop:
        stops += 1
print(*answered)
"""
        script = train(BEGIN + storm, online).ends()
        assert script.code == 0, script.err
        answered = [int(word) for word in script.out.split()]
        stored = [int(value) for _, value in server.points("r1", "calm")]
        assert len(stored) == len(set(stored))
        assert set(answered) <= set(stored)
        assert server.stream("r1").gaps == []


class TestFork:
    def test_a_child_records_in_a_stream_of_its_own(self, train, online, server):
        fork = """
import multiprocessing
def work(n):
    run.log({"child": n})
context = multiprocessing.get_context("fork")
workers = [context.Process(target=work, args=(n,)) for n in range(3)]
for worker in workers: worker.start()
for worker in workers: worker.join()
run.log({"loss": 2})
run.finish()
"""
        script = train(BEGIN + fork, online).ends()
        assert script.code == 0, script.err
        eventually(lambda: len(server.points("r1", "child")) == 3)
        assert sorted(value for _, value in server.points("r1", "child")) == [0, 1, 2]
        assert [opening["primary"] for opening in server.records("r1", 8)].count(True) == 1
        assert len(server.records("r1", 7)) == 1

    def test_a_childs_exit_does_not_end_the_run(self, train, online, server):
        fork = """
if os.fork() == 0:
    sys.exit(9)
os.wait()
run.log({"loss": 2})
"""
        script = train(BEGIN + fork, online).ends()
        assert script.code == 0, script.err
        assert [finish["state"] for finish in server.records("r1", 7)] == ["finished"]

    def test_under_a_held_lock_does_not_hang_the_child(self, train, online, server):
        fork = """
import threading
going = True
def log():
    while going: run.log({"thread": 1})
threading.Thread(target=log, daemon=True).start()
for _ in range(20):
    if os.fork() == 0:
        run.log({"child": 1})
        os._exit(0)
    os.wait()
going = False
"""
        script = train(BEGIN + fork, online).ends(seconds=30)
        assert script.code == 0, script.err
        eventually(lambda: len(server.points("r1", "child")) == 20)
