"""What the uploader takes when much has gathered."""

import subprocess
import sys

DRAIN = """
import json, re, sys
from pathlib import Path
from tidelog.answers import Answer
from tidelog.buffer import Buffer
from tidelog.sender import StreamSender
from tidelog.session import RunSession
from tidelog.wire import batch

class Server:
    def get(self, path, params):
        return self.answer({"streams": {}})

    def post(self, path, params, body):
        header, _, _ = batch.decode(body)
        return self.answer({"stream": path.split("/")[-2], "next": header["to"]})

    def answer(self, content):
        return Answer(200, {"content-type": "application/json"}, json.dumps(content).encode())

run = Buffer(Path(sys.argv[1])).run("r1")
(stream,) = run.streams()
sender = StreamSender(RunSession(run, Server()), stream)
while not sender.done:
    sender.step()
peak = re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())  # not its parent's
print(sender.sent, int(peak[1]) // 1024)
"""

FILL = """
import os, sys, tidelog
run = tidelog.init(id="r1", mode="offline", dir=sys.argv[1], capture=False, system=False)
for step in range(int(sys.argv[2])):
    run.log({"loss": step, "accuracy": step}, step)
    if step % 8 == 0:
        run.summary["note"] = os.urandom(1_500).hex()
"""


def drained(directory, environment, *, records: int) -> tuple[int, int]:
    """Record a backlog and send it, each in a process; return records and megabytes taken."""
    for source, *arguments in ((FILL, str(records)), (DRAIN,)):
        argv = [sys.executable, "-c", source, str(directory), *arguments]
        done = subprocess.run(argv, env=environment, check=True, capture_output=True, text=True)
    sent, megabytes = done.stdout.split()[-2:]
    return int(sent), int(megabytes)


class TestBacklog:
    def test_takes_the_same_memory_however_large_it_is(self, tmp_path, environment):
        few, small = drained(tmp_path / "small", environment, records=10_000)
        many, large = drained(tmp_path / "large", environment, records=60_000)
        assert many > 5.9 * few
        assert large < small + 20
        assert large < 150
