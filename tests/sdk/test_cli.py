import json
import re
import stat

import pytest
from tests.sdk.conftest import eventually
from tests.sdk.fake_server import KEY, FakeServer, json_reply
from tests.sdk.test_answers import a_run

from tidelog.settings import Credentials

OFFLINE = """
import tidelog
run = tidelog.init(project="acme/demo", id="r1", mode="offline", console=False)
for i in range(1_000):
    run.log({"loss": i})
"""


class TestLogin:
    def test_remembers_the_key_for_oneself_alone(self, tidelog, server, tmp_path):
        done = tidelog("login", server.url + "/", KEY)
        path = tmp_path / "config" / "credentials.json"
        assert done.returncode == 0, done.stderr
        assert json.loads(path.read_text()) == {
            "default": server.url,
            "servers": {server.url: {"key": KEY, "team": "acme"}},
        }
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert "acme" in done.stdout

    def test_refuses_a_wrong_key(self, tidelog, server, tmp_path):
        done = tidelog("login", server.url, "tl_wrong")
        assert done.returncode == 3
        assert "not known" in done.stderr
        assert not (tmp_path / "config").exists()

    def test_says_when_nobody_is_there(self, tidelog, server):
        server.close()
        assert tidelog("login", server.url, KEY).returncode == 2
        server.close = lambda: None


class TestSync:
    def test_gives_a_receipt(self, train, online, tidelog, server):
        script = train(OFFLINE, online).ends()
        command = re.search(r"tidelog (sync \S+)", script.err)
        done = tidelog(*command[1].split())
        assert done.returncode == 0, done.stderr
        sent, stored, held = map(int, re.findall(r"\d+", done.stdout)[-3:])
        assert sent == stored == held > 1_000
        assert len(server.points("r1", "loss")) == 1_000

    def test_of_an_empty_directory_says_so(self, online, tidelog, tmp_path):
        done = tidelog("sync", str(tmp_path))
        assert done.returncode == 0
        assert "nothing to send" in done.stdout

    def test_without_a_key_ends_with_3(self, tidelog, buffer):
        a_run(buffer)
        done = tidelog("sync")
        assert done.returncode == 3
        assert "tidelog login http://127.0.0.1:8000" in done.stderr

    def test_with_a_refused_key_ends_with_3(self, online, tidelog, server, buffer):
        a_run(buffer)
        server.key = "tl_other"
        done = tidelog("sync")
        assert done.returncode == 3
        assert "refused" in done.stdout

    def test_that_skipped_damage_ends_with_4(self, online, tidelog, server, buffer):
        a_run(buffer)
        (segment,) = buffer.rglob("*.tlog")
        data = bytearray(segment.read_bytes())
        data[500] ^= 255
        segment.write_bytes(data)
        done = tidelog("sync")
        assert done.returncode == 4, done.stdout + done.stderr
        assert "1 records damaged" in done.stdout
        assert server.stream("r1").gaps[0][2] == "corrupt"

    def test_of_a_copied_directory_stores_nothing_twice(self, online, tidelog, server, buffer):
        import shutil

        a_run(buffer)
        tidelog("sync")
        shutil.copytree(buffer, buffer.with_name("copy"))
        assert tidelog("sync", str(buffer.with_name("copy"))).returncode == 0
        assert len(server.points("r1", "loss")) == 20

    def test_tells_what_the_server_refused(self, online, tidelog, server, buffer):
        a_run(buffer)
        no = json_reply(422, {"code": "no", "message": "No."})
        server.judge = lambda header: no if any(r[1] == 7 for r in header["records"]) else None
        done = tidelog("sync")
        assert done.returncode == 4
        assert "refused by the server" in done.stdout


def recorded_for(buffer, url):
    """A run of another server than that of the settings."""
    a_run(buffer)
    path = buffer / "v1/runs/r1/run.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "server": url}))


class TestSyncOfARunForAnotherServer:
    @pytest.fixture
    def other(self):
        fake = FakeServer()
        yield fake
        fake.close()

    def test_goes_there_with_the_key_for_there(self, online, tidelog, server, other, buffer):
        Credentials().remember(url=other.url, key=KEY, team="acme")
        Credentials().remember(url=server.url, key=KEY, team="acme")
        recorded_for(buffer, other.url)
        assert tidelog("sync").returncode == 0
        assert len(other.points("r1", "loss")) == 20
        assert (server.posts, server.gets) == (0, 0)

    def test_goes_there_alone(self, online, train, tidelog, server, other, buffer):
        train(OFFLINE.replace('"r1"', '"r2"'), online).ends()
        Credentials().remember(url=other.url, key=KEY, team="acme")
        recorded_for(buffer, other.url)
        assert tidelog("sync").returncode == 0
        assert (set(server.runs), set(other.runs)) == ({"r2"}, {"r1"})

    def test_stays_here_without_a_key_for_there(self, online, tidelog, server, other, buffer):
        recorded_for(buffer, other.url)
        done = tidelog("sync")
        assert done.returncode == 3
        assert other.url in done.stderr
        assert server.posts + server.gets + other.posts + other.gets == 0

    def test_goes_elsewhere_if_one_says_so(self, online, tidelog, server, other, buffer):
        recorded_for(buffer, other.url)
        assert tidelog("sync", "--to", server.url + "/").returncode == 0
        assert len(server.points("r1", "loss")) == 20
        assert other.posts + other.gets == 0

    def test_goes_to_ours_if_nobody_had_said(self, environment, train, tidelog, server, buffer):
        train(OFFLINE, environment).ends()
        assert json.loads((buffer / "v1/runs/r1/run.json").read_text())["server"] is None
        Credentials().remember(url=server.url, key=KEY, team="acme")
        assert tidelog("sync").returncode == 0
        assert len(server.points("r1", "loss")) == 1_000


class TestStatus:
    def test_counts_what_waits(self, online, tidelog, buffer):
        a_run(buffer)
        done = tidelog("status")
        assert done.returncode == 2
        assert "42 records to send" in done.stdout
        assert KEY not in done.stdout

    def test_is_content_when_all_is_sent(self, online, tidelog, buffer, server):
        a_run(buffer)
        tidelog("sync")
        done = tidelog("status")
        assert done.returncode == 0, done.stdout
        assert "all sent" in done.stdout


class TestHelp:
    @pytest.mark.parametrize("command", ["login", "status", "sync"])
    def test_lists_every_command(self, tidelog, command):
        done = tidelog("--help")
        assert done.returncode == 0
        assert command in done.stdout

    def test_lists_what_other_parts_add(self, tidelog):
        assert "manage" in tidelog("--help").stdout

    def test_is_what_no_command_means(self, tidelog):
        assert tidelog().returncode == 0


class TestWatch:
    def test_goes_on_until_it_is_interrupted(self, online, server, buffer, train):
        source = "import sys; from tidelog.cli import main; sys.exit(main(['sync', '--watch']))"
        watching = train(source, online)
        a_run(buffer)
        eventually(lambda: len(server.points("r1", "loss")) == 20)
        watching.process.send_signal(2)
        assert watching.ends(seconds=20).code == 0, watching.err
