"""Apply the defaults of a new account: make what it lacks, and leave what is there."""

from collections.abc import AsyncIterator, Collection
from dataclasses import dataclass
from datetime import datetime, time
from enum import StrEnum
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import or_, select

from domain import agreements, calendars, escalation, reports, touchpoints
from domain.access import Right, Tx
from domain.accounts.model import Account
from domain.agreements.model import Agreement
from domain.calendars.model import Calendar, CalendarVersion
from domain.core.errors import naming_only
from domain.escalation.model import EscalationPolicy
from domain.reports.model import ReportPlan
from domain.touchpoints.model import Touchpoint

CALENDAR = "Round the clock"
"""Name of the calendar that the default promises count on; made where the company has none of this name."""
POLICY = "Default"


class DefaultPart(StrEnum):
    """Part of the defaults of a new account."""

    AGREEMENT = "agreement"
    ESCALATION_POLICY = "escalation_policy"
    TOUCHPOINTS = "touchpoints"
    REPORT_PLANS = "report_plans"


@dataclass(frozen=True, slots=True)
class AppliedDefault:
    """One thing among the defaults: whether it was made, or left because it was there."""

    part: DefaultPart
    name: str
    made: bool


@dataclass(frozen=True, slots=True)
class AppliedDefaults:
    """An account, and what was made for it or left."""

    row: Account
    parts: list[AppliedDefault]


async def apply_defaults(
    tx: Tx,
    account_id: UUID,
    *,
    reference: str = "1",
    parts: Collection[DefaultPart] = tuple(DefaultPart),
) -> AppliedDefaults:
    """Give an account the default promises, escalation policy, touchpoints and reports that it lacks.

    A second call makes nothing. The agreement is in force from the beginning of the day on the account's clock.
    """
    tx.actor.must(Right.MANAGE_ACCOUNTS)
    account = await tx.get(Account, account_id, "account", argument="accountId", lock=True)
    found: list[AppliedDefault] = []
    with naming_only("reference"):
        if DefaultPart.AGREEMENT in parts:
            found.append(await _agreement(tx, account, reference))
        if DefaultPart.ESCALATION_POLICY in parts:
            found.append(await _policy(tx, account))
        if DefaultPart.TOUCHPOINTS in parts:
            found += [each async for each in _touchpoints(tx, account)]
        if DefaultPart.REPORT_PLANS in parts:
            found += [each async for each in _reports(tx, account)]
    return AppliedDefaults(account, found)


async def _agreement(tx: Tx, account: Account, reference: str) -> AppliedDefault:
    part = DefaultPart.AGREEMENT
    known = await tx.session.scalar(
        select(Agreement.reference)
        .where(
            Agreement.account_id == account.id,
            or_(Agreement.ended_at.is_(None), Agreement.ended_at > tx.at),
        )
        .order_by(Agreement.id)
        .limit(1)
    )
    if known is not None:
        return AppliedDefault(part, known, made=False)
    zone = ZoneInfo(account.time_zone)
    today = tx.at.astimezone(zone).date()
    signed = await agreements.sign(
        tx,
        account.id,
        reference=reference,
        title="Security services",
        signed_on=today,
        in_force_from=datetime.combine(today, time(), zone),
        terms=agreements.TermsDraft(agreements.seed_matrix(await _calendar(tx, account), {})),
    )
    return AppliedDefault(part, signed.reference, made=True)


async def _calendar(tx: Tx, account: Account) -> UUID:
    """Return the newest version of the calendar that the default promises count on."""
    known = await tx.session.scalar(
        select(CalendarVersion.id)
        .join(Calendar, Calendar.id == CalendarVersion.calendar_id)
        .where(Calendar.tenant_id == account.tenant_id, Calendar.name == CALENDAR)
        .order_by(CalendarVersion.number.desc())
        .limit(1)
    )
    if known is not None:
        return known
    spec = calendars.CalendarSpec(zone=account.time_zone, always_open=True)
    return (await calendars.define(tx, name=CALENDAR, spec=spec)).id


async def _policy(tx: Tx, account: Account) -> AppliedDefault:
    """Set the default policy, unless one of the account or of the company applies."""
    part, policy = DefaultPart.ESCALATION_POLICY, EscalationPolicy
    known = await tx.session.scalar(
        select(policy.name)
        .where(
            policy.tenant_id == account.tenant_id,
            policy.ended_at.is_(None),
            or_(policy.account_id == account.id, policy.account_id.is_(None)),
        )
        .order_by(policy.account_id.is_(None), policy.id.desc())
        .limit(1)
    )
    if known is not None:
        return AppliedDefault(part, known, made=False)
    made = await escalation.set_policy(
        tx, name=POLICY, steps=escalation.DEFAULT_STEPS, account_id=account.id
    )
    return AppliedDefault(part, made.name, made=True)


async def _touchpoints(tx: Tx, account: Account) -> AsyncIterator[AppliedDefault]:
    query = select(Touchpoint.kind).where(
        Touchpoint.account_id == account.id, Touchpoint.done_at.is_(None)
    )
    known = set(await tx.session.scalars(query))
    for row in await touchpoints.plan(tx.session, account, at=tx.at):
        yield AppliedDefault(DefaultPart.TOUCHPOINTS, row.kind, made=row.kind not in known)


async def _reports(tx: Tx, account: Account) -> AsyncIterator[AppliedDefault]:
    query = select(ReportPlan.cadence).where(ReportPlan.account_id == account.id)
    known = set(await tx.session.scalars(query))
    for cadence in reports.Cadence:
        if cadence not in known:
            await reports.set_plan(tx.session, tx.actor, account.id, cadence, at=tx.at)
        yield AppliedDefault(DefaultPart.REPORT_PLANS, cadence, made=cadence not in known)
