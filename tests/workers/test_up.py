"""`tidelog up`: one process tree that is the whole server."""

import http.cookiejar
import os
import shutil
import signal
import socket
import stat
import urllib.request
from pathlib import Path

import pytest
from tests.workers.serving import Serving, all_gone, until

needs_redis = pytest.mark.skipif(
    not (shutil.which("redis-server") or shutil.which("valkey-server")), reason="no broker found"
)


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """A server that tests only look at."""
    with Serving(tmp_path_factory.mktemp("served")) as serving:
        yield serving


@pytest.fixture
def own(tmp_path):
    """A server for one test, which may do to it what it likes."""
    with Serving(tmp_path) as serving:
        yield serving


class TestBanner:
    def test_is_one_json_line_with_all_that_a_script_needs(self, served):
        assert len(served.out) == 1
        assert set(served.banner) == {
            "url",
            "sign_in_url",
            "api_key",
            "team",
            "pids",
            "data_dir",
        }
        assert served.banner["data_dir"] == str(served.folder / "data")

    def test_names_processes_that_live(self, served):
        assert {"supervisor", "web", "worker"} <= set(served.banner["pids"])
        assert all(served.child(name).is_running() for name in served.banner["pids"])

    def test_names_a_server_that_is_ready(self, served):
        assert served.get("/healthz")[0] == 200
        assert served.get("/readyz")[0] == 200

    def test_holds_a_key_of_the_owner(self, served):
        me = served.api("/me")
        assert me["team"] == served.banner["team"]
        assert {"ingest", "read", "write"} <= set(me["scopes"])


class TestSignInLink:
    def test_signs_in_once(self, served):
        assert _signed_in_by(served) is True
        assert _signed_in_by(served) is False


def _signed_in_by(served: Serving) -> bool:
    """Open the link as a browser would: follow it, then confirm if the page asks to."""
    jar = http.cookiejar.CookieJar()
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar), _AnyStatus())
    browser.open(served.banner["sign_in_url"]).close()
    return any(cookie.name == "tidelog_session" for cookie in jar)


class _AnyStatus(urllib.request.HTTPErrorProcessor):
    def http_response(self, request, response):
        if response.status >= 400:
            return response
        return super().http_response(request, response)


class TestDataDirectory:
    def test_is_for_its_owner_only(self, served):
        assert stat.S_IMODE((served.folder / "data").stat().st_mode) == 0o700

    def test_serves_one_server_at_a_time(self, served):
        second = Serving(served.folder)
        assert second.ended() == 1
        assert second.heard("Another `tidelog up` is serving")


class TestCredentialsFile:
    def test_makes_import_tidelog_work_here(self, served):
        file = served.folder / "config" / "credentials.json"
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert served.banner["api_key"] in file.read_text()


class TestSecondStart:
    def test_keeps_data_and_key_and_makes_a_new_link(self, tmp_path):
        with Serving(tmp_path) as first:
            before = first.banner
        with Serving(tmp_path) as second:
            after = second.banner
            assert second.api("/me")["team"] == before["team"]
        assert after["api_key"] == before["api_key"]
        assert after["sign_in_url"].rsplit("/")[-1] != before["sign_in_url"].rsplit("/")[-1]

    def test_makes_a_new_key_when_the_file_is_lost(self, tmp_path):
        with Serving(tmp_path) as first:
            before = first.banner["api_key"]
        shutil.rmtree(tmp_path / "config")
        with Serving(tmp_path) as second:
            assert second.banner["api_key"] != before
            assert second.api("/me")


class TestCrashedChild:
    @pytest.mark.parametrize("name", ["web", "worker"])
    def test_is_started_again_and_said(self, own, name):
        own.child(name).kill()
        until(lambda: own.heard(f"{name} runs again"), f"the {name} runs again")
        assert own.heard("was killed by SIGKILL; starting it again in 0.5 s.")

    def test_of_the_web_keeps_the_port_open(self, own):
        own.child("web").kill()
        assert own.get("/healthz")[0] == 200


class TestStopping:
    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
    def test_leaves_no_process_and_exits_with_zero(self, own, number):
        family = own.processes()
        assert own.stop(number) == 0
        assert all_gone(family)

    def test_says_nothing(self, own):
        own.stop()
        assert [line for line in own.said if "Traceback" in line or "rror" in line] == []

    def test_happens_to_the_children_of_a_supervisor_that_was_killed(self, own):
        family = own.processes()
        os.kill(own.process.pid, signal.SIGKILL)
        until(lambda: all_gone(family), "the children are gone")


class TestPort:
    def test_that_is_taken_is_told_in_one_sentence(self, tmp_path):
        with socket.create_server(("127.0.0.1", 0)) as other:
            port = other.getsockname()[1]
            second = Serving(tmp_path, "--port", str(port))
            assert second.ended() == 1
        (sentence,) = second.said
        assert sentence.startswith(f"tidelog: Port {port} is taken by another program; choose one")


class TestWithoutWorker:
    def test_starts_none(self, tmp_path):
        with Serving(tmp_path, "--no-worker") as served:
            assert "worker" not in served.banner["pids"]


class TestBroker:
    @needs_redis
    def test_listens_on_a_socket_in_the_data_directory_only(self, served):
        path = served.folder / "data" / "broker.sock"
        assert path.is_socket()
        assert served.child("broker").net_connections(kind="inet") == []

    def test_is_files_where_no_program_is_found(self, tmp_path):
        nowhere = tmp_path / "bin"
        nowhere.mkdir()
        with Serving(tmp_path, PATH=str(nowhere)) as served:
            assert "broker" not in served.banner["pids"]
            messages = Path(served.banner["data_dir"]) / "broker" / "messages"
            until(messages.is_dir, "the worker reads its messages from files")
