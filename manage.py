#!/usr/bin/env python
"""`tidelog manage` from a checkout."""

import sys

from tidelog_server.cli import manage

if __name__ == "__main__":
    sys.exit(manage(sys.argv[1:]))
