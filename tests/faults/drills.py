"""Drills: trainings under one fault each, and what became of their points."""

import random
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import psutil
from tests.faults.proxy import Fault, FaultProxy
from tests.faults.training import NOTHING, Account, Training
from tests.workers.serving import Serving, all_gone, until

# A client that waits for an answer gives up after 30 s, and may pause as long before it asks again.
PATIENCE = 150.0
PAUSE = (0.05, 0.6)


Plan = Callable[[], Fault | None]


def plans(*, times: int, seed: int = 5) -> dict[str, Plan]:
    """Return a plan for each fault, and one with all of them at once, by name.

    times  how often each fault strikes, then the weather is fair
    """
    each = {fault.value: first(1 if fault is Fault.HALF_OPEN else times, fault) for fault in Fault}
    return {**each, "weather": weather(seed, exchanges=6 * times)}


def first(times: int, fault: Fault) -> Plan:
    """Strike the first exchanges, each second one."""
    left = [fault, None] * times
    return lambda: left.pop(0) if left else None


def weather(seed: int, *, exchanges: int) -> Plan:
    """Strike most of the first so many exchanges, with anything that does not take 30 s."""
    choose = random.Random(seed)
    faults = [fault for fault in Fault if fault is not Fault.HALF_OPEN]
    left = [choose.choice(faults) if choose.random() < 0.8 else None for _ in range(exchanges)]
    return lambda: left.pop(0) if left else None


def through_proxies(served: Serving, plans: dict[str, Plan], *, steps: int) -> dict[str, Account]:
    """Train behind a proxy for each plan, all at a time, and return the account of each."""
    port = int(served.url.rsplit(":", 1)[1])

    def train(name: str) -> Account:
        with FaultProxy(port, plans[name]) as proxy, trained(served, name, steps, proxy.url) as one:
            one.ends()
            until(one.is_whole, f"everything is stored in spite of {name}", patience=PATIENCE)
            assert sum(proxy.struck.values()), f"{name} never struck"
            return one.account()

    with ThreadPoolExecutor(len(plans)) as together:
        return dict(zip(plans, together.map(train, plans), strict=True))


@contextmanager
def trained(served: Serving, name: str, steps: int, url: str) -> Iterator[Training]:
    training = Training(served, name.replace(" ", "-"), steps=steps, through=url)
    try:
        yield training
    finally:
        training.kill(tree=True)
        until(lambda: not training.uploaders(), "the uploader is gone")


class Killing:
    """Kills what it meets, while trainings log: the trainer, its uploader, the web, all of it.

    A trainer that was killed is followed by another one; so is a server.
    """

    VICTIMS = ("trainer", "uploader", "web", "supervisor")

    def __init__(self, served: Serving, seed: int, *, trainings: int = 2) -> None:
        self.served = served
        self.killed = dict.fromkeys(self.VICTIMS, 0)
        self.ended: list[Training] = []
        self._moments = random.Random(seed)
        self._port = served.url.rsplit(":", 1)[1]
        self._begun = 0
        self._living = [self._begin() for _ in range(trainings)]

    def _begin(self) -> Training:
        self._begun += 1
        return Training(self.served, f"killed-{self._begun:03}")

    def kill(self, times: int) -> None:
        for _ in range(times):
            time.sleep(self._moments.uniform(*PAUSE))
            victim = self._moments.choice(self.VICTIMS)
            getattr(self, f"_kill_{victim}")()
            self.killed[victim] += 1

    def _kill_trainer(self) -> None:
        training = self._living.pop(0)
        training.kill()
        self.ended.append(training)
        self._living.append(self._begin())

    def _kill_uploader(self) -> None:
        training = self._moments.choice(self._living + self.ended[-2:])
        training.kill_uploaders()

    def _kill_web(self) -> None:
        for child in psutil.Process(self.served.process.pid).children():
            if "supervisor.web" in str(child.cmdline()):
                child.kill()

    def _kill_supervisor(self) -> None:
        family = self.served.processes()
        self.served.process.kill()
        self.served.ended()
        # Its children end by themselves, and the web has the port until it has.
        until(lambda: all_gone(family), "the whole server is gone")
        self.served = Serving(self.served.folder, "--port", self._port).__enter__()
        for training in (*self._living, *self.ended):
            training.served = self.served

    def settle(self) -> Account:
        """End every training, send what is left, and return the account of all of them."""
        for training in self._living:
            training.kill()
        self.ended += self._living
        self._living = []
        until(lambda: self.served.get("/readyz")[0] == 200, "the server is ready")
        return sum(map(self._settle, self.ended), NOTHING)

    def __enter__(self) -> "Killing":
        return self

    def __exit__(self, *_: object) -> None:
        for training in (*self._living, *self.ended):
            training.kill(tree=True)
        self.served.__exit__()

    def _settle(self, training: Training) -> Account:
        until(lambda: training.sync().returncode == 0, f"{training.name} is sent")
        training.kill(tree=True)
        return training.account()
