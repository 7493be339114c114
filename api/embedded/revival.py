"""Restart of an embedded server that has ended while it was in use, for example because its disk is full."""

import os
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, Self

from api.embedded import postgres, redis
from api.embedded.data_directory import DataDirectory, prepare
from api.embedded.locks import grab
from api.embedded.os_user import DiskFullError, EmbeddedError
from domain.core.settings import Settings

FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 30.0
HEALTHY_AFTER_S = 30.0

Say = Callable[[str], None]


class EmbeddedServer(Protocol):
    """Functions of the modules `postgres` and `redis` that do not wait for the server."""

    @property
    def NAME(self) -> str:  # noqa: N802 - a constant of the module
        """Name of the server in messages."""

    def log(self, place: DataDirectory) -> Path:
        """Return the path of the server's log."""

    def is_running(self, place: DataDirectory) -> bool:
        """Return whether a process of the server runs."""

    def answers(self, place: DataDirectory) -> bool:
        """Return whether the server accepts commands."""

    def launch(self, place: DataDirectory) -> None:
        """Start the server. Raises `EmbeddedError`."""


@dataclass
class GrowingPause:
    """Time at which something is due again: at once, then after pauses that double up to half a minute."""

    due: float = 0.0
    next_s: float = FIRST_PAUSE_S

    def take(self, now: float) -> None:
        """Start the next pause."""
        self.due = now + self.next_s
        self.next_s = min(2 * self.next_s, LONGEST_PAUSE_S)


@dataclass
class Outage:
    """Time from the end of a server until it is ready again."""

    began: float
    starts: GrowingPause = field(default_factory=GrowingPause)
    notices: GrowingPause = field(default_factory=GrowingPause)
    answered: float | None = None
    """Time at which the server was ready again. If it ends soon afterwards, this outage continues with its pauses."""


@dataclass
class WatchedServer:
    """Server of a data directory, with its outage while there is one."""

    place: DataDirectory
    server: EmbeddedServer
    say: Say
    outage: Outage | None = None

    def look(self) -> None:
        """Start the server when it has ended, and report when it is ready again; does not wait for it.

        When its files cannot be reached, for example because the directory was moved or too many files are open,
        report that at growing intervals instead of raising, and try again at the next call.
        """
        now = time.monotonic()
        try:
            self._look(now)
        except OSError as error:
            self.outage = self.outage or Outage(began=now)
            self._notice(self.outage, now, f"{self.server.NAME} cannot be looked after: {error}")

    def _look(self, now: float) -> None:
        if self.server.is_running(self.place):
            if self.outage is not None:
                self._follow(self.outage, now)
            return
        if self.outage is None:
            self.outage = Outage(began=now)
        elif self.outage.answered is not None:
            self.outage.began, self.outage.answered = now, None
        if now >= self.outage.starts.due:
            self._start(self.outage, now)

    def _follow(self, outage: Outage, now: float) -> None:
        """Report when a restarted server is ready; end the outage after half a minute without another failure."""
        name = self.server.NAME
        if outage.answered is not None:
            if now - outage.answered > HEALTHY_AFTER_S:
                self.outage = None
        elif self.server.answers(self.place):
            outage.answered = now
            outage.notices = GrowingPause()
            self.say(f"{name} answers again, {now - outage.began:.0f} s after it ended")
        else:
            self._notice(outage, now, f"{name} was started and is recovering")

    def _start(self, outage: Outage, now: float) -> None:
        name, log = self.server.NAME, self.server.log(self.place)
        change = grab(self.place.data / "change.lock")
        if change is None:
            return  # another process starts or stops servers of this directory
        try:
            self.server.launch(self.place)
        except DiskFullError as error:
            # Tried at every call, so that it starts soon after space is freed.
            outage.starts = GrowingPause()
            self._notice(outage, now, f"{name} has ended and waits for space. {error}")
        except (EmbeddedError, OSError, subprocess.SubprocessError) as error:
            outage.starts.take(now)
            self.say(f"{name} has ended and cannot be started: {error} Its log is {log}")
        else:
            outage.starts.take(now)
            outage.notices = GrowingPause(due=now + FIRST_PAUSE_S)
            self.say(f"{name} has ended; starting it again. Its log is {log}")
        finally:
            os.close(change)

    def _notice(self, outage: Outage, now: float, message: str) -> None:
        """Report what is waited for, at growing intervals."""
        if now >= outage.notices.due:
            outage.notices.take(now)
            self.say(message)


class Revival:
    """Keep the embedded servers of a data directory running; `look` is to be called about once a second."""

    def __init__(self, watched: list[WatchedServer]) -> None:
        self._watched = watched

    @classmethod
    def of(cls, asked: Settings, *, say: Say) -> Self:
        """Watch the servers that are embedded according to `asked`, the settings passed to `provided`."""
        embedded: list[EmbeddedServer] = []
        if not asked.database_url:
            embedded.append(postgres)
        if not asked.redis_url:
            embedded.append(redis)
        if not embedded:
            return cls([])
        place = prepare(asked.data)
        return cls([WatchedServer(place, server, say) for server in embedded])

    def look(self) -> None:
        """Start servers that have ended, and report those that are ready again."""
        for watched in self._watched:
            watched.look()
