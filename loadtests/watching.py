"""Readers of feeds: they resume with their cursor when the connection breaks, and record all they receive."""

import random
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import gevent

from loadtests.audit import Trail, Wrong, mark
from loadtests.company import Company
from loadtests.conversation import Conversation, Ended, Event, Refused

if TYPE_CHECKING:
    from loadtests.run import Run

COME_BACK_S = (0.05, 0.5)
Sight = tuple[bool, frozenset[str], str | None, str | None]
EXPECTED = {None, 1012}  # a broken connection; a server that asks for a reconnect


@dataclass(frozen=True)
class Eyes:
    """A view: an actor's key and its feed. Two with the same `sight` see the same facts."""

    key: str
    role: str
    accounts: frozenset[str]
    account: str | None
    only: str | None = None

    @property
    def kinds(self) -> list[str] | None:
        """The kinds of facts of the feed; None for all."""
        return None if self.only is None else [self.only]

    @property
    def sight(self) -> Sight:
        """The part of the view that decides which facts are visible: client or company, and which account."""
        return self.role.startswith("CLIENT"), self.accounts, self.account, self.only


class Watch:
    """One reader of one feed for the length of a run, over any number of connections."""

    def __init__(
        self, run: "Run", company: Company, eyes: Eyes, after: str | None, *, acts: bool
    ) -> None:
        self.company, self.eyes = company, eyes
        self.trail = Trail(f"{company.name}: {eyes.role} of {eyes.account or 'all clients'}", after)
        self._told: set[tuple[str, str]] | None = set() if acts else None
        self._run = run
        self._after = after
        self._awaited: dict[tuple[str, str], float] = {}
        self._line: Conversation | None = None
        self._connections = 0
        self._greenlet: gevent.Greenlet | None = None

    def start(self) -> None:
        """Start reading."""
        self._greenlet = gevent.spawn(self._listen)

    def cut(self) -> None:
        """Break the connection."""
        if self._line is not None:
            self._line.cut()

    def end(self) -> None:
        """Stop reading for good."""
        if self._greenlet is not None:
            self._greenlet.kill()
        if self._line is not None:
            self._line.close()

    def behind(self, due: str | None) -> bool:
        """Return whether the last fact of the ledger has not been received yet."""
        began = self.trail.start is not None or self.trail.last is not None
        return (
            began
            and due is not None
            and due != self.trail.start
            and mark(due) not in self.trail.marks
        )

    def expects(self, kind: str, subject: str) -> None:
        """Expect the fact of an acknowledged change of the reader's own."""
        if self._told is not None and (kind, subject) in self._told:
            self._run.measured("FEED", f"own {kind}", 0)
        else:
            self._awaited[kind, subject] = time.perf_counter()
        self._run.audit.saw(Wrong.UNTOLD)

    def own_up(self) -> None:
        """Record the expected facts that never came."""
        for kind, subject in self._awaited:
            self._run.audit.blame(Wrong.UNTOLD, f"{self.trail.name}: {kind} of {subject}")

    def _listen(self) -> None:
        while True:
            try:
                self._line = line = Conversation(self.company.host, self.eyes.key)
                self._connections += 1
                self._run.measured(
                    "WS", "connect" if self._connections == 1 else "reconnect", line.took_ms
                )
                self._follow(line)
            except Ended as end:
                if end.code not in EXPECTED:
                    self._run.measured("WS", "closed", 0, error=end)
            except Refused as refused:
                wrong = Wrong.CURSOR if refused.code == "CURSOR_INVALID" else None
                if wrong is not None:
                    self._run.audit.blame(wrong, f"{self.trail.name}: {refused}")
                self._run.measured("WS", "subscribe", 0, error=refused)
            gevent.sleep(random.uniform(*COME_BACK_S))

    def _follow(self, line: Conversation) -> None:
        began = datetime.now(UTC)
        document = "follow_breaches" if self.eyes.only else "follow_account"
        account = {} if self.eyes.account is None else {"account": self.eyes.account}
        for event, size in line.follow(document, after=self._after, **account):
            if event.gap is not None:
                self._run.measured("FEED", f"gap {event.gap}", 0)
                return
            self._hear(event, size, began)

    def _hear(self, event: Event, size: int, began: datetime) -> None:
        self._after = event.cursor
        self.trail.hear(event.cursor)
        if event.account is not None and event.account.id not in self.eyes.accounts:
            self._run.audit.blame(
                Wrong.FOREIGN, f"{self.trail.name} heard {event.kind} of {event.account.id}"
            )
        if event.recorded_at is not None and event.recorded_at > began:  # a live event, not backlog
            late = datetime.now(UTC) - event.recorded_at
            self._run.measured("FEED", "fact", late.total_seconds() * 1000, size)
        if self._told is not None and event.subject_id is not None:
            about = event.kind, event.subject_id
            self._told.add(about)
            if (since := self._awaited.pop(about, None)) is not None:
                self._run.measured(
                    "FEED", f"own {event.kind}", (time.perf_counter() - since) * 1000
                )
