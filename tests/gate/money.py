"""Money in every shape: credits, a dispute, an invoice with its note and payment, something being made good."""

from datetime import date, datetime, timedelta

from sqlalchemy import select

from domain import accounts, agreements, compensation, invoices, recovery
from domain.access import Actor, Role, Tx
from domain.agreements import Unit
from domain.core.db import transaction
from domain.invoices import Party
from domain.promises import Promise, State
from domain.recovery import Size
from tests.api.asking import Api
from tests.build import T0, World

MONTH = date(2026, 3, 1)


async def owed(api: Api, world: World, *, at: datetime) -> None:
    """One of everything that money can be, for a client with a broken promise."""
    actor = Actor.system(world.tenant.id, "test")
    agreement = world.agreement.id
    async with transaction(api.make) as session:
        await compensation.choose_policy(
            Tx(session, actor, T0),
            approval_above_cents=100_000,
            vat_category="S",
            vat_rate_bps=2_100,
        )
        party = Party("B.V.", "Dam 1", "1012 JS", "Amsterdam")
        await invoices.set_party(Tx(session, actor, T0), None, party=party)
        await invoices.set_party(
            Tx(session, actor, T0), world.account.id, party=party, bill_from_on=MONTH
        )
        await agreements.set_rate(
            Tx(session, actor, T0),
            agreement,
            code="guard_hour",
            name="Guard, hour",
            unit=Unit.HOUR,
            price_cents=4_155,
            from_on=MONTH,
        )
        line = {"rate_code": "guard_hour", "quantity_milli": 1_000}
        await invoices.plan(Tx(session, actor, T0), agreement, month_on=MONTH, **line)  # type: ignore[arg-type]
        await invoices.deliver(Tx(session, actor, T0), agreement, delivered_on=MONTH, reference="shift-1", **line  # type: ignore[arg-type]
        )  # fmt: skip
        await compensation.grant_goodwill(
            Tx(session, actor, at), agreement, cents=2_500, reason="Sorry."
        )
        await compensation.close_month(Tx(session, actor, at), agreement, MONTH)
        invoice = await invoices.bill(Tx(session, actor, at), agreement, MONTH)
        assert invoice is not None
        await invoices.pay(
            Tx(session, actor, at), invoice.id, amount_cents=100, paid_on=MONTH, reference="1"
        )
        promise = await session.scalar(
            select(Promise)
            .where(
                Promise.account_id == world.account.id,
                Promise.state == State.LATE,
                Promise.internal.is_(False),
            )
            .order_by(Promise.id)
            .limit(1)
        )
        assert promise is not None
        at += timedelta(minutes=1)
        await compensation.contest(Tx(session, actor, at), promise.id, reason="We called.")
        owner = await accounts.add_user(
            Tx(session, actor, at),
            email=f"{promise.id.hex}@us.example",
            name="Manager",
            role=Role.RELATIONSHIP_MANAGER,
        )
        await recovery.open_case(
            Tx(session, actor, at), promise.unit_id, size=Size.MEDIUM, summary="Nobody came",
            owner_id=owner.id)  # fmt: skip
