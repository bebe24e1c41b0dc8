"""How busy the machine is: processor, memory and GPUs, every ten seconds."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, Protocol

SECONDS = 10.0


class Gpus(Protocol):
    """The graphics cards of this machine."""

    def read(self) -> list[dict[str, float]]:
        """Return, for each card, what it measures: utilisation, memory, temperature, power."""
        ...


class NoGpus:
    """A machine without cards that we can ask."""

    def read(self) -> list[dict[str, float]]:
        """Return nothing."""
        return []


class NvidiaGpus:
    """NVIDIA's cards, by NVML. Raises if there is no driver."""

    def __init__(self) -> None:  # noqa: D107
        import pynvml

        self._nvml: Any = pynvml
        pynvml.nvmlInit()
        count = pynvml.nvmlDeviceGetCount()
        self._cards = [pynvml.nvmlDeviceGetHandleByIndex(index) for index in range(count)]

    def read(self) -> list[dict[str, float]]:
        """Return percent, percent, degrees Celsius and watts of each card."""
        return [self._card(card) for card in self._cards]

    def _card(self, card: Any) -> dict[str, float]:
        nvml = self._nvml
        memory = nvml.nvmlDeviceGetMemoryInfo(card)
        return {
            "utilisation": float(nvml.nvmlDeviceGetUtilizationRates(card).gpu),
            "memory": 100.0 * memory.used / memory.total,
            **self._sensor("temperature", lambda: float(nvml.nvmlDeviceGetTemperature(card, 0))),
            **self._sensor("power", lambda: nvml.nvmlDeviceGetPowerUsage(card) / 1000),
        }

    def _sensor(self, name: str, read: Callable[[], float]) -> dict[str, float]:
        try:
            return {name: read()}
        except self._nvml.NVMLError:  # not every card has every sensor
            return {}


def find_gpus() -> Gpus:
    """Return the machine's cards, or none: a driver that fails must not disturb a run."""
    try:
        return NvidiaGpus()
    except Exception:  # noqa: BLE001  # NVML and its loader fail in many ways, all mean "none"
        return NoGpus()


class Sampler:
    """Measures this process and its machine. Loads psutil when it is made."""

    def __init__(self, gpus: Gpus | None = None) -> None:  # noqa: D107
        import psutil

        self._psutil = psutil
        self._process = psutil.Process(os.getpid())
        self._gpus = gpus or find_gpus()
        psutil.cpu_percent()

    def sample(self) -> dict[str, float]:
        """Return {"system/...": number}: percent of the machine, MiB of the process."""
        measured = {
            "system/cpu": float(self._psutil.cpu_percent()),
            "system/memory": float(self._psutil.virtual_memory().percent),
            "system/process.memory": self._process.memory_info().rss / 2**20,
        }
        for index, card in enumerate(self._gpus.read()):
            for name, value in card.items():
                measured[f"system/gpu.{index}.{name}"] = value
        return measured
