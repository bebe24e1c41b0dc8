"""What only the store in the database does; `tests/contracts` has what all do."""

import threading
from datetime import timedelta
from uuid import uuid4

import numpy as np
import pytest
from django.db import connection, transaction
from django.db.models import F
from tests.contracts.metric_store import Log, by_step, columns_of, rows, same, some_points

from tidelog.wire.batch import BatchError
from tidelog_server.core.jobs import Job
from tidelog_server.metrics import appending, bell, compaction, garbage, leases, reading
from tidelog_server.metrics.database import DatabaseStore
from tidelog_server.metrics.models import Batch, Chunk, Series, Upkeep, number_of
from tidelog_server.metrics.partitions import PARTITIONS
from tidelog_server.metrics.values import Collected, RunAxis, X

pytestmark = pytest.mark.django_db

store = DatabaseStore()


class PowerCutError(Exception):
    pass


def cut_after(work, times: int):
    """Do the work so many times, then never again."""
    left = iter(range(times))

    def work_or_fail(*args):
        if next(left, None) is None:
            raise PowerCutError
        return work(*args)

    return work_or_fail


def aged(log: Log, **ago: int) -> None:
    for batch in Batch.objects.filter(run_id=log.run_id):
        moment = batch.arrived_at - timedelta(**ago)
        Batch.objects.filter(pk=batch.pk).update(arrived_at=moment)


class TestAppend:
    def test_refuses_a_key_whose_number_is_taken(self, monkeypatch):
        log = Log(store)
        log.append([(0, 0.0, 1.0)], key="one")
        monkeypatch.setattr(appending, "number_of", lambda _: number_of("one"))
        with pytest.raises(BatchError) as refused, transaction.atomic():
            log.append([(1, 0.0, 2.0)], key="other")
        assert refused.value.code == "key_collision"
        assert log.total().n == 1

    def test_takes_more_keys_than_one_statement(self, monkeypatch):
        monkeypatch.setattr(appending, "ROWS_PER_STATEMENT", 2)
        log = Log(store)
        columns = {f"k{i}": [(0.0, 1.0, float(i))] for i in range(5)}
        totals = store.append(
            run_id=log.run_id, stream="ab" * 16, start=0, end=1, columns=columns_of(columns)
        )
        assert [total.last for total in totals] == [0, 1, 2, 3, 4]

    def test_a_number_is_the_same_for_ever(self):
        assert number_of("train/loss") == 5963379849107422693


class TestCompaction:
    def test_is_due_after_many_batches_many_points_or_a_pause(self):
        few, many, large, quiet = (Log(store) for _ in range(4))
        few.append([(0, 0.0, 1.0)])
        quiet.append([(0, 0.0, 1.0)])
        aged(quiet, minutes=6)
        large.append(some_points(compaction.DUE_POINTS))
        for step in range(compaction.DUE_BATCHES):
            many.append([(step, 0.0, 1.0)])
        due = {log.run_id for log in (many, large, quiet)}
        assert set(store.runs_to_compact()) == due
        assert store.compact(few.run_id) == 0
        assert all(store.compact(run_id) for run_id in due)
        assert store.runs_to_compact() == []

    def test_leaves_no_batch_behind(self):
        log = Log(store)
        log.append(some_points(5_000))
        assert store.compact(log.run_id, force=True) == 5_000
        assert not Batch.objects.exists()
        assert store.compact(log.run_id, force=True) == 0

    def test_may_be_cut_off_anywhere(self, monkeypatch):
        """Two keys, merged one at a time; the power goes after the first, then after both."""
        log = Log(store)
        monkeypatch.setattr(compaction, "SERIES_AT_ONCE", 1)
        log.append(some_points(100), key="other")
        log.append(some_points(100))
        expected = list(log.points[100:])
        for survived in (1, 2):
            with monkeypatch.context() as patch:
                patch.setattr(compaction, "_merge", cut_after(compaction._merge, survived))
                patch.setattr(compaction, "_forget_batches", cut_after(None, 0))
                with pytest.raises(PowerCutError):
                    store.compact(log.run_id, force=True)
            assert same(log.stored(), expected)
            log.append([(float(survived), 1.0, 1.0)])
            expected = by_step([*expected, log.points[-1]])
        store.compact(log.run_id, force=True)
        assert same(log.stored(), expected)
        assert not Batch.objects.exists()

    def test_points_in_order_touch_only_the_last_chunk(self):
        log = Log(store)
        log.append(some_points(10_000))
        store.compact(log.run_id, force=True)
        before = dict(Chunk.objects.filter(level=0).values_list("index", "payload"))
        log.append(some_points(3_000, first_step=10_000))
        store.compact(log.run_id, force=True)
        after = dict(Chunk.objects.filter(level=0).values_list("index", "payload"))
        changed = {index for index, data in after.items() if before.get(index) != data}
        assert changed == {2, 3}

    def test_a_chunk_holds_at_most_4096_points(self):
        log = Log(store)
        for _ in range(3):
            log.append(some_points(9_000))
            store.compact(log.run_id, force=True)
        assert max(Chunk.objects.filter(level=0).values_list("n", flat=True)) <= 4_096
        assert same(log.stored(), by_step(log.points))


