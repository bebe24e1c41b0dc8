"""`python -m tidelog_workers.planner`: the worker, as the supervisor starts it."""

import sys

from tidelog_workers.planner.worker import serve

if __name__ == "__main__":
    sys.exit(serve())
