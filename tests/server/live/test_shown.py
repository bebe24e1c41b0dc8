"""What the open pages of one place have been shown."""

from tidelog_server.live.shown import Shown


class TestShown:
    def test_lacks_what_is_newer_than_it_knows(self):
        shown = Shown(5)
        assert [shown.lacks("a", rev) for rev in (5, 6)] == [False, True]

    def test_does_not_lack_a_row_that_it_saw(self):
        shown = Shown(5)
        shown.saw("a", 7)
        assert not shown.lacks("a", 6)
        assert not shown.lacks("a", 7)

    def test_lacks_another_run_s_row_that_was_skipped(self):
        shown = Shown(5)
        shown.saw("a", 7)
        assert shown.lacks("b", 6)

    def test_an_older_row_that_comes_late_changes_nothing(self):
        shown = Shown(5)
        shown.saw("a", 8)
        shown.saw("a", 6)
        assert not shown.lacks("a", 8)

    def test_knows_all_once_all_was_shown_and_keeps_what_is_newer_still(self):
        shown = Shown(5)
        shown.saw("a", 9)
        shown.saw_all(8)
        assert not shown.lacks("b", 8)
        assert not shown.lacks("a", 9)
        assert shown.lacks("b", 9)
