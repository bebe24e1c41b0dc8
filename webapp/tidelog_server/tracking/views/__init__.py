"""Pages about projects and runs."""
