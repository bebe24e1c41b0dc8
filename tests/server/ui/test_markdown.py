import pytest

from tidelog_server.ui.markdown import render


class TestRender:
    def test_speaks_markdown(self) -> None:
        html = render(
            "# Plan\n\n**warm** up *slowly*, see [the paper](https://example.org/1)\n\n- a"
        )
        assert "<h3>Plan</h3>" in html
        assert "<strong>warm</strong>" in html
        assert "<em>slowly</em>" in html
        assert 'href="https://example.org/1"' in html
        assert 'rel="noopener noreferrer nofollow"' in html
        assert "<li>a</li>" in html

    def test_keeps_tables_and_line_ends(self) -> None:
        assert "<td>1</td>" in render("|a|\n|-|\n|1|")
        assert "one<br>" in render("one\ntwo")

    def test_leaves_the_page_its_own_headings(self) -> None:
        assert "<h1" not in render("# a\n\nb\n=")
        assert "<h6>" in render("###### deep")

    @pytest.mark.parametrize(
        "hostile",
        [
            "<script>alert(1)</script>",
            "<img src=x onerror=alert(1)>",
            "<svg/onload=alert(1)>",
            "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
            "<style>*{display:none}</style>",
            "[a](javascript:alert(1))",
            "[a](JaVaScRiPt:alert(1))",
            "[a](java\tscript:alert(1))",
            "[a](&#106;avascript:alert(1))",
            "[a](data:text/html;base64,PHNjcmlwdD4=)",
            "[a](vbscript:x)",
            "[a]: javascript:alert(1)\n\n[a]",
            "<javascript:alert(1)>",
            "![a](https://elsewhere.example/track.png)",
            "![a](data:image/svg+xml;base64,PHN2Zz4=)",
            '[a](https://example.org "x\\" onmouseover=\\"alert(1)")',
            '```"><script>alert(1)</script>\nx\n```',
        ],
    )
    def test_lets_no_attack_through(self, hostile: str) -> None:
        tags = render(f"before\n\n{hostile}\n\nafter").replace("&lt;", "").split("<")[1:]
        for tag in (text.split(">")[0].lower() for text in tags):
            name = tag.strip("/").split()[0] if tag.strip("/") else ""
            assert name in {"p", "a", "pre", "code", "h3", "br"}
            assert not any(f" {word}" in strip_quoted(tag) for word in ("on", "style", "src"))
            assert not any(word in tag for word in ("javascript:", "data:", "vbscript:"))


def strip_quoted(tag: str) -> str:
    """Return a tag without what its attributes' values say."""
    return '""'.join(tag.split('"')[::2])
