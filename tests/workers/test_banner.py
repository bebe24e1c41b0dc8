"""What `tidelog up` says when it is ready."""

import json

import pytest

from tidelog_workers.supervisor.banner import Welcome


@pytest.fixture
def welcome(tmp_path):
    return Welcome(
        url="http://127.0.0.1:8000",
        sign_in_url="http://127.0.0.1:8000/login/link/abc",
        api_key="tl_secret",
        team="ocean",
        pids={"supervisor": 1, "web": 2},
        data_dir=str(tmp_path),
    )


class TestBanner:
    def test_shows_the_link_the_data_and_lines_to_paste(self, welcome):
        text = welcome.as_text(jobs="files")
        assert "http://127.0.0.1:8000/login/link/abc" in text
        assert welcome.data_dir in text
        assert "import tidelog" in text

    def test_does_not_show_the_key_to_whoever_looks_over_a_shoulder(self, welcome):
        assert "tl_secret" not in welcome.as_text(jobs="files")

    def test_has_lines_to_paste_that_are_python(self, welcome):
        lines = welcome.as_text(jobs="files").splitlines()
        start = lines.index("      import tidelog")
        compile("\n".join(line.strip() for line in lines[start : start + 3]), "banner", "exec")

    def test_is_one_line_for_scripts(self, welcome):
        assert json.loads(welcome.as_json())["pids"] == {"supervisor": 1, "web": 2}
        assert "\n" not in welcome.as_json()
