import pytest

from tidelog import settings as sdk
from tidelog.settings import Credentials, resolve


@pytest.fixture(autouse=True)
def clean(environment):
    """No setting but those of the test."""


class TestSettings:
    def test_without_any_are_the_local_server(self, buffer):
        settings = resolve()
        assert (settings.url, settings.mode) == (sdk.DEFAULT_URL, "online")
        assert (settings.key, settings.team, settings.directory) == (None, None, buffer)

    def test_come_from_the_credentials_file(self):
        Credentials().remember(url="http://a", key="k", team="acme")
        settings = resolve(project="demo")
        assert (settings.url, settings.key, settings.team) == ("http://a", "k", "acme")

    def test_of_the_environment_win(self, monkeypatch):
        Credentials().remember(url="http://a", key="k", team="acme")
        monkeypatch.setenv("TIDELOG_URL", "http://b/")
        monkeypatch.setenv("TIDELOG_API_KEY", "other")
        monkeypatch.setenv("TIDELOG_PROJECT", "blue/Digits 2")
        settings = resolve()
        assert (settings.url, settings.key) == ("http://b", "other")
        assert (settings.team, settings.project) == ("blue", "digits-2")

    def test_that_are_given_win_over_both(self, monkeypatch, tmp_path):
        monkeypatch.setenv("TIDELOG_MODE", "offline")
        settings = resolve(project="p", mode="disabled", directory=tmp_path, run_id="x")
        assert (settings.mode, settings.directory, settings.run_id) == ("disabled", tmp_path, "x")

    @pytest.mark.parametrize("wrong", [{"mode": "on"}, {"project": "///"}, {"project": "team/"}])
    def test_that_make_no_sense_are_refused(self, wrong):
        with pytest.raises(ValueError, match=r"can be|cannot name"):
            resolve(**wrong)

    def test_survive_a_damaged_credentials_file(self, tmp_path):
        (tmp_path / "config").mkdir()
        (tmp_path / "config" / "credentials.json").write_text('{"servers": 3')
        assert resolve().key is None


class TestBufferLimit:
    @pytest.mark.parametrize(
        ("text", "limit"),
        [("", None), ("1000", 1000), ("2k", 2048), ("500M", 500 << 20), ("20 GiB", 20 << 30)],
    )
    def test_is_a_size(self, monkeypatch, text, limit):
        monkeypatch.setenv("TIDELOG_BUFFER_LIMIT", text)
        assert resolve().limit == limit

    def test_that_is_none_is_refused(self, monkeypatch):
        monkeypatch.setenv("TIDELOG_BUFFER_LIMIT", "plenty")
        with pytest.raises(ValueError, match="500M"):
            resolve()


class TestRank:
    @pytest.mark.parametrize(
        ("variables", "rank"),
        [
            ({}, 0),
            ({"RANK": "2"}, 2),
            ({"LOCAL_RANK": "1"}, 1),
            ({"RANK": "0", "LOCAL_RANK": "1"}, 0),
            ({"SLURM_PROCID": "3"}, 0),
            ({"SLURM_PROCID": "3", "SLURM_NTASKS": "4"}, 3),
            ({"RANK": "junk"}, 0),
        ],
    )
    def test_is_what_the_launcher_says(self, variables, rank):
        assert sdk.rank_of(variables) == rank
