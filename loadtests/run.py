"""One run: its companies, subscribers, acknowledged changes, and the audit at its end."""

import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from itertools import count

import gevent
from locust.env import Environment

from loadtests.audit import Audit, Ledger, Wrong, once_credited, reconcile
from loadtests.company import Client, Company
from loadtests.watching import Eyes, Sight, Watch
from loadtests.wire import Wire

# time for the last fact to reach the last reader, and for the last breach to get its credit
SETTLE_S = 40.0
CUT_EVERY_S = 15.0


@dataclass
class Run:
    """State shared by all users. One process, because the marks of cursors are valid within it."""

    environment: Environment
    companies: list[Company]
    saturate: bool = False
    audit: Audit = field(default_factory=Audit)
    watches: list[Watch] = field(default_factory=list)
    crowd: list[Watch] = field(default_factory=list)
    opened: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    unanswered: Counter[str] = field(default_factory=Counter)
    cuts: int = 0
    _turn: "count[int]" = field(default_factory=count)
    _began: dict[str, str] = field(default_factory=dict)
    _starts: dict[Sight, str | None] = field(default_factory=dict)

    def place(self) -> tuple[Company, Client]:
        """Return the company and client of the next user, in turn, so that all clients get users of each kind."""
        number = next(self._turn)
        company = self.companies[number % len(self.companies)]
        return company, company.clients[number // len(self.companies) % len(company.clients)]

    def stranger_of(self, company: Company) -> Company:
        """Return another company."""
        return next(each for each in self.companies if each is not company)

    def __post_init__(self) -> None:
        """Remember where each ledger ends, because earlier facts are no part of the run."""
        self._began = {each.name: each.end(each.manager_key) or "" for each in self.companies}

    def began(self, company: Company) -> str:
        """Return the cursor at which the company's ledger ended when the run began; valid for this company only."""
        return self._began[company.name]

    def note_opened(self, company: Company, incident: str) -> None:
        """Record the id of an opened incident; ids must be unique."""
        self.audit.saw(Wrong.TWICE)
        if incident in self.opened[company.name]:
            self.audit.blame(
                Wrong.TWICE, f"{company.name}: {incident} was given out for two tickets"
            )
        self.opened[company.name].add(incident)

    def measured(
        self, kind: str, name: str, ms: float, size: int = 0, error: Exception | None = None
    ) -> None:
        """Add a measurement to Locust's statistics."""
        self.environment.events.request.fire(
            request_type=kind,
            name=name,
            response_time=ms,
            response_length=size,
            exception=error,
            context={},
        )

    def watch(
        self, company: Company, eyes: Eyes, *, from_now: bool = False, acts: bool = False
    ) -> Watch:
        """Start a reader: after the position of the first such reader, or live only."""
        if not from_now and eyes.sight not in self._starts:
            self._starts[eyes.sight] = company.end(eyes.key, eyes.account, eyes.kinds)
        after = None if from_now else self._starts[eyes.sight]
        watch = Watch(self, company, eyes, after, acts=acts)
        self.watches.append(watch)
        watch.start()
        return watch

    def drop_the_crowd(self) -> None:
        """Break all connections of the crowd at once, now and then."""
        while True:
            gevent.sleep(CUT_EVERY_S)
            self.cuts += len(self.crowd)
            for watch in self.crowd:
                watch.cut()

    def deliveries(self) -> int:
        """Return how many facts all readers received."""
        return sum(len(watch.trail.marks) for watch in self.watches)

    def settle(self) -> None:
        """Wait for pending work, then compare everything with the ledger."""
        deadline = time.monotonic() + SETTLE_S
        groups: dict[Sight, list[Watch]] = defaultdict(list)
        for watch in self.watches:
            groups[watch.eyes.sight].append(watch)
        for watches in groups.values():
            eyes, company = watches[0].eyes, watches[0].company
            due = company.end(eyes.key, eyes.account, eyes.kinds)
            while any(watch.behind(due) for watch in watches) and time.monotonic() < deadline:
                gevent.sleep(0.1)
            for watch in watches:
                watch.end()
            self._reconcile(watches, due)
        for company in self.companies:
            self._account_for(company, deadline)
        for watch in self.watches:
            watch.own_up()

    def _reconcile(self, watches: list[Watch], due: str | None) -> None:
        eyes, company = watches[0].eyes, watches[0].company
        rows = list(
            Wire(company.host, eyes.key).rows("ledger", account=eyes.account, kinds=eyes.kinds)
        )
        ledger = Ledger(
            [row["cursor"] for row in rows], [f"{row['kind']} {row['subjectId']}" for row in rows]
        )
        places = ledger.places()
        for watch in watches:
            reconcile(self.audit, watch.trail, ledger, places, due)

    def _account_for(self, company: Company, deadline: float) -> None:
        """Check that every change has one effect and every breach one credit."""
        wire = company.manager
        opened = Counter(
            row["subjectId"]
            for row in wire.rows("ledger", after=self.began(company), kinds=["incident.opened"])
        )
        known = self.opened[company.name]
        self.audit.saw(Wrong.TWICE, count=len(opened))
        for incident, facts in opened.items():
            if facts > 1:
                self.audit.blame(
                    Wrong.TWICE, f"{company.name}: {incident} was opened {facts} times"
                )
        extra = set(opened) - known
        if len(extra) > self.unanswered[company.name]:
            self.audit.blame(
                Wrong.TWICE,
                f"{company.name}: {len(extra)} incidents without an acknowledged mutation that opened them",
            )
        for lost in known - set(opened):
            self.audit.blame(
                Wrong.LOST, f"{company.name}: the acknowledged ticket {lost} is not in the ledger"
            )
        verdicts = {
            row["subjectId"]: row["body"].get("now", "late")
            for row in wire.rows(
                "ledger", after=self.began(company), kinds=["promise.breached", "promise.revised"]
            )
            if not row["body"].get("internal")
        }
        # A late fix may prove that a guard was there in time: then no credit is due.
        breached = [promise for promise, verdict in verdicts.items() if verdict == "late"]
        while True:
            credited = [row["promise"]["id"] for row in wire.rows("credits")]
            if set(breached) <= set(credited) or time.monotonic() > deadline:
                break
            gevent.sleep(0.5)
        by_facts = [
            row["body"]["promise_id"]
            for row in wire.rows("ledger", after=self.began(company), kinds=["credit.decided"])
        ]
        once_credited(self.audit, company.name, breached, credited, by_facts)
