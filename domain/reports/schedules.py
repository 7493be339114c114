"""When reports are due: the parameters of an account, as they apply on the day of a report."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from uuid import UUID

from sqlalchemy import and_, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.access import Tx
from domain.accounts.model import Account
from domain.core.errors import naming_only
from domain.parameters import (
    ParameterDefinition,
    ParameterPlace,
    ParameterScope,
    ParameterUnit,
    ParameterValues,
    load_values,
    set_value,
)
from domain.reports.model import ReportPlan
from domain.reports.parameters import PARAMETERS, TIMES, WEEKLY_DAY
from domain.reports.periods import Cadence, Period, days_of, instant_of, period_from

AHEAD = timedelta(days=30)
"""How far ahead values are loaded: the next report of a plan is due within two weeks."""


@dataclass(frozen=True, slots=True)
class ReportSchedules:
    """The times at which reports of some accounts are due, as known at an instant."""

    values: ParameterValues
    at: datetime

    def of(self, account: Account, cadence: Cadence, first_on: date) -> tuple[time, int]:
        """Return local time and weekday of the report that begins on a day.

        The values of the beginning of the day on which it is due apply; of today, those of now.
        """
        after = first_on + timedelta(days=days_of(cadence))
        if cadence is Cadence.DAILY:
            return _time_of(self._number(TIMES[cadence], account, after)), 0
        weekday = self._number(WEEKLY_DAY, account, after)
        due_on = after + timedelta(days=weekday)
        return _time_of(self._number(TIMES[cadence], account, due_on)), weekday

    def _number(self, definition: ParameterDefinition, account: Account, day: date) -> int:
        scope = ParameterScope(account.tenant_id, account.id)
        begin = instant_of(day, time(), account.time_zone)
        return self.values.required(definition, scope, at=max(begin, self.at)).number


def _time_of(minutes: int) -> time:
    return time(*divmod(minutes, 60))


async def load_schedules(
    session: AsyncSession, accounts: Collection[Account], *, at: datetime
) -> ReportSchedules:
    """Load the times at which reports of these accounts are due."""
    scopes = [ParameterScope(each.tenant_id, each.id) for each in accounts]
    values = await load_values(session, scopes, PARAMETERS, until=at + AHEAD)
    return ReportSchedules(values, at)


def planned_period(plan: ReportPlan, account: Account) -> Period:
    """Return the period of a plan's next report by the schedule that the plan has."""
    return period_from(
        plan.cadence,
        plan.next_on,
        zone=account.time_zone,
        at=plan.local_time,
        weekday=plan.weekday,
    )


def schedule(plan: ReportPlan, account: Account, schedules: ReportSchedules) -> Period:
    """Give a plan the schedule of its next report, and return its period.

    A new time that is over already counts for the report after: otherwise the report would be late at once.
    """
    local_time, weekday = schedules.of(account, plan.cadence, plan.next_on)
    if plan.cadence is Cadence.DAILY:
        weekday = plan.weekday
    if (local_time, weekday) == (plan.local_time, plan.weekday):
        return planned_period(plan, account)
    found = period_from(
        plan.cadence, plan.next_on, zone=account.time_zone, at=local_time, weekday=weekday
    )
    if found.due_at < schedules.at:
        return planned_period(plan, account)
    plan.local_time, plan.weekday = local_time, weekday
    return found


async def schedule_again(
    session: AsyncSession, tenant_id: UUID, account_id: UUID | None, *, at: datetime
) -> int:
    """Give the plans of a company (or of one account) the schedules that apply now; return how many changed."""
    mine = ReportPlan.tenant_id == tenant_id
    if account_id is not None:
        mine = and_(mine, ReportPlan.account_id == account_id)
    query = select(ReportPlan).where(mine).order_by(ReportPlan.id)
    plans = (await session.scalars(query.with_for_update(key_share=True))).all()
    rows = await session.scalars(
        select(Account).where(Account.id.in_({plan.account_id for plan in plans}))
    )
    accounts = {row.id: row for row in rows}
    schedules = await load_schedules(session, accounts.values(), at=at)
    changed = 0
    for plan in plans:
        account = accounts[plan.account_id]
        before = planned_period(plan, account)
        found = schedule(plan, account, schedules)
        changed += found.due_at != before.due_at
        if found.due_at != before.due_at or found.made_at > at:  # else it is made, or tried again
            plan.look_at = found.made_at
    await session.flush()
    return changed


async def choose_times(
    tx: Tx, account_id: UUID, cadence: Cadence, local_time: time | None, weekday: int | None
) -> None:
    """Set what is given as parameters of the account."""
    chosen = []
    if local_time is not None:
        minutes = local_time.hour * 60 + local_time.minute
        chosen.append((TIMES[cadence], minutes, ParameterUnit.MINUTES_AFTER_MIDNIGHT))
    if weekday is not None and cadence is Cadence.WEEKLY:
        chosen.append((WEEKLY_DAY, weekday, ParameterUnit.COUNT))
    place = ParameterPlace(account_id=account_id)
    for definition, number, unit in chosen:
        with naming_only("accountId"):
            await set_value(tx, definition.name, numbers=(number,), unit=unit, place=place)
