import argparse
import dataclasses

import pytest

from tidelog.attributes import Attributes, as_config


@pytest.fixture
def written():
    return []


@pytest.fixture
def attributes(written):
    return Attributes(written.extend, lambda kind, sentence: None)


class TestAttributes:
    def test_records_each_change(self, attributes, written):
        attributes["lr"] = 0.1
        attributes.update(net={"depth": 3})
        assert written == [("lr", 0.1), ("net/depth", 3)]

    def test_reads_as_it_was_set(self, attributes):
        attributes["net"] = {"depth": 3, "head": {"width": 2}}
        assert attributes["net"] == {"depth": 3, "head": {"width": 2}}
        assert attributes["net/depth"] == 3
        assert dict(attributes) == {"net/depth": 3, "net/head/width": 2}
        assert len(attributes) == 2

    def test_says_none_for_what_is_removed(self, attributes, written):
        attributes["lr"] = 0.1
        del attributes["lr"]
        assert written[-1] == ("lr", None)
        with pytest.raises(KeyError):
            attributes["lr"]

    @pytest.mark.parametrize(
        ("value", "kept"),
        [
            (None, None),
            (True, True),
            ([1, (2, 3)], [1, [2, 3]]),
            (2**70, 2.0**70),
            ("\ud800", "?"),
            ({1}, [1]),
        ],
    )
    def test_keeps_what_json_can_hold(self, attributes, written, value, kept):
        attributes["x"] = value
        assert written == [("x", kept)]

    def test_takes_arrays(self, attributes, written):
        numpy = pytest.importorskip("numpy")
        attributes.update(a=numpy.float32(0.5), b=numpy.arange(3), c=numpy.zeros(5_000))
        values = dict(written)
        assert (values["a"], values["b"]) == (0.5, [0, 1, 2])
        assert isinstance(values["c"], str)

    def test_cuts_long_texts(self, attributes, written):
        attributes["x"] = "é" * 100_000
        assert len(written[0][1].encode()) <= 64 * 1024

    def test_writes_anything_else_as_text(self, attributes, written):
        attributes["x"] = print
        assert written == [("x", "<built-in function print>")]


class TestConfig:
    def test_may_be_a_namespace_or_a_dataclass(self):
        @dataclasses.dataclass
        class Settings:
            lr: float = 0.1

        assert as_config(argparse.Namespace(lr=1)) == {"lr": 1}
        assert as_config(Settings()) == {"lr": 0.1}
        assert as_config(None) == {}

    def test_is_nothing_else(self):
        with pytest.raises(TypeError):
            as_config(3)
