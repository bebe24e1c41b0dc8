import json
import math
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidelog.wire import runs, topics


class TestRunId:
    @pytest.mark.parametrize("text", ["a", "run-1", "A.b_c-9", "x" * 64])
    def test_is_letters_digits_and_three_marks(self, text):
        assert runs.is_run_id(text)

    @pytest.mark.parametrize("text", ["", "x" * 65, "a/b", "..", ".", "a b", "é", "a\n", None, 3])
    def test_is_nothing_else(self, text):
        assert not runs.is_run_id(text)


class TestKey:
    @pytest.mark.parametrize("key", ["loss", "a/b", "gradient norm", "étoile", "k" * 512])
    def test_may_be_any_short_text(self, key):
        assert runs.is_key(key)

    @pytest.mark.parametrize("key", ["", "k" * 513, "é" * 257, "a\nb", "a\x7f", "\ud800", None])
    def test_has_no_control_characters_and_an_end(self, key):
        assert not runs.is_key(key)


class TestDefaultName:
    def test_stays_the_same(self):
        assert runs.default_name("abc") == "salt-stern"

    @given(st.text())
    def test_is_two_words(self, run_id):
        assert len(runs.default_name(run_id).split("-")) == 2


class TestNumbers:
    @given(st.floats())
    def test_come_back_through_json(self, value):
        back = runs.number(json.loads(json.dumps(runs.jsonable(value), allow_nan=False)))
        assert back == value or (math.isnan(value) and math.isnan(back or 0))

    @pytest.mark.parametrize("value", ["nan", "1", True, None, [], {}])
    def test_are_nothing_else(self, value):
        assert runs.number(value) is None

    def test_beyond_float64_are_infinite(self):
        assert runs.number(-(10**400)) == -math.inf

    def test_inside_containers_are_written_too(self):
        assert runs.jsonable({"a": [math.nan, (math.inf,)]}) == {"a": ["NaN", ["Infinity"]]}


class TestTopics:
    def test_name_the_object(self):
        uuid = UUID(int=255)
        assert topics.run_topic(uuid) == "run." + "0" * 30 + "ff"
        assert topics.project_topic(uuid).startswith("project.")
