"""Client apps: home screen, lists, one incident, credits; and attempts to read other companies' data."""

import random
from typing import Any

from locust import between, constant_pacing, task

from loadtests.asking import Asker
from loadtests.audit import Wrong
from loadtests.conversation import Conversation, Ended, Refused


class Baseline(Asker):
    """Executes the cheapest operation, with which others are compared."""

    fixed_count = 1
    role = "DISPATCHER"
    wait_time = constant_pacing(0.2)

    @task
    def viewer(self) -> None:
        """Query the role and the company of the actor."""
        self.ask("viewer")


class ClientApp(Asker):
    """A client user with an open app."""

    weight = 4
    role = "CLIENT_ADMIN"
    wait_time = between(0.5, 2.5)

    @task(6)
    def home(self) -> None:
        """Query the home screen."""
        self.ask("home", account=self.client_of.account)

    @task(4)
    def look_at_a_ticket(self) -> None:
        """Query the list of incidents and one of them."""
        page = self._page("incidents")
        if page:
            self.ask("incident", id=random.choice(page)["id"])

    @task(2)
    def credits(self) -> None:
        """Query the credits."""
        self._page("credits")

    @task(2)
    def compliance(self) -> None:
        """Query the compliance of this month."""
        self.ask("compliance", account=self.client_of.account)

    @task(1)
    def history(self) -> None:
        """Query the first page of the ledger."""
        self._page("ledger")

    @task(2)
    def over_a_socket(self) -> None:
        """Execute the same queries over a WebSocket, as an app with an open one does."""
        try:
            line = Conversation(self.company.host, self.key)
        except Ended as end:
            self.run_of.measured("WS", "connect", 0, error=end)
            return
        try:
            line.ask("home", account=self.client_of.account)
            self.run_of.measured("WS", "connect", line.took_ms)
        except (Ended, Refused) as failed:
            self.run_of.measured("WS", "home", 0, error=failed)
        finally:
            line.close()

    @task(1)
    def pry(self) -> None:
        """Check that another company's client does not exist here and that its cursors are refused."""
        stranger = self.run_of.stranger_of(self.company)
        found = self.ask("stranger", account=stranger.clients[0].account)
        audit = self.run_of.audit
        audit.saw(Wrong.FOREIGN, Wrong.CURSOR)
        if found is not None and (found["account"] is not None or found["incidents"]["nodes"]):
            audit.blame(Wrong.FOREIGN, f"{self.company.name} was shown {found}")
        try:
            self.company.manager.ask("ledger", after=self.run_of.began(stranger))
        except Exception as refused:  # noqa: BLE001 - any answer but the expected one is a violation
            if "CURSOR_INVALID" in str(refused):
                return
        audit.blame(Wrong.CURSOR, f"{self.company.name} read on behind a cursor of {stranger.name}")

    def _page(self, document: str) -> list[dict[str, Any]]:
        data = self.ask(document, account=self.client_of.account)
        return [] if data is None else data["page"]["nodes"]
