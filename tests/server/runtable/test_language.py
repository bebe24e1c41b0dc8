"""The query language by itself: no table, no database."""

import math
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidelog_server.runtable.query import QueryError, parse, parse_key, parse_sort
from tidelog_server.runtable.query.tree import (
    CONNECTIVES,
    PLAIN_VALUE,
    And,
    Compare,
    Everything,
    Key,
    Not,
    Op,
    Or,
    Scope,
    SortBy,
    Value,
    Word,
)
from tidelog_server.runtable.query.values import duration, number, stretch

DAY = 86_400.0
NOW = 1_795_000_000.0


def compare(key, op, value, *, scope=Scope.ANY, quoted=False):
    return Compare(Key(key, scope), Op(op), Value(value, quoted))


class TestParsing:
    @pytest.mark.parametrize(
        ("query", "tree"),
        [
            ("", Everything()),
            ("  \t", Everything()),
            ("swift", Word("swift")),
            ('"two words"', Word("two words")),
            ("lr<1e-3", compare("lr", "<", "1e-3")),
            ("lr <= 1e-3", compare("lr", "<=", "1e-3")),
            ("val/loss>=-.5", compare("val/loss", ">=", "-.5")),
            ("state!=failed", compare("state", "!=", "failed")),
            ("config.lr=3", compare("lr", "=", "3", scope=Scope.CONFIG)),
            ("summary.val/loss>1", compare("val/loss", ">", "1", scope=Scope.SUMMARY)),
            ('summary."val loss">1', compare("val loss", ">", "1", scope=Scope.SUMMARY)),
            ('"val loss":1', compare("val loss", ":", "1")),
            ('name~"^a (b|c)$"', compare("name", "~", "^a (b|c)$", quoted=True)),
            ("name~^a(b|c)$", compare("name", "~", "^a(b|c)$")),
            ("(name~a(b|c))", compare("name", "~", "a(b|c)")),
            (r'notes:"say \"hi\" \\o"', compare("notes", ":", 'say "hi" \\o', quoted=True)),
            (r'name~"\d+"', compare("name", "~", r"\d+", quoted=True)),
            ("created>2026-11-01T12:30", compare("created", ">", "2026-11-01T12:30")),
            ("and:1", compare("and", ":", "1")),
            ('"and"', Word("and")),
            ("config.and", Word("config.and")),
        ],
    )
    def test_reads(self, query, tree):
        assert parse(query) == tree

    @pytest.mark.parametrize(
        "query", ["a b", "a AND b", "a and b", "(a) b", "a(b)", "((a)) and (b)"]
    )
    def test_takes_words_side_by_side_as_and(self, query):
        assert parse(query) == And((Word("a"), Word("b")))

    def test_binds_not_before_and_before_or(self):
        a, b, c = map(Word, "abc")
        assert parse("a b OR NOT c a") == Or((And((a, b)), And((Not(c), a))))
        assert parse("a (b OR NOT (c a))") == And((a, Or((b, Not(And((c, a)))))))

    @pytest.mark.parametrize(
        ("query", "at"),
        [
            ("lr<", 3),
            ("lr<<3", 3),
            ("< 3", 0),
            ("a (b", 2),
            ("a b) c", 3),
            ("()", 1),
            ("a OR", 4),
            ("OR a", 0),
            ("NOT", 3),
            ("a AND OR b", 6),
            ('name:"open', 5),
            ("a !b", 2),
            ("config. x", 7),
            ("(" * 41 + "a" + ")" * 41, 41),
            ("NOT " * 41 + "a", 164),
            ("a " * 65, 128),
            ("a" * 2_001, 2_000),
        ],
    )
    def test_says_what_is_wrong_and_where(self, query, at):
        with pytest.raises(QueryError) as caught:
            parse(query)
        assert caught.value.at == at
        assert caught.value.message.endswith(".")

    @given(
        st.text(alphabet='ab.lr<>=!~:"\\()-1 /\nANDORNOT\0é', max_size=60) | st.text(max_size=60)
    )
    def test_raises_nothing_but_its_error(self, query):
        with suppress(QueryError):
            tree = parse(query)
            assert parse(str(tree)) == tree


