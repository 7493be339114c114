"""Shared environment of CLI commands: resolved settings, progress output, signal handling."""

import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

from api.support.failures import CommandFailure, Exit
from domain.core.settings import Settings


def settings_of(data: Path | None, **overrides: Any) -> Settings:
    """Return the settings; options that are given override the environment."""
    options = {"data": data, **overrides}
    return Settings(**{name: value for name, value in options.items() if value is not None})


@contextmanager
def surroundings(data: Path | None, **overrides: Any) -> Iterator[Settings]:
    """Provide settings with running servers and an up-to-date database while the block runs.

    An embedded database is migrated automatically. An external one is only checked, because its operators decide when
    its tables change (`waarborg migrate`).
    """
    configured = settings_of(data, **overrides)
    with addresses(configured) as settings:
        from api.support import migrate

        if migrate.current(settings.owner_database_url) != migrate.heads():
            if configured.database_url:
                raise CommandFailure(
                    "The database is not up to date: waarborg migrate", Exit.SERVERS
                )
            migrate.upgrade(settings.owner_database_url)
        yield settings


@contextmanager
def addresses(configured: Settings) -> Iterator[Settings]:
    """Provide settings with running servers while the block runs; SIGTERM ends it like Ctrl-C and stops the servers."""
    from api.embedded import provided

    signal.signal(signal.SIGTERM, _terminated)
    with progress_messages() as say, provided(configured, say=say) as settings:
        say("")
        yield settings


@contextmanager
def progress_messages() -> Iterator[Callable[[str], None]]:
    """Provide a function that shows a message with a spinner; without a terminal it prints nothing, for scripts."""
    if not sys.stderr.isatty():
        yield lambda _message: None
        return
    from rich.console import Console
    from rich.status import Status

    spinner: Status | None = None

    def say(message: str) -> None:
        nonlocal spinner
        if spinner is not None:
            spinner.stop()
            spinner = None
        if message:
            spinner = Console(stderr=True).status(f"{message} …")
            spinner.start()

    try:
        yield say
    finally:
        say("")


def _terminated(_signal: int, _frame: FrameType | None) -> NoReturn:
    raise SystemExit(Exit.TERMINATED)
