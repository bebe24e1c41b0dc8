import subprocess
import sys
from contextlib import contextmanager

import pytest

from tidelog import capture, redact
from tidelog.console import Console
from tidelog.system import NoGpus, Sampler


class TestRedact:
    @pytest.mark.parametrize(
        ("given", "kept"),
        [
            (["--lr", "0.1"], ["--lr", "0.1"]),
            (["--api-key", "abc"], ["--api-key", "***"]),
            (["--api-key=abc"], ["--api-key=***"]),
            (["--hf_token", "abc", "--lr", "1"], ["--hf_token", "***", "--lr", "1"]),
            (["password=abc"], ["password=***"]),
            (["--secret", "--lr", "1"], ["--secret", "--lr", "1"]),
            (["postgres://me:pw@host/db"], ["postgres://***@host/db"]),
            (["sk-abcdefghijklmnop"], ["***"]),
            (["monkey.py"], ["monkey.py"]),
        ],
    )
    def test_arguments(self, given, kept):
        assert redact.argv(given) == kept

    def test_lets_only_listed_variables_through(self):
        variables = {"CUDA_VISIBLE_DEVICES": "0", "AWS_SECRET_ACCESS_KEY": "x", "HOME": "/h"}
        assert redact.environment(variables) == {"CUDA_VISIBLE_DEVICES": "0"}

    def test_masks_known_tokens_in_lines(self):
        line = "login with tl_0123456789abcdefghijklmnop now"
        assert redact.text(line) == "login with *** now"


class TestGit:
    def test_outside_a_repository_says_nothing(self, tmp_path):
        assert capture.git(str(tmp_path)) == {}

    def test_inside_one_says_what_is_checked_out(self, tmp_path):
        def git(*arguments):
            identity = ["-c", "user.name=T", "-c", "user.email=t@example.org"]
            subprocess.run(["git", *identity, *arguments], cwd=tmp_path, check=True)

        git("init", "-q", "-b", "main")
        (tmp_path / "a").write_text("1")
        git("add", "a")
        git("commit", "-q", "-m", "a")
        git("remote", "add", "origin", "https://me:token@example.org/x.git")
        clean = capture.git(str(tmp_path))
        (tmp_path / "a").write_text("2")
        assert clean["branch"] == "main"
        assert (clean["dirty"], capture.git(str(tmp_path))["dirty"]) == (False, True)
        assert clean["remote"] == "https://***@example.org/x.git"


@contextmanager
def recording():
    lines: list[tuple[int, str]] = []
    console = Console(lambda stream, text: lines.append((stream, text)))
    try:
        yield lines, console
    finally:
        console.stop()


class TestConsole:
    def test_records_whole_lines_and_shows_them(self, capsys):
        with recording() as (lines, _):
            sys.stdout.write("hello ")
            sys.stdout.write("world\n")
            sys.stderr.write("oh\n")
        assert lines == [(1, "hello world\n"), (2, "oh\n")]
        assert capsys.readouterr() == ("hello world\n", "oh\n")

    def test_keeps_unfinished_lines_until_asked(self):
        with recording() as (lines, console):
            sys.stdout.write("50 %\r")
            assert lines == []
            console.hand_over()
            assert lines == [(1, "50 %\r")]

    def test_cuts_long_texts(self):
        with recording() as (lines, _):
            sys.stdout.write("x" * 100_000)
        assert sum(len(text) for _, text in lines) == 100_000
        assert max(len(text) for _, text in lines) <= 16_384

    def test_gives_the_streams_back(self):
        before = sys.stdout
        Console(lambda *_: None).stop()
        assert sys.stdout is before

    def test_leaves_a_stream_that_somebody_replaced(self, monkeypatch):
        with recording():
            monkeypatch.setattr(sys, "stdout", sys.__stdout__)
        assert sys.stdout is sys.__stdout__


class OneCard:
    def read(self):
        return [{"utilisation": 50.0, "memory": 25.0}]


class TestSampler:
    def test_measures_the_machine(self):
        measured = Sampler(NoGpus()).sample()
        assert 0 < measured["system/memory"] <= 100
        assert measured["system/process.memory"] > 1
        assert all(key.startswith("system/") for key in measured)

    def test_measures_each_card(self):
        measured = Sampler(OneCard()).sample()
        assert measured["system/gpu.0.utilisation"] == 50
        assert measured["system/gpu.0.memory"] == 25