names = st.text(min_size=1, max_size=12)
keys = st.builds(Key, names, st.sampled_from(Scope))
plain = st.from_regex(r"[^\s()<>=!~:\"][^\s()\"]{0,8}", fullmatch=True)
values = st.builds(Value, plain.filter(PLAIN_VALUE.fullmatch)) | st.builds(
    Value, st.text(max_size=12), st.just(value=True)
)
leaves = st.builds(Word, names) | st.builds(Compare, keys, st.sampled_from(Op), values)


def nested(inner):
    several = st.lists(inner, min_size=2, max_size=4).map(tuple)
    return st.builds(Not, inner) | st.builds(And, several) | st.builds(Or, several)


class TestPrinting:
    @given(st.recursive(leaves, nested, max_leaves=12))
    def test_is_undone_by_parsing(self, tree):
        assert parse(str(tree)) == tree

    @given(st.sampled_from(sorted(CONNECTIVES)))
    def test_keeps_connectives_apart_from_words(self, word):
        assert parse(str(Word(word))) == Word(word)

    @given(st.lists(st.builds(SortBy, keys, st.booleans()), min_size=1, max_size=8))
    def test_of_a_sort_is_undone_by_parsing(self, by):
        assert parse_sort(",".join(map(str, by))) == by


class TestSorts:
    def test_name_columns_and_directions(self):
        assert parse_sort("-summary.val/acc, name") == [
            SortBy(Key("val/acc", Scope.SUMMARY), descending=True),
            SortBy(Key("name")),
        ]

    def test_may_name_nothing(self):
        assert parse_sort(" ") == []

    @pytest.mark.parametrize("sort", [",", "a,", "a b", "a<1", "-", ",".join("abcdefghi"), '"a'])
    def test_that_make_no_sense_are_refused(self, sort):
        with pytest.raises(QueryError):
            parse_sort(sort)

    def test_take_a_comma_in_quotes(self):
        assert parse_key('"a,b"') == Key("a,b")
        assert parse_sort('-"a,b",c') == [SortBy(Key("a,b"), descending=True), SortBy(Key("c"))]


class TestValues:
    @pytest.mark.parametrize(
        ("text", "value"),
        [("1e-3", 1e-3), ("-2.", -2.0), (".5", 0.5), ("+7", 7.0), ("inf", math.inf)],
    )
    def test_are_numbers(self, text, value):
        assert number(text) == value

    @pytest.mark.parametrize("text", ["", "1e", "1_000", "0x10", "1e99999", "٣", "one", "-"])
    def test_are_no_numbers(self, text):
        assert number(text) is None

    def test_can_be_nan(self):
        assert math.isnan(number("NaN") or 0)
        assert number("-Infinity") == -math.inf

    @pytest.mark.parametrize(
        ("text", "seconds"),
        [("90s", 90), ("1h30m", 5_400), ("2d", 2 * DAY), ("1w", 7 * DAY), ("5", 5)],
    )
    def test_are_durations(self, text, seconds):
        assert duration(text) == seconds

    @pytest.mark.parametrize(
        ("text", "begin", "length"),
        [
            ("2026-11-01", 1_793_491_200, DAY),
            ("2026-11-01T12:30", 1_793_536_200, 60),
            ("2026-11-01T12:30:15", 1_793_536_215, 1),
            ("2026-11-01T12:30:15Z", 1_793_536_215, 1),
            ("2026-11-01T12:30:15+02:00", 1_793_529_015, 1),
            ("-7d", NOW - 7 * DAY, 0),
            ("now", NOW, 0),
        ],
    )
    def test_are_stretches_of_time(self, text, begin, length):
        first, last = stretch(text, NOW)
        assert first == begin
        assert last - first == pytest.approx(length, abs=1e-6)

    @pytest.mark.parametrize(
        "text", ["2026-13-01", "2026-02-30", "7d", "0000-01-01", "9999-12-31", ""]
    )
    def test_are_no_times(self, text):
        assert stretch(text, NOW) is None

    @given(st.text(max_size=20))
    def test_of_any_kind_raise_nothing(self, text):
        assert number(text) is None or duration(text) is not None
        stretch(text, NOW)
