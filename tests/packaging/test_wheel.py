"""What `pip install tidelog` gives: light and whole, and a server without a checkout."""

import json
import subprocess
import sys
import sysconfig
import urllib.request
import venv
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.workers.serving import environment

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def wheel(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, ROOT],
        check=True,
        capture_output=True,
    )
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="session")
def empty_environment(wheel, tmp_path_factory) -> Path:
    """An environment that holds the wheel and not one of its dependencies."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=False)
    python = folder / "bin" / "python"
    subprocess.run(
        [sys.executable, "-m", "pip", "--python", python, "install", "-q", "--no-deps", wheel],
        check=True,
    )
    return python


@pytest.fixture(scope="session")
def server_environment(wheel, tmp_path_factory) -> Path:
    """An environment with the wheel and the server's dependencies, but no checkout.

    The dependencies are those of the environment that runs the tests: a path file brings its
    folder, and leaves out the path file in it that points to the checkout.
    """
    folder = tmp_path_factory.mktemp("server")
    venv.create(folder, with_pip=False)
    python = folder / "bin" / "python"
    subprocess.run(
        [sys.executable, "-m", "pip", "--python", python, "install", "-q", "--no-deps", wheel],
        check=True,
    )
    packages = next(folder.glob("lib/python*/site-packages"))
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib"))
    return folder / "bin" / "tidelog"


@pytest.fixture
def served(server_environment, tmp_path) -> Iterator[dict[str, Any]]:
    server = subprocess.Popen(
        [server_environment, "up", "--port", "0", "--data-dir", tmp_path / "data", "--json"],
        cwd=tmp_path,
        env=environment(tmp_path),
        stdout=subprocess.PIPE,
        text=True,
    )
    assert server.stdout is not None
    with server.stdout:
        yield json.loads(server.stdout.readline())
        server.terminate()
        server.wait(timeout=30)


class TestServerWithoutACheckout:
    def test_is_ready_and_sends_its_own_files(self, served):
        assert urllib.request.urlopen(f"{served['url']}/healthz").status == 200
        page = urllib.request.urlopen(f"{served['url']}/login").read().decode()
        address = page.split('rel="stylesheet" href="')[1].split('"')[0]
        assert urllib.request.urlopen(served["url"] + address).status == 200

    def test_runs_from_the_wheel(self, server_environment):
        python = server_environment.with_name("python")
        code = "import tidelog_server; print(tidelog_server.__file__)"
        done = subprocess.run([python, "-c", code], capture_output=True, text=True, check=True)
        assert str(server_environment.parents[1]) in done.stdout

    def test_manages_people(self, server_environment, served):
        words = ("create-team", "blue", "--json")
        env = {**environment(Path(served["data_dir"])), "TIDELOG_DATA_DIR": served["data_dir"]}
        command = [server_environment, "manage", *words]
        done = subprocess.run(command, check=True, env=env, capture_output=True, text=True)
        assert json.loads(done.stdout)["team"] == "blue"


class TestWheel:
    def test_imports_with_nothing_but_the_standard_library(self, empty_environment):
        code = "import tidelog, sys; print(tidelog.__version__)"
        done = subprocess.run(
            [empty_environment, "-I", "-c", code], capture_output=True, text=True, check=True
        )
        assert done.stdout.strip() == "0.1.0"

    def test_import_leaves_the_expensive_modules_alone(self):
        code = (
            "import sys, tidelog;"
            "heavy = {'requests', 'psutil', 'pynvml', 'numpy', 'django', 'asyncio', 'ssl'};"
            "print(sorted(heavy & set(sys.modules)))"
        )
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        )
        assert done.stdout.strip() == "[]"

    def test_carries_what_the_browser_needs(self, wheel):
        names = zipfile.ZipFile(wheel).namelist()
        assert "tidelog_server/ui/static/vendor/uPlot.esm.js" in names or any(
            "/ui/static/vendor/" in name and "uplot" in name.lower() for name in names
        )
        assert any(name.endswith(".woff2") for name in names)
        assert any(name.startswith("tidelog_server/ui/templates/") for name in names)

    def test_carries_no_test_and_no_node_module(self, wheel):
        names = zipfile.ZipFile(wheel).namelist()
        assert [name for name in names if "node_modules" in name or name.startswith("tests")] == []
