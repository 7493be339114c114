"""Set billing parties, and plan and deliver services."""

from collections.abc import Collection, Sequence
from dataclasses import asdict, replace
from datetime import date, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from domain.access import Actor, Right, Tx, row_of
from domain.accounts.model import Account
from domain.agreements import Agreement, Rate, price_on, rates_of
from domain.compensation import next_month
from domain.core.base import uuid7
from domain.core.bounds import must_be_day, must_be_quantity
from domain.core.changes import as_text, values_of
from domain.core.errors import Code, Refused, must_be_current
from domain.core.text_rules import must_be_line
from domain.invoices.events import PartySet, Planned, ServiceDelivered
from domain.invoices.model import (
    BillingParty,
    DeliveredLine,
    PlannedLine,
)
from domain.invoices.parties import Party
from domain.invoices.rules import check_party


async def set_party(
    tx: Tx,
    account_id: UUID | None,
    *,
    party: Party,
    left_out: Collection[str] = (),
    bill_from_on: date | None = None,
    expected_version: int | None = None,
) -> BillingParty:
    """Set the billing details of a client, billed from a month on, or (no account) of the company itself.

    Existing details in `left_out` stay as they are, and so does the month when it is None.
    """
    tx.actor.must(Right.BILL)
    must_be_day(bill_from_on, "billFromOn", tx.at)
    if account_id is None and tx.actor.accounts is not None:
        raise Refused(
            Code.NOT_ALLOWED,
            "Your user is limited to some accounts and cannot change the company's details.",
        )
    if account_id is not None:
        await tx.get(Account, account_id, "account", argument="accountId")
    row = await tx.session.scalar(
        select(BillingParty)
        .where(
            BillingParty.tenant_id == tx.actor.tenant_id,
            BillingParty.account_id.is_not_distinct_from(account_id),
        )
        .with_for_update(key_share=True)
    )
    if row is not None:
        party = replace(party, **{name: getattr(row, name) for name in left_out})
        bill_from_on = bill_from_on or row.bill_from_on
    check_party(party)
    if (account_id is None) != (bill_from_on is None):
        raise Refused(
            Code.INVALID,
            "billFromOn is for clients only; the company itself is not billed.",
            argument="billFromOn",
        )
    names = [*asdict(party), "bill_from_on"]
    before = None if row is None else as_text(values_of(row, names))
    if row is None:
        row = BillingParty(id=uuid7(), tenant_id=tx.actor.tenant_id, account_id=account_id)
        tx.session.add(row)
    else:
        must_be_current(row.version, expected_version)
    for name, value in asdict(party).items():
        setattr(row, name, value)
    row.bill_from_on = None if bill_from_on is None else bill_from_on.replace(day=1)
    await tx.session.flush()
    tx.record(
        PartySet(
            account_id=account_id,
            subject_id=row.id,
            at=tx.at,
            before=before,
            after=as_text(values_of(row, names)),
        )
    )
    return row


async def plan(
    tx: Tx, agreement_id: UUID, *, month_on: date, rate_code: str, quantity_milli: int
) -> PlannedLine:
    """Plan a quantity of a rate's unit, in thousandths, for a month; a second plan replaces the first."""
    agreement = await agreement_of(tx.session, tx.actor, agreement_id)
    if quantity_milli < 0:
        raise Refused(
            Code.INVALID, "A planned quantity must not be negative.", argument="quantityMilli"
        )
    must_be_day(month_on, "monthOn", tx.at)
    month_on = month_on.replace(day=1)
    last_on = next_month(month_on) - timedelta(1)
    rate = priced(await rates_of(tx.session, agreement.id), rate_code, last_on)
    must_be_quantity(quantity_milli, "quantityMilli", price_cents=rate.price_cents)
    values = {"quantity_milli": quantity_milli}
    before = await tx.session.scalar(
        select(PlannedLine.quantity_milli)
        .where(
            PlannedLine.agreement_id == agreement.id,
            PlannedLine.month_on == month_on,
            PlannedLine.rate_code == rate_code,
        )
        .with_for_update()
    )
    statement = insert(PlannedLine).values(
        id=uuid7(),
        tenant_id=agreement.tenant_id,
        account_id=agreement.account_id,
        agreement_id=agreement.id,
        month_on=month_on,
        rate_code=rate_code,
        version=1,
        **values,
    )
    [row] = await tx.session.scalars(
        statement.on_conflict_do_update(
            index_elements=["agreement_id", "month_on", "rate_code"],
            set_={**values, "version": PlannedLine.version + 1},
        ).returning(PlannedLine),
        execution_options={"populate_existing": True},
    )
    tx.record(
        Planned(
            account_id=agreement.account_id,
            subject_id=agreement.id,
            at=tx.at,
            month_on=month_on,
            rate_code=rate_code,
            quantity_milli=quantity_milli,
            before=before,
        )
    )
    return row


async def deliver(
    tx: Tx,
    agreement_id: UUID,
    *,
    rate_code: str,
    delivered_on: date,
    quantity_milli: int,
    reference: str,
) -> DeliveredLine:
    """Record what was delivered on a day, once per reference; a correction has a negative quantity.

    A delivery without a price in the terms is refused.
    """
    agreement = await agreement_of(tx.session, tx.actor, agreement_id)
    must_be_line(reference, "reference")
    if quantity_milli == 0:
        raise Refused(
            Code.INVALID, "The delivered quantity must not be 0.", argument="quantityMilli"
        )
    must_be_day(delivered_on, "deliveredOn", tx.at)
    rate = priced(await rates_of(tx.session, agreement.id), rate_code, delivered_on)
    must_be_quantity(quantity_milli, "quantityMilli", price_cents=rate.price_cents)
    row: DeliveredLine | None = await tx.session.scalar(
        insert(DeliveredLine)
        .values(
            id=uuid7(),
            tenant_id=agreement.tenant_id,
            account_id=agreement.account_id,
            agreement_id=agreement.id,
            rate_code=rate_code,
            delivered_on=delivered_on,
            quantity_milli=quantity_milli,
            reference=reference,
        )
        .on_conflict_do_nothing()
        .returning(DeliveredLine)
    )
    if row is None:
        raise Refused(
            Code.ALREADY_EXISTS,
            f"A delivery with the reference {reference} exists already.",
            argument="reference",
        )
    tx.record(
        ServiceDelivered(
            account_id=agreement.account_id,
            subject_id=agreement.id,
            at=tx.at,
            line_id=row.id,
            rate_code=rate_code,
            delivered_on=delivered_on,
            quantity_milli=quantity_milli,
        )
    )
    return row


async def agreement_of(session: AsyncSession, actor: Actor, agreement_id: UUID) -> Agreement:
    """Return an agreement for billing; refused when it is not visible to the actor."""
    actor.must(Right.BILL)
    return await row_of(
        session, actor, Agreement, agreement_id, "agreement", argument="agreementId"
    )


def priced(rates: Sequence[Rate], rate_code: str, day: date) -> Rate:
    """Return the price of a code on a day; refused when the agreement has none."""
    rate = price_on(rates, rate_code, day)
    if rate is None:
        raise Refused(
            Code.NO_TERMS_IN_FORCE,
            f"The agreement has no rate {rate_code} on that day.",
            argument="rateCode",
        )
    return rate
