"""What `pip install tidelog` gives a training image: light, whole, and importable with nothing else."""

import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

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
