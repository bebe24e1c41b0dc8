"""The uploader as a process: when it works, and when it ends."""

import shutil

import pytest
from tests.sdk.fake_server import KEY, json_reply
from tests.sdk.test_answers import a_run

from tidelog import uploader as module
from tidelog.buffer import Buffer
from tidelog.settings import key_hint
from tidelog.uploader import Service


def claim(buffer, *, url, key=KEY):
    """Say whose run it is, as `init` does."""
    run = Buffer(buffer).run("r1")
    run.run_file.unlink()
    about = {"run": "r1", "team": "acme", "project": "demo"}
    run.describe({**about, "server": url, "key_hint": key_hint(key)})


@pytest.fixture(autouse=True)
def impatient(monkeypatch, environment):
    monkeypatch.setattr(module, "IDLE_SECONDS", 1.0)


class TestService:
    def test_sends_what_is_there_and_ends(self, buffer, server):
        a_run(buffer)
        claim(buffer, url=server.url)
        Service(Buffer(buffer), server.url, KEY).run()
        assert len(server.points("r1", "loss")) == 20

    @pytest.mark.parametrize("change", [{"url": "http://other"}, {"key": "tl_other"}])
    def test_leaves_alone_what_is_for_others(self, buffer, server, change):
        a_run(buffer)
        claim(buffer, **{"url": server.url, **change})
        Service(Buffer(buffer), server.url, KEY).run()
        assert server.runs == {}
        assert server.gets == 0

    def test_ends_when_its_key_is_refused_and_nobody_trains(self, buffer, server):
        a_run(buffer)
        claim(buffer, url=server.url)
        server.key = "tl_other"
        Service(Buffer(buffer), server.url, KEY).run()
        assert Buffer(buffer).run("r1").status()["state"] == "auth"

    def test_takes_the_key_that_a_login_left(self, buffer, server, monkeypatch):
        from tidelog.settings import Credentials

        monkeypatch.setattr(module, "KEY_SECONDS", 0.2)
        a_run(buffer)
        claim(buffer, url=server.url)
        server.key = "tl_new"
        Credentials().remember(url=server.url, key="tl_new", team="acme")
        Service(Buffer(buffer), server.url, KEY).run()
        assert len(server.points("r1", "loss")) == 20

    def test_goes_back_to_its_key_when_the_other_is_no_better(self, buffer, server, monkeypatch):
        from tidelog.settings import Credentials

        monkeypatch.setattr(module, "KEY_SECONDS", 0.2)
        a_run(buffer)
        claim(buffer, url=server.url)
        Credentials().remember(url=server.url, key="tl_worse", team="acme")
        server.script.append(json_reply(401, {"code": "bad_key", "message": "For a moment."}))
        Service(Buffer(buffer), server.url, KEY).run()
        assert len(server.points("r1", "loss")) == 20

    def test_stays_with_the_key_that_was_taken(self, buffer, server, monkeypatch):
        from tidelog.settings import Credentials

        monkeypatch.setattr(module, "KEY_SECONDS", 0.1)
        a_run(buffer)
        claim(buffer, url=server.url)
        server.key = "tl_new"
        Credentials().remember(url=server.url, key="tl_new", team="acme")
        service = Service(Buffer(buffer), server.url, KEY)
        service.run()
        assert service._key_in_use == "tl_new"

    def test_ends_when_the_buffer_is_gone(self, buffer, server):
        a_run(buffer)
        claim(buffer, url="http://127.0.0.1:9")
        service = Service(Buffer(buffer), "http://127.0.0.1:9", KEY)
        service._uploader.discover()
        shutil.rmtree(buffer)
        service.run()

    def test_forgets_a_run_that_ended_a_day_ago(self, buffer, server, monkeypatch):
        a_run(buffer)
        claim(buffer, url=server.url)
        Service(Buffer(buffer), server.url, KEY).run()
        assert Buffer(buffer).run("r1").path.exists()
        monkeypatch.setattr("tidelog.retention.is_over.__kwdefaults__", {"keep": -1.0})
        Service(Buffer(buffer), server.url, KEY).run()
        assert not Buffer(buffer).run("r1").path.exists()
