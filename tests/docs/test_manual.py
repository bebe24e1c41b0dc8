"""The manual cannot lie: what it must name is read from the code, and what it names exists."""

import re
import subprocess
import sys
import tomllib
from itertools import chain
from pathlib import Path

import pytest

import tidelog

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
ENVIRONMENT = {
    *("TIDELOG_URL", "TIDELOG_API_KEY", "TIDELOG_PROJECT", "TIDELOG_DIR", "TIDELOG_MODE"),
    *("TIDELOG_RUN_ID", "TIDELOG_DATA_DIR", "DATABASE_URL", "REDIS_URL"),
}
SERVER_COMMANDS = ["up", "worker", "manage", "demo"]
SDK_COMMANDS = ["login", "status", "sync"]


def required_packages() -> set[str]:
    project = PROJECT["project"]
    lines = [*project["dependencies"], *chain(*project["optional-dependencies"].values())]
    return {re.split(r"[><=;\[ ]", line)[0] for line in lines}


def links(page: Path) -> list[str]:
    found = re.findall(r"\]\(([^)#\s]+)", page.read_text())
    return [link for link in found if not link.startswith(("http:", "https:", "mailto:"))]


PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted(DOCS.rglob("*.md"))]


@pytest.mark.parametrize("name", tidelog.__all__)
def test_every_public_name_is_documented(name):
    assert f"### `{name}" in (DOCS / "reference/sdk.md").read_text()


@pytest.mark.parametrize("package", sorted(required_packages()))
def test_every_dependency_says_what_for(package):
    assert package in (DOCS / "decisions/dependencies.md").read_text()


@pytest.mark.parametrize("command", SERVER_COMMANDS + SDK_COMMANDS)
def test_every_command_is_in_the_manual_and_in_the_help(command):
    shown = subprocess.run(
        [sys.executable, "-m", "tidelog", "--help"], capture_output=True, text=True, check=True
    )
    assert command in shown.stdout
    assert f"tidelog {command}" in (DOCS / "reference/cli.md").read_text()


@pytest.mark.parametrize("variable", sorted(ENVIRONMENT))
def test_every_variable_is_in_the_manual(variable):
    pages = [DOCS / "reference/cli.md", DOCS / "reference/sdk.md", DOCS / "self-hosting.md"]
    assert any(variable in page.read_text() for page in pages)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page):
    missing = [link for link in links(page) if not (page.parent / link).exists()]
    assert missing == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_python_block_compiles(page):
    for block in re.findall(r"```python\n(.*?)```", page.read_text(), re.DOTALL):
        compile(block, str(page), "exec")


@pytest.mark.parametrize("target", ["up", "demo", "test", "check", "bench", "lock"])
def test_every_make_target_that_is_promised_exists(target):
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.MULTILINE)
