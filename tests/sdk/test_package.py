import subprocess
import sys

import pytest

import tidelog

HEAVY = ["requests", "psutil", "pynvml", "numpy", "django", "celery", "urllib3", "asyncio", "http"]


class TestImport:
    @pytest.mark.parametrize("module", HEAVY)
    def test_loads_nothing_heavy(self, module):
        source = f"import sys, tidelog; sys.exit({module!r} in sys.modules)"
        assert subprocess.run([sys.executable, "-c", source], check=False).returncode == 0

    @pytest.mark.parametrize("module", ["requests", "psutil", "pynvml"])
    def test_nor_does_init(self, module, environment):
        source = f"""
import sys, tidelog
run = tidelog.init(mode="offline")
run.log({{"x": 1}})
sys.exit({module!r} in sys.modules)
"""
        done = subprocess.run([sys.executable, "-c", source], env=environment, check=False)
        assert done.returncode == 0

    def test_offers_what_it_says(self):
        assert {"Run", "init", "log", "finish", "__version__"} <= set(tidelog.__all__)

    def test_without_a_run_says_what_to_do(self):
        source = """
import tidelog
for use in (lambda: tidelog.log({}), lambda: tidelog.config, lambda: tidelog.summary):
    try:
        use()
    except RuntimeError as error:
        assert "init" in str(error)
tidelog.finish()
"""
        subprocess.run([sys.executable, "-c", source], check=True)


class TestModuleLevelTwins:
    def test_speak_of_the_newest_run(self, train, environment):
        source = """
import tidelog
run = tidelog.init(mode="offline", config={"lr": 1})
tidelog.log({"x": 1})
assert tidelog.config["lr"] == 1
tidelog.summary["best"] = 2
assert run.summary["best"] == 2
tidelog.finish()
assert run.finished
tidelog.log({"x": 2})
"""
        script = train(source, environment).ends()
        assert script.code == 0, script.err
        assert script.err.count("has ended") == 1
