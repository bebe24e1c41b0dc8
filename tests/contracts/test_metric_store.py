import pytest
from tests.contracts.metric_store import ChartContract, HistoryContract, MetricStoreContract

from tidelog_server.metrics import blocks
from tidelog_server.metrics.database import DatabaseStore
from tidelog_server.metrics.memory import MemoryStore


class TestMemoryStore(MetricStoreContract, ChartContract, HistoryContract):
    @pytest.fixture
    def store(self):
        return MemoryStore()

    @pytest.fixture
    def new_store(self):
        return MemoryStore


@pytest.mark.django_db
class TestDatabaseStore(MetricStoreContract, ChartContract):
    @pytest.fixture
    def store(self):
        return DatabaseStore()


@pytest.mark.django_db
class TestHistoriesInTheDatabase(HistoryContract):
    """With chunks so small that a few hundred points fill, cut and renumber many blocks."""

    @pytest.fixture
    def new_store(self, monkeypatch):
        monkeypatch.setattr(blocks, "CHUNK_POINTS", 8)
        monkeypatch.setattr(blocks, "FINE_POINTS", 4)
        monkeypatch.setattr(blocks, "BLOCK_CHUNKS", 3)
        monkeypatch.setattr(blocks, "BLOCK_CHUNKS_MAX", 5)
        return DatabaseStore
