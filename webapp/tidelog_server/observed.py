"""What is looked up when an operator asks: the state of the server, beside what it has counted.

`FIGURES` is the one list: `/metrics` gives each a name, the status page a sentence, and
docs/self-hosting.md says what to do.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from django.db.models import Count, Min, Sum
from django.utils.timezone import now
from prometheus_client import CollectorRegistry
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from tidelog_server.core import bus, disk, gate, health, measures, writer
from tidelog_server.live.hub import open_sockets
from tidelog_server.metrics.models import Batch
from tidelog_server.tracking.models import Run
from tidelog_server.tracking.services import keys

SILENT_SECONDS = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One number of the server.

    name    in Prometheus
    words   on the status page
    unit    "", "s" or "%" (a part from 0 to 1)
    alarm   from here on somebody should look
    value   now
    """

    name: str
    words: str
    unit: str = ""
    alarm: float | None = None
    value: float = 0.0

    @property
    def alarming(self) -> bool:
        return self.alarm is not None and self.value >= self.alarm

    @property
    def shown(self) -> str:
        """The value as a person reads it."""
        if self.unit == "%":
            return f"{self.value:.0%}"
        return f"{self.value:,.3g} s" if self.unit == "s" else f"{self.value:,.0f}"


def figures() -> list[Figure]:
    """Return every figure as it is now."""
    return [figure for group in GROUPS for figure in group()]


def _runs() -> Iterator[Figure]:
    yield Figure(
        name="tidelog_runs_running", words="Running runs", value=Run.objects.running().count()
    )
    yield Figure(
        name="tidelog_runs_silent",
        words="… of them silent for a minute",
        alarm=1,
        value=Run.objects.silent(seconds=SILENT_SECONDS).count(),
    )


def _backlog() -> Iterator[Figure]:
    waiting = Batch.objects.aggregate(
        batches=Count("start"), points=Sum("n"), since=Min("arrived_at")
    )
    since = waiting["since"]
    age = (now() - since).total_seconds() if since else 0.0
    yield Figure(
        name="tidelog_compaction_batches", words="Batches to compact", value=waiting["batches"]
    )
    yield Figure(
        name="tidelog_compaction_points", words="Points to compact", value=waiting["points"] or 0
    )
    yield Figure(
        name="tidelog_compaction_age_seconds",
        words="Oldest batch to compact",
        unit="s",
        value=max(0.0, age),
    )


def _process() -> Iterator[Figure]:
    yield Figure(
        name="tidelog_writer_waiting",
        words="Batches waiting for the writer",
        alarm=100,
        value=writer.waiting(),
    )
    yield Figure(name="tidelog_sockets", words="Open sockets", value=open_sockets())
    yield Figure(
        name="tidelog_bus_lost", words="Live messages lost since the start", value=bus.relay.lost
    )
    yield Figure(
        name="tidelog_keys_remembered", words="API keys remembered", value=gate.keys_remembered()
    )
    yield Figure(
        name="tidelog_metric_names_remembered",
        words="Metric names remembered",
        value=keys.remembered(),
    )


def _disk() -> Iterator[Figure]:
    yield Figure(
        name="tidelog_disk_used_ratio",
        words="Disk used",
        unit="%",
        alarm=health.ALARM_AT,
        value=disk.look().used,
    )


GROUPS: tuple[Callable[[], Iterator[Figure]], ...] = (_runs, _backlog, _process, _disk)


class Observed(Collector):
    """The figures, asked when they are scraped."""

    def collect(self) -> Iterator[Metric]:
        for figure in figures():
            yield GaugeMetricFamily(figure.name, figure.words, value=figure.value)

    def describe(self) -> Iterator[Metric]:
        """Nothing: registering must not ask the database."""
        return iter(())


def scraped() -> CollectorRegistry:
    """Return everything that `/metrics` tells."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(measures.registry)
    registry.register(Observed())
    return registry


def counted() -> list[Figure]:
    """Return what this process has counted since its start, for the status page."""
    totals = {
        sample.name: sample.value
        for metric in measures.registry.collect()
        for sample in metric.samples
        if not sample.labels
    }
    batches = totals["tidelog_ingest_batches_total"]
    mean = totals["tidelog_ingest_ack_seconds_sum"] / batches if batches else 0.0
    behind = totals["tidelog_ingest_lag_seconds_count"]
    lag = totals["tidelog_ingest_lag_seconds_sum"] / behind if behind else 0.0
    errors = totals["tidelog_database_errors_total"]
    return [
        Figure(
            name="tidelog_ingest_points",
            words="Points stored",
            value=totals["tidelog_ingest_points_total"],
        ),
        Figure(name="tidelog_ingest_batches", words="Batches acknowledged", value=batches),
        Figure(
            name="tidelog_ingest_ack_seconds",
            words="Time to acknowledge, mean",
            unit="s",
            alarm=1.0,
            value=mean,
        ),
        Figure(
            name="tidelog_ingest_lag_seconds",
            words="Age of the newest point, mean",
            unit="s",
            value=lag,
        ),
        Figure(name="tidelog_database_errors", words="Database errors", alarm=1, value=errors),
    ]
