"""Print what becomes of points under every fault that we know how to make.

python -m tests.faults.run           as `make test` does it, in a minute or two
python -m tests.faults.run --long    each fault ten times, and 200 random kills
"""

import argparse
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from tests.faults.drills import Killing, plans, through_proxies
from tests.faults.training import Account
from tests.workers.serving import Serving


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--long", action="store_true", help="each fault ten times, and 200 kills")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    times, steps, kills = (10, 50_000, 200) if given.long else (2, 2000, 20)
    accounts = behind_proxies(times, steps, given.seed) | under_kills(kills, given.seed)
    return 0 if all(account.is_whole for account in accounts.values()) else 1


def behind_proxies(times: int, steps: int, seed: int) -> Mapping[str, Account]:
    with (
        tempfile.TemporaryDirectory(prefix="tidelog-faults-") as folder,
        Serving(Path(folder)) as served,
    ):
        accounts = through_proxies(served, plans(times=times, seed=seed), steps=steps)
    say(f"{'fault':<32}{'logged':>12}{'lost':>8}{'doubled':>8}{'wrong':>8}")
    for name, account in accounts.items():
        say_account(name, account)
    return accounts


def under_kills(kills: int, seed: int) -> Mapping[str, Account]:
    with (
        tempfile.TemporaryDirectory(prefix="tidelog-faults-") as folder,
        Killing(Serving(Path(folder)).__enter__(), seed) as killing,
    ):
        killing.kill(kills)
        account = killing.settle()
    say_account(f"kill -9, {kills} times", account)
    say("   " + ", ".join(f"{victim} {times}" for victim, times in killing.killed.items()))
    return {"kills": account}


def say_account(name: str, account: Account) -> None:
    figures = f"{account.lost:>8,}{account.doubled:>8,}{account.wrong:>8,}"
    say(f"{name:<32}{account.logged:>12,}{figures}")


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
