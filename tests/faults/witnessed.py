"""A training: log a step, and only then note in a file of its own that `log()` has returned.

python witnessed.py WITNESS RUN [STEPS]
"""

import itertools
import os
import sys
import time

import tidelog

path, name, steps = sys.argv[1], sys.argv[2], int(sys.argv[3])
witness = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

with tidelog.init(project="faults", id=name, console=False, system=False) as run:
    for step in itertools.count() if steps == 0 else range(steps):
        run.log({"loss": 1 / (step + 1), "accuracy": step}, step=step)
        os.write(witness, b"%d\n" % step)
        if step % 20 == 0:
            time.sleep(0.002)
