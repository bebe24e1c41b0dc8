"""The metric store, asked on behalf of a client."""

from uuid import UUID

from tidelog.wire.batch import BatchError
from tidelog_server.core.errors import Invalid
from tidelog_server.metrics.columns import Columns
from tidelog_server.metrics.store import store
from tidelog_server.metrics.values import SeriesTotal
from tidelog_server.tracking.batches import Batch


def append_points(
    *, run_id: UUID, stream: str, batch: Batch, columns: Columns
) -> list[SeriesTotal]:
    """Store the columns of a batch; returns their series as they are now. Raises Invalid."""
    try:
        return store.append(
            run_id=run_id, stream=stream, start=batch.start, end=batch.end, columns=columns
        )
    except BatchError as error:
        raise Invalid(error.message, code=error.code) from error