class TestTime:
    def test_of_more_than_a_million_points_is_shown_at_most_one_aggregate_early(self, monkeypatch):
        monkeypatch.setattr(reading, "EXACT_TIME_CHUNKS", 3)
        log = Log(store)
        log.append(some_points(40_000))
        store.compact(log.run_id, force=True)
        axis = RunAxis(log.run_id, 1.79e9)
        chart = store.chart(key="loss", runs=[axis], x=X.RELATIVE, width=20)
        counts = chart.curves[0].columns["count"]
        assert chart.grid is not None
        exact = np.bincount(chart.grid.index(np.arange(40_000) / 10))
        assert counts.sum() == 40_000
        assert np.abs(np.cumsum(counts) - np.cumsum(exact)).max() < 64


class TestLease:
    def test_is_held_by_one_worker_at_a_time(self):
        log = Log(store)
        log.append(some_points(100))
        lease = leases.claim(log.run_id)
        assert lease is not None
        assert leases.claim(log.run_id) is None
        assert store.compact(log.run_id, force=True) == 0
        lease.release()
        assert store.compact(log.run_id, force=True) == 100

    def test_of_a_killed_worker_ends_by_itself(self, monkeypatch):
        log = Log(store)
        log.append(some_points(100))
        with monkeypatch.context() as patch:
            patch.setattr(leases, "LEASE", timedelta(0))
            dead = leases.claim(log.run_id)
        assert dead is not None
        assert store.compact(log.run_id, force=True) == 100
        assert not dead.hold()

    def test_that_was_lost_writes_nothing_more(self, monkeypatch):
        """Another worker takes the run over between reading its batches and merging them."""
        log = Log(store)
        log.append(some_points(100))
        read = compaction._read_batches

        def read_slowly(run_id):
            found = read(run_id)
            Upkeep.objects.filter(run_id=run_id).update(token=F("token") + 1)
            return found

        monkeypatch.setattr(compaction, "_read_batches", read_slowly)
        assert store.compact(log.run_id, force=True) == 0
        assert not Chunk.objects.exists()
        assert same(log.stored(), log.points)


