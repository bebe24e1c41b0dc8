"""A disk that fills up under the server, and is emptied again."""

import json
import os
import sqlite3
import subprocess
import urllib.error
import urllib.request
from contextlib import closing

import pytest
from tests.server.factories import a_body
from tests.workers.serving import Serving, until

SIZE, RESERVE = 160, 64  # MiB


@pytest.fixture
def small_disk(tmp_path):
    folder = tmp_path / "disk"
    folder.mkdir()
    mounting = ["mount", "-t", "tmpfs", "-o", f"size={SIZE}m", "none", str(folder)]
    if os.geteuid() or subprocess.run(mounting, capture_output=True, check=False).returncode:
        pytest.skip("only root may mount a small disk")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


class Sender:
    """A stream that grows by a thousand points with every batch that is stored."""

    def __init__(self, serving):
        self.serving = serving
        self.next = 0

    def send(self):
        path = f"/api/v1/runs/full/streams/{'a' * 32}/records?project=faults"
        request = urllib.request.Request(
            self.serving.url + path,
            data=a_body(self.next, 1000),
            headers={
                "Authorization": f"Bearer {self.serving.banner['api_key']}",
                "Content-Type": "application/octet-stream",
            },
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                self.next = json.load(answer)["next"]
                return answer.status
        except urllib.error.HTTPError as error:
            with error:
                return error.code if int(error.headers["Retry-After"]) > 0 else 0


def fill(path, *, leave):
    """Take all of the disk but `leave` bytes."""
    usage = os.statvfs(path.parent)
    size = usage.f_bavail * usage.f_frsize - leave
    with path.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, size)


def stored(serving):
    team = serving.banner["team"]
    return serving.api(f"/projects/{team}/faults/runs/full/series")["series"][0]["n"]


class TestAFullDisk:
    @pytest.mark.parametrize("left", [RESERVE * 2**20 // 2, 0], ids=["reserve only", "nothing"])
    def test_refuses_records_and_loses_none(self, small_disk, left):
        with Serving(small_disk, "--no-worker") as serving:
            sender = Sender(serving)
            assert sender.send() == 200
            ballast = small_disk / "ballast"
            fill(ballast, leave=left)
            until(lambda: sender.send() == 507, "the server notices")
            assert stored(serving) == sender.next
            if left:  # a session is stored in the reserve
                link = serving.banner["sign_in_url"].removeprefix(serving.url)
                assert serving.get(link)[0] == 200
            ballast.unlink()
            until(lambda: sender.send() == 200, "there is room again")
            assert stored(serving) == sender.next
        with closing(sqlite3.connect(small_disk / "data" / "tidelog.sqlite3")) as database:
            assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
