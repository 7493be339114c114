"""Companies of a run: security companies with clients and agreements, created through the public API."""

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from loadtests.wire import PATIENCE_S, Refusal, Wire

CLIENTS = 3  # per company
LAT, LON = 51.9225, 4.4792  # location of all sites
FENCE_M = 150.0
ALWAYS = {"name": "24x7", "alwaysOpen": True}
SECONDS = {
    "FIRST_RESPONSE": {"CRITICAL": 2, "HIGH": 15, "MEDIUM": 120, "LOW": 3600},
    "RESOLUTION": {"CRITICAL": 8, "HIGH": 60, "MEDIUM": 600, "LOW": 7200},
}
"""Targets short enough that a run of two minutes breaks some: critical incidents are answered late on purpose."""


@dataclass(frozen=True)
class Client:
    """A client of a security company: its account and a site, by global id."""

    name: str
    account: str
    site: str


@dataclass
class Company:
    """A security company as seen through the API."""

    name: str
    host: str
    manager_key: str
    guards: list[str] = field(default_factory=list)
    """Access tokens of guards who have no phone yet."""
    manager: Wire = field(init=False)
    clients: list[Client] = field(default_factory=list)
    _numbers: "count[int]" = field(default_factory=count)

    def __post_init__(self) -> None:
        """Connect as the manager."""
        self.manager = Wire(self.host, self.manager_key)

    @property
    def accounts(self) -> frozenset[str]:
        """The ids of the company's accounts."""
        return frozenset(client.account for client in self.clients)

    def key(self, role: str, *clients: Client) -> str:
        """Issue a key of this role; for all clients when none is named."""
        accounts = [client.account for client in clients] or None
        everything = accounts is None
        name = f"{role.lower()} {next(self._numbers)}"
        made = self.manager.do(
            "issue_api_key", name=name, role=role, accountIds=accounts, allAccounts=everything
        )
        secret: str = made["secret"]
        return secret

    def end(
        self, key: str, account: str | None = None, kinds: list[str] | None = None
    ) -> str | None:
        """Return the cursor of the last fact visible to the key; None when there is none."""
        nodes = Wire(self.host, key).ask("end_of_ledger", account=account, kinds=kinds)["page"][
            "nodes"
        ]
        return nodes[0]["cursor"] if nodes else None


def found(host: str, company: str, key: str, guards: list[str]) -> Company:
    """Create a company's clients, sites and agreements. `key` is that of its manager, `guards` are tokens."""
    made = Company(company, host, key, guards)
    calendar = made.manager.do("define_calendar", **ALWAYS)["id"]
    now = datetime.now(UTC)
    for number in range(CLIENTS):
        account = made.manager.do("create_account", name=f"Client {number}")["id"]
        place = {"name": f"Site {number}", "lat": LAT, "lon": LON}
        site = made.manager.do("add_site", accountId=account, **place)["id"]
        made.manager.do("fence_site", siteId=site, radiusM=FENCE_M)
        made.manager.do(
            "sign_agreement",
            accountId=account,
            reference=f"LOAD-{number}",
            title="Load",
            signedOn=str(now.date()),
            inForceFrom=(now - timedelta(days=30)).isoformat(),
            terms=_terms(calendar),
        )
        made.clients.append(Client(f"{company}, client {number}", account, site))
    deadline = time.monotonic() + PATIENCE_S
    while made.end(key) is None:
        if time.monotonic() > deadline:
            raise Refusal("Facts get no numbers, so nobody would hear any: is there a worker?")
        time.sleep(0.1)
    return made


def _terms(calendar: str) -> dict[str, Any]:
    """Return terms in which every breach earns a credit, with an internal objective that clients must not see."""
    earns = [{"fixedCents": 500}, {"priority": "CRITICAL", "feeBps": 10}]
    promises = [
        {"name": kind.lower(), "kind": kind, "creditRules": earns, **_clock(calendar, targets)}
        for kind, targets in SECONDS.items()
    ]
    inside = _clock(calendar, dict.fromkeys(SECONDS["RESOLUTION"], 1))
    promises.append({"name": "own_objective", "kind": "FIRST_RESPONSE", "internal": True, **inside})
    # One credit for each breach, because the audit counts them.
    return {"promises": promises, "periodFeeCents": 1_000_000, "perCause": "EACH"}


def _clock(calendar: str, targets: dict[str, int]) -> dict[str, Any]:
    listed = [{"priority": priority, "elapsedSeconds": each} for priority, each in targets.items()]
    return {"calendarVersionId": calendar, "targets": listed}