class TestDeletion:
    def test_leaves_garbage_that_is_collected_in_small_steps(self, monkeypatch):
        monkeypatch.setattr(garbage, "ROWS_AT_ONCE", 2)
        gone, kept = Log(store), Log(store)
        for log in (gone, kept):
            log.append(some_points(10_000))
            store.compact(log.run_id, force=True)
            log.append(some_points(10, first_step=10_000))
        chunks = Chunk.objects.filter(run_id=gone.run_id).count()
        store.delete(gone.run_id)
        assert gone.stored() == []
        assert store.collect_garbage() == Collected(runs=1, batches=1, chunks=chunks)
        assert store.collect_garbage() == Collected()
        for table in (Series, Batch, Chunk, Upkeep):
            assert not table.objects.filter(run_id=gone.run_id).exists()
        assert same(kept.stored(), kept.points)

    def test_ends_a_compaction_that_goes_on(self):
        log = Log(store)
        log.append(some_points(100))
        lease = leases.claim(log.run_id)
        assert lease is not None
        store.delete(log.run_id)
        assert not lease.hold()
        assert store.compact(log.run_id, force=True) == 0

    def test_is_collected_by_whoever_comes_after_a_killed_worker(self, monkeypatch):
        log = Log(store)
        log.append(some_points(10_000))
        store.compact(log.run_id, force=True)
        store.delete(log.run_id)
        with monkeypatch.context() as patch:
            patch.setattr(garbage, "ROWS_AT_ONCE", 1)
            patch.setattr(leases, "LEASE", timedelta(0))
            patch.setattr(garbage, "_remove_some", cut_after(garbage._remove_some, 2))
            with pytest.raises(PowerCutError):
                store.collect_garbage()
        assert store.collect_garbage().runs == 1
        assert not Chunk.objects.exists()


class TestBell:
    @pytest.fixture
    def rung(self, monkeypatch):
        calls = []
        monkeypatch.setattr(bell, "ring", lambda job, run_id: calls.append((job, run_id)))
        return calls

    def test_rings_once_for_a_run_that_brings_much(self, rung):
        log = Log(store)
        for step in range(3 * compaction.DUE_BATCHES):
            log.append([(step, 0.0, 1.0)])
        assert rung == [(Job.COMPACT_RUN, str(log.run_id))]

    def test_rings_for_one_large_batch_and_not_for_little(self, rung):
        large, few = Log(store), Log(store)
        few.append(some_points(10))
        large.append(some_points(compaction.DUE_POINTS))
        assert rung == [(Job.COMPACT_RUN, str(large.run_id))]


class TestTables:
    def test_postgres_divides_them_by_run(self):
        if connection.vendor != "postgresql":
            pytest.skip("SQLite has no partitions")
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT inhparent::regclass::text, count(*) FROM pg_inherits"
                " WHERE inhparent::regclass::text LIKE 'metrics%%'"
                " AND inhrelid::regclass::text ~ 'p[0-9]{2}$' GROUP BY 1"
            )
            assert dict(cursor.fetchall()) == {
                model._meta.db_table: PARTITIONS for model in (Batch, Chunk, Series)
            }


@pytest.mark.django_db(transaction=True)
class TestConcurrency:
    def test_nothing_is_lost_or_doubled_while_it_is_compacted_and_read(self):
        """One thread appends, two compact, this one reads: it always sees a whole prefix."""
        log, run_id, batches = Log(store), uuid4(), 40
        log.run_id = run_id
        points = some_points(batches * 50)
        done = threading.Event()
        failures: list[BaseException] = []

        def append() -> None:
            for start in range(0, len(points), 50):
                with transaction.atomic():
                    log.append(points[start : start + 50])

        def compact() -> None:
            while not done.is_set():
                store.compact(run_id, force=True)

        def guarded(work) -> None:
            try:
                work()
            except BaseException as error:
                failures.append(error)
            finally:
                connection.close()

        writer = threading.Thread(target=guarded, args=(append,))
        compactors = [threading.Thread(target=guarded, args=(compact,)) for _ in range(2)]
        for thread in (writer, *compactors):
            thread.start()
        while writer.is_alive():
            seen = store.points(run_id=run_id, key="loss", limit=10**6)
            assert same(points[: len(seen)], rows(seen))
        done.set()
        for thread in (writer, *compactors):
            thread.join()
        assert failures == []
        store.compact(run_id, force=True)
        assert same(log.stored(), points)
