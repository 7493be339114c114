"""Shared environment of commands: settings with addresses, progress output, signal handling."""

import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

from api.support.failures import CommandFailure, Exit
from domain.core.settings import Settings


def settings_of(data: Path | None, **given: Any) -> Settings:
    """The settings, where an option that was given wins over the environment."""
    options = {"data": data, **given}
    return Settings(**{name: value for name, value in options.items() if value is not None})


@contextmanager
def surroundings(data: Path | None, **given: Any) -> Iterator[Settings]:
    """Provide settings with running servers and a migrated database while the block runs.

    An embedded database is brought up to date on the way; one of somebody else's is only looked at: a
    deployment decides itself when its tables change (`waarborg migrate`).
    """
    asked = settings_of(data, **given)
    with addresses(asked) as settings:
        from api.support import migrate

        if migrate.current(settings.owner_database_url) != migrate.heads():
            if asked.database_url:
                raise CommandFailure(
                    "The database is not up to date: waarborg migrate", Exit.SERVERS
                )
            migrate.upgrade(settings.owner_database_url)
        yield settings


@contextmanager
def addresses(asked: Settings) -> Iterator[Settings]:
    """Provide settings with running servers; SIGTERM ends the block like Ctrl-C does, so that servers are stopped."""
    from api.embedded import provided

    signal.signal(signal.SIGTERM, _terminated)
    with said() as say, provided(asked, say=say) as settings:
        say("")
        yield settings


@contextmanager
def said() -> Iterator[Callable[[str], None]]:
    """Show a spinner with the last message on a terminal; elsewhere print nothing, because scripts read the output."""
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
