"""Credits: what a broken promise gives back to the client."""

from datetime import date, datetime
from typing import Annotated, Any

import strawberry

from domain import accounts, compensation
from schema.accounts import Account
from schema.context import Info
from schema.ids import Node
from schema.later import ItsAgreement, ItsIncident, ItsPromise
from schema.scalars import Long
from schema.thin import answers, shows

Row = strawberry.Parent[compensation.Credit]


@shows(compensation.Credit)
class Credit(Node):
    """Money a client gets back for one broken promise; one promise earns one credit."""

    amount_cents: Annotated[Long, "The amount, in cents."]
    uncapped_cents: Annotated[Long, "What the rule says before the monthly cap, in cents."]
    currency: Annotated[str, "ISO 4217 code."]
    month_on: Annotated[date, "First day of the month it counts against."]
    decided_at: Annotated[datetime, "When it was decided."]

    @answers(Account | None)
    @staticmethod
    async def account(row: Row, info: Info) -> accounts.Account | None:
        """The client who gets it."""
        return await info.context.loaders.account.load(row.account_id)

    @answers(ItsPromise | None)
    @staticmethod
    async def promise(row: Row, info: Info) -> Any:
        """The promise that was broken."""
        return await info.context.loaders.promise.load(row.promise_id)

    @answers(ItsIncident | None)
    @staticmethod
    async def incident(row: Row, info: Info) -> Any:
        """The ticket it was broken on."""
        return await info.context.loaders.incident.load(row.incident_id)

    @answers(ItsAgreement | None)
    @staticmethod
    async def agreement(row: Row, info: Info) -> Any:
        """The agreement that says so."""
        return await info.context.loaders.agreement.load(row.agreement_id)
