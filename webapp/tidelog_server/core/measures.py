"""What this process counts while it works, for `/metrics` and the status page.

Every process counts for itself since its start: ask each web process, and add up.
"""

from prometheus_client import CollectorRegistry, Counter, Histogram

registry = CollectorRegistry()

points = Counter("tidelog_ingest_points", "Points stored.", registry=registry)
batches = Counter("tidelog_ingest_batches", "Batches acknowledged.", registry=registry)
commits = Counter(
    "tidelog_ingest_commits", "Commits; batches that come together share one.", registry=registry
)
refusals = Counter(
    "tidelog_ingest_refused", "Ingest requests that were refused.", ["status"], registry=registry
)
ack_seconds = Histogram(
    "tidelog_ingest_ack_seconds",
    "From a batch's last byte to its commit.",
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
    registry=registry,
)
lag_seconds = Histogram(
    "tidelog_ingest_lag_seconds",
    "Age of a batch's newest point when it was committed.",
    buckets=(1, 2, 5, 15, 60, 300, 3600, 86400),
    registry=registry,
)
database_errors = Counter(
    "tidelog_database_errors", "Times the database did not do as it was told.", registry=registry
)


def note_batch(*, points_stored: int, seconds: float, age: float | None) -> None:
    """Count a batch that was committed.

    seconds  since its last byte arrived
    age      of its newest point, in seconds; None: it has none
    """
    batches.inc()
    ack_seconds.observe(seconds)
    if age is not None:
        points.inc(points_stored)
        # A trainer's clock can be ahead of ours.
        lag_seconds.observe(max(0.0, age))
