"""Implementations of the CLI commands, one module each, imported when the command runs."""
