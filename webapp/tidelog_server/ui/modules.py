"""Our JavaScript modules, by the bare names with which they import each other."""

import base64
import hashlib
import json
import re
from functools import cache
from pathlib import Path

from django.templatetags.static import static

SOURCE = Path(__file__).parent / "static" / "ui" / "js"
VENDOR = {"uplot": "vendor/uplot/uplot.js"}
_IMPORT = re.compile(r"""^(?:import|export)\b[^;]*?["'](tidelog/[\w/]+|uplot)["'];""", re.MULTILINE)


def address(name: str) -> str:
    """Return the URL of a module, with its content's hash."""
    own = f"ui/js/{name.removeprefix('tidelog/')}.js"
    return static(VENDOR.get(name, own))


@cache
def import_map() -> str:
    """Return the import map: every module's name and where it is."""
    own = (path.relative_to(SOURCE).with_suffix("") for path in sorted(SOURCE.rglob("*.js")))
    names = [f"tidelog/{path.as_posix()}" for path in own] + list(VENDOR)
    imports = {name: address(name) for name in names if not name.startswith("tidelog/pages/")}
    return json.dumps({"imports": imports}, separators=(",", ":"))


@cache
def import_map_hash() -> str:
    """Return what the content policy calls the import map."""
    digest = hashlib.sha256(import_map().encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


@cache
def needed_by(name: str) -> tuple[str, ...]:
    """Return the modules that `name` needs, directly or not, nearest first, without itself."""
    found: dict[str, None] = {}
    queue = [name]
    while queue:
        for other in imports_of(queue.pop(0)):
            if other not in found:
                found[other] = None
                queue.append(other)
    return tuple(found)


def imports_of(name: str) -> list[str]:
    """Return the names that a module imports; a library's own imports do not concern us."""
    if name in VENDOR:
        return []
    source = SOURCE / f"{name.removeprefix('tidelog/')}.js"
    return _IMPORT.findall(source.read_text(encoding="utf-8"))
