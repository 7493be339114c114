"""Peak load: control rooms in which everything happens at once, and partners that create incidents in bulk."""

import random
from collections import Counter
from typing import Any
from uuid import uuid4

from locust import between, task

from loadtests.asking import Asker
from loadtests.audit import Wrong

PRIORITIES = ("CRITICAL", "CRITICAL", "HIGH", "MEDIUM", "LOW")
LATE_SHARE = 0.3  # share of incidents acknowledged so late that the promise is broken


class ControlRoom(Asker):
    """Opens and acknowledges incidents, some too late, and receives all of it on its own feed."""

    weight = 2
    role = "DISPATCHER"
    wait_time = between(0.2, 1.0)

    def on_start(self) -> None:
        """Subscribe to the client whose incidents this user changes."""
        super().on_start()
        self.watch = self.run_of.watch(self.company, self.eyes(), acts=True)
        self.waiting: list[str] = []

    @task
    def ticket(self) -> None:
        """Take an incident from opening to resolution, or leave it for later."""
        opened = self._verb(
            "open_incident",
            "incident.opened",
            siteId=self.client_of.site,
            priority=random.choice(PRIORITIES),
            summary="Alarm zone 3",
            source="ALARM_CENTRE",
            reporter="load",
        )
        if opened is None:
            return
        if random.random() < LATE_SHARE:
            self.waiting.append(opened)
            return
        self._work(opened)

    @task
    def take_up_what_waits(self) -> None:
        """Acknowledge the oldest incident left for later."""
        if len(self.waiting) > 4:
            self._work(self.waiting.pop(0))

    def _work(self, incident: str) -> None:
        for document, kind, more in (
            ("acknowledge_incident", "incident.acknowledged", {}),
            ("start_work_on_incident", "incident.work_started", {}),
            ("update_incident", "incident.updated", {"body": "Somebody is on the way."}),
            ("resolve_incident", "incident.resolved", {"resolution": "False alarm."}),
            ("close_incident", "incident.closed", {}),
        ):
            if self._verb(document, kind, id=incident, **more) is None:
                return

    def _verb(self, document: str, kind: str, **given: Any) -> str | None:
        """Execute a mutation and return the changed incident, whose fact must now arrive on the feed."""
        done = self.do(document, **given)
        if done is None:
            return None
        if done["__typename"] == "Refusal":
            if (document, done["code"]) == ("acknowledge_incident", "INCIDENT_NOT_NEW"):
                return str(given["id"])  # a guard arrived first, which acknowledges the incident
            self.run_of.measured("REFUSAL", document, 0, error=ValueError(str(done)))
            return None
        incident: str = done["id"]
        self.watch.expects(kind, incident)
        return incident


class Partner(Asker):
    """An alarm centre's system: creates incidents in bulk with its own numbers, then reads all of them page by page."""

    weight = 1
    role = "PARTNER"
    wait_time = between(3, 6)

    @task(2)
    def hand_in(self) -> None:
        """Create ten incidents, one of them with a number that is used already."""
        batch = uuid4().hex[:12]
        for number in (*range(9), 0):
            done = self.do(
                "open_incident",
                siteId=self.client_of.site,
                priority="MEDIUM",
                summary="Signal",
                source="PARTNER",
                reporter="load",
                externalSource="load",
                externalId=f"{batch}-{number}",
            )
            if done is None:
                continue
            if done["__typename"] == "Refusal" and done["code"] != "ALREADY_EXISTS":
                self.run_of.measured("REFUSAL", "open_incident", 0, error=ValueError(str(done)))

    @task(1)
    def read_back(self) -> None:
        """Check that reading a growing list page by page shows no row twice."""
        seen: Counter[str] = Counter()
        after = None
        for _ in range(40):
            data = self.ask("incidents", account=self.client_of.account, after=after)
            if data is None:
                return
            seen.update(row["id"] for row in data["page"]["nodes"])
            after = data["page"]["pageInfo"]["endCursor"]
            if not data["page"]["pageInfo"]["hasNextPage"]:
                break
        self.run_of.audit.saw(Wrong.REPEATED, count=len(seen))
        for row, times in seen.items():
            if times > 1:
                self.run_of.audit.blame(Wrong.REPEATED, f"{row} came {times} times in one walk")
