"""Frames of the live layer."""

import math

from tidelog.wire.batch import encode, split_container
from tidelog_server.live.frames import gone, hello, shows


class TestHello:
    def test_is_a_container_without_columns(self):
        frame = hello(rev=3, server="s", runs=[{"id": "a"}], series={"a": {"loss": 7}})
        header, columns = split_container(frame)
        assert len(columns) == 0
        assert header == {
            "kind": "hello",
            "rev": 3,
            "server": "s",
            "runs": [{"id": "a"}],
            "series": {"a": {"loss": 7}},
        }

    def test_writes_nan_as_its_name(self):
        frame = hello(rev=3, server="s", runs=[{"summary": {"loss": math.nan}}], series={})
        assert split_container(frame)[0]["runs"] == [{"summary": {"loss": "NaN"}}]


class TestWhatAFrameShows:
    def test_is_a_run_s_row_and_its_revision(self):
        frame = encode({"kind": "run", "run": {"id": "a", "rev": 4}}, (), ())
        assert shows(frame) == ("a", 4)

    def test_is_that_a_run_is_gone(self):
        assert shows(gone(run="a", rev=9)) == ("a", 9)

    def test_is_no_row_when_it_carries_points(self):
        frame = encode({"kind": "points", "run": "a", "axes": [], "series": []}, (), ())
        assert shows(frame) is None
