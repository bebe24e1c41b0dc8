"""The code that /start offers must work with the SDK as it is."""

import ast
import inspect

import pytest

import tidelog
from tidelog_server.tracking.views.snippets import SNIPPETS, Snippet


@pytest.mark.parametrize("snippet", SNIPPETS, ids=lambda s: s.slug)
class TestSnippets:
    def test_uses_public_names_only(self, snippet: Snippet) -> None:
        for call in calls(snippet.code):
            if call.func.value.id == "tidelog":  # type: ignore[attr-defined]
                assert call.func.attr in tidelog.__all__  # type: ignore[attr-defined]

    def test_calls_them_as_they_are(self, snippet: Snippet) -> None:
        asked = {"init": tidelog.init, "log": tidelog.log, "finish": tidelog.finish}
        seen = set()
        for call in calls(snippet.code):
            name = call.func.attr  # type: ignore[attr-defined]
            if name in asked:
                seen.add(name)
                keywords = {keyword.arg: None for keyword in call.keywords}
                inspect.signature(asked[name]).bind(*call.args, **keywords)  # type: ignore[arg-type]
        assert {"init", "log"} <= seen


def calls(code: str) -> list[ast.Call]:
    """Return the calls of `tidelog.x(...)` and `run.x(...)`."""
    found = []
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            holder = node.func.value
            if isinstance(holder, ast.Attribute) and holder.attr == "run":
                node.func.value = ast.Name("run")
            if isinstance(node.func.value, ast.Name) and node.func.value.id in {"tidelog", "run"}:
                found.append(node)
    return found
