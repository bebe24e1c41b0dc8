import functools
import hashlib

from django.db import models
from django.utils.timezone import now


class Series(models.Model):
    """One key's curve in one run, and what is known of it without reading its points.

    number          the key's number, see `number_of`: the same in every run
    n               points stored; also where the next point stands in order of arrival
    last            value at the greatest step; null is NaN, which SQLite cannot store
    min, max        null as long as every value is NaN
    """

    pk = models.CompositePrimaryKey("run_id", "number")
    run_id = models.UUIDField()
    number = models.BigIntegerField()
    key = models.TextField()
    n = models.BigIntegerField()
    first_step = models.FloatField()
    last_step = models.FloatField()
    first_time = models.FloatField()
    last_time = models.FloatField()
    last = models.FloatField(null=True)
    min = models.FloatField(null=True)
    max = models.FloatField(null=True)

    def __str__(self) -> str:
        return self.key


class Batch(models.Model):
    """Records [start, end) of a stream that await compaction, as `codec.pack_batch` wrote them."""

    pk = models.CompositePrimaryKey("run_id", "stream", "start")
    run_id = models.UUIDField()
    stream = models.CharField(max_length=32)
    start = models.BigIntegerField()
    end = models.BigIntegerField()
    n = models.PositiveIntegerField()
    arrived_at = models.DateTimeField(default=now)
    payload = models.BinaryField()

    class Meta:
        # Covers the question which runs are due for compaction, so that it reads no payload.
        indexes = [models.Index(name="batch_backlog", fields=["run_id", "n", "arrived_at"])]

    def __str__(self) -> str:
        return f"{self.stream} [{self.start}, {self.end})"


class Chunk(models.Model):
    """A piece of a compacted series; `blocks` tells how the pieces fit together.

    level   0: points · 1: aggregates of 64 points · 2: one aggregate for each level-0 chunk
    block   0, 1, 2, ... in order of step
    index   the name of a level-0 chunk within its block, in no order; 0 on levels 1 and 2
    n       points or aggregates in the payload
    """

    pk = models.CompositePrimaryKey("run_id", "series", "level", "block", "index")
    run_id = models.UUIDField()
    series = models.BigIntegerField()
    level = models.PositiveSmallIntegerField()
    block = models.IntegerField()
    index = models.IntegerField()
    n = models.PositiveIntegerField()
    payload = models.BinaryField()

    def __str__(self) -> str:
        return f"level {self.level}, block {self.block}, chunk {self.index}"


class Upkeep(models.Model):
    """Who may rewrite the rows of a run's points, see `leases`; the row of the job.

    token         rises with every claim; writes of an older one are refused
    leased_until  nobody else may claim the run before
    deleted_at    when the run was deleted; its rows are garbage until they and this one are gone
    """

    run_id = models.UUIDField(primary_key=True)
    token = models.BigIntegerField(default=0)
    leased_until = models.DateTimeField(default=now)
    deleted_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(
                name="upkeep_garbage",
                fields=["deleted_at"],
                condition=models.Q(deleted_at__isnull=False),
            )
        ]

    def __str__(self) -> str:
        return str(self.run_id)


@functools.lru_cache(maxsize=65_536)
def number_of(key: str) -> int:
    """Return 64 bits of the key's BLAKE2b as a signed integer.

    So a key needs no number to be handed out, and a chart of many runs asks for one number.
    Should two keys of a run ever collide, `append` refuses the second.
    """
    digest = hashlib.blake2b(key.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)
