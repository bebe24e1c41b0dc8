"""The page of promises names the tests that hold them, and those exist."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "reference" / "sync-behaviour.md"
ROWS = [
    line
    for line in PAGE.read_text().splitlines()
    if line.startswith("| ") and not line.endswith("| test |")
]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.split("|")[1].strip()[:40])
def test_every_row_names_a_test_that_exists(row):
    named = re.findall(r"`((?:tests/)?[\w/]*(?:test_\w+\.py|/)[\w:]*)`", row.split("|")[-2])
    assert named
    for each in named:
        path, _, subject = each.partition("::")
        place = ROOT / path if path.startswith("tests/") else ROOT / "tests" / "sdk" / path
        assert place.exists()
        assert not subject or f"class {subject}" in place.read_text()
