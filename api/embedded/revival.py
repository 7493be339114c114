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
    """What the modules `postgres` and `redis` offer. None of these functions waits for the server."""

    @property
    def NAME(self) -> str:  # noqa: N802 - a constant of the module
        """Its name in messages."""

    def log(self, place: DataDirectory) -> Path:
        """The server's log."""

    def is_running(self, place: DataDirectory) -> bool:
        """Whether any process of the server lives."""

    def answers(self, place: DataDirectory) -> bool:
        """Whether the server takes commands."""

    def launch(self, place: DataDirectory) -> None:
        """Start the server. Raises `EmbeddedError`."""


@dataclass
class GrowingPause:
    """When something is due again: at once, then after pauses that double up to half a minute."""

    due: float = 0.0
    next_s: float = FIRST_PAUSE_S

    def take(self, now: float) -> None:
        """Put off the next time by the next pause."""
        self.due = now + self.next_s
        self.next_s = min(2 * self.next_s, LONGEST_PAUSE_S)


@dataclass
class Outage:
    """The time from the end of a server until it answers again."""

    began: float
    starts: GrowingPause = field(default_factory=GrowingPause)
    notices: GrowingPause = field(default_factory=GrowingPause)
    answered: float | None = None
    """When the server answered again. A server that ends soon afterwards continues this outage and its pauses."""


@dataclass
class WatchedServer:
    """One server of a data directory, and its outage while there is one."""

    place: DataDirectory
    server: EmbeddedServer
    say: Say
    outage: Outage | None = None

    def look(self) -> None:
        """Start the server when it has ended, and say when it answers again; does not wait for it.

        Raises nothing when its files cannot be reached, for example because the directory was moved or too many files
        are open: that is said at growing intervals, and tried again at the next look.
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
        """Say when a server that was started answers; forget the outage after half a minute of health."""
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
            # Tried at every look: it starts soon after space is freed.
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
        """Say what is waited for, at growing intervals."""
        if now >= outage.notices.due:
            outage.notices.take(now)
            self.say(message)


class Revival:
    """Keeps the embedded servers of a data directory running: `look` is to be called about once a second."""

    def __init__(self, watched: list[WatchedServer]) -> None:
        self._watched = watched

    @classmethod
    def of(cls, asked: Settings, *, say: Say) -> Self:
        """Watch what is embedded according to `asked`, the settings that `provided` was given."""
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
        """Start what has ended and say what answers again."""
        for watched in self._watched:
            watched.look()
