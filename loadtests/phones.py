"""Creation of a guard's phone: enrolment and shift, through the API."""

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import httpx2

from loadtests.company import Client, Company
from loadtests.wire import PATIENCE_S, Refusal


@dataclass(frozen=True)
class Phone:
    """A device that reports fixes: its token, and its owner's number at the client."""

    token: str
    number: int


def phone(company: Company, client: Client) -> Phone:
    """Enrol a phone of a guard of the company, on a shift for the client. Raises httpx2's errors on a refusal.

    Each guard gets one phone, because a guard is at one place at a time.
    """
    if not company.guards:
        raise Refusal(f"{company.name} has too few guards: make it with more `--guards`.")
    name, bearer = f"phone {secrets.token_hex(4)}", company.guards.pop()
    enrolled = httpx2.post(
        f"{company.host}/auth/devices",
        json={"name": name},
        headers={"authorization": f"Bearer {bearer}"},
        timeout=PATIENCE_S,
    ).raise_for_status()
    now = datetime.now(UTC)
    duty = company.manager.do(
        "assign_device",
        deviceId=enrolled.json()["id"],
        accountId=client.account,
        siteId=client.site,
        fromAt=(now - timedelta(hours=2)).isoformat(),
        untilAt=(now + timedelta(hours=6)).isoformat(),
    )
    return Phone(enrolled.json()["token"], duty["number"])
