"""Creation of a guard's phone: invitation, sign-in, enrolment and shift, all through the API."""

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2

from loadtests.company import Client, Company
from loadtests.wire import PATIENCE_S


@dataclass(frozen=True)
class Phone:
    """A device that reports fixes: its token, and its owner's number at the client."""

    token: str
    number: int


def phone(company: Company, client: Client) -> Phone:
    """Create a guard of the company with a phone, on a shift for the client. Raises httpx2's errors on a refusal."""
    name = f"guard {secrets.token_hex(4)}"
    address, password = f"{name.replace(' ', '-')}@load.example", secrets.token_urlsafe(12)
    user = company.manager.do("add_user", email=address, name=name, role="GUARD")["id"]
    with httpx2.Client(base_url=company.host, timeout=PATIENCE_S) as http:

        def ask(path: str, bearer: str | None = None, **body: Any) -> Any:
            headers = {} if bearer is None else {"authorization": f"Bearer {bearer}"}
            answer = http.post(path, json=body, headers=headers).raise_for_status()
            return answer.json() if answer.content else None

        invitation = ask("/auth/invitations", company.manager_key, userId=user)["invitation"]
        ask("/auth/password", invitation=invitation, password=password)
        signed = ask("/auth/login", email=address, password=password, company=company.name)
        token: str = ask("/auth/devices", signed["accessToken"], name=name)["token"]
    device = next(row["id"] for row in company.manager.rows("devices") if row["name"] == name)
    now = datetime.now(UTC)
    duty = company.manager.do(
        "assign_device",
        deviceId=device,
        accountId=client.account,
        siteId=client.site,
        fromAt=(now - timedelta(hours=2)).isoformat(),
        untilAt=(now + timedelta(hours=6)).isoformat(),
    )
    return Phone(token, duty["number"])
