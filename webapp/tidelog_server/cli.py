"""`tidelog manage ...`: the server's commands, with the server's settings."""

import os


def manage(argv: list[str]) -> int:
    """Run a management command; returns the exit code."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tidelog_server.settings")
    from django.core.management import execute_from_command_line

    try:
        execute_from_command_line(["tidelog manage", *argv])
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else 1
    return 0
