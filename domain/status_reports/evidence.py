"""What a status follows from: promises, milestones, compliance, risks and health, as they are now."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import func, select

from domain import calendars
from domain.access import Tx
from domain.accounts.model import Account
from domain.agreements.model import Priority
from domain.calendars import CalendarSpec
from domain.commitments.model import Commitment, CommitmentKind
from domain.health.model import BANDS, AccountHealth, HealthBand
from domain.parameters import ParameterScope, definitions, load_values
from domain.promises import State, to_us
from domain.promises.model import Promise
from domain.raid.model import RaidEntry, RaidKind
from domain.status_reports.model import StatusRule
from domain.status_reports.rules import HIGH_RISK, VERY_LATE_DAYS, StatusReason, is_too_low

_FLOOR, _TARGET = "kpis.promises_kept_floor", "kpis.promises_kept_target"
_DAY_US = 8 * 3_600 * 1_000_000
_WEEK = (*(((9 * 60, 17 * 60),),) * 5, (), ())
"""Monday to Friday from 9 to 17: a working day has eight of these hours."""


async def reasons_of(
    tx: Tx, account: Account, *, from_at: datetime, until_at: datetime
) -> list[StatusReason]:
    """Return every rule that applies to an account, by rule and subject; compliance is that of the period."""
    found = [
        *await _promises(tx, account),
        *await _milestones(tx, account),
        *await _compliance(tx, account, from_at, until_at),
        *await _risks(tx, account),
        *await _health(tx, account),
    ]
    order = list(StatusRule)
    return sorted(found, key=lambda each: (order.index(each.rule), each.subject_id))


async def _promises(tx: Tx, account: Account) -> list[StatusReason]:
    """Return open breaches of critical promises, and promises at risk."""
    mine = (Promise.account_id == account.id, Promise.internal.is_(False))
    broken = await _all(
        tx,
        select(Promise.id).where(
            *mine,
            Promise.state == State.LATE,
            Promise.stopped_at.is_(None),
            Promise.priority == Priority.CRITICAL,
        ),
    )
    at_risk = await _all(tx, select(Promise.id).where(*mine, Promise.state == State.AT_RISK))
    return [
        *_about(StatusRule.CRITICAL_PROMISE_BROKEN, "Promise", broken),
        *_about(StatusRule.PROMISE_AT_RISK, "Promise", at_risk),
    ]


async def _milestones(tx: Tx, account: Account) -> list[StatusReason]:
    """Return milestones that are late and not reached, by how many working days they are late."""
    row = Commitment
    late = await tx.session.execute(
        select(row.id, row.due_at).where(
            row.account_id == account.id,
            row.kind == CommitmentKind.MILESTONE,
            row.done_at.is_(None),
            row.withdrawn_at.is_(None),
            row.due_at < tx.at,
        )
    )
    spec = CalendarSpec(zone=account.time_zone, hours=_WEEK)
    found = []
    for id, due_at in late:
        worked = calendars.worked_us(spec, to_us(due_at), to_us(tx.at))
        very = worked > VERY_LATE_DAYS * _DAY_US
        rule = StatusRule.MILESTONE_VERY_LATE if very else StatusRule.MILESTONE_LATE
        found.append(StatusReason(rule, "Commitment", id))
    return found


async def _compliance(
    tx: Tx, account: Account, from_at: datetime, until_at: datetime
) -> list[StatusReason]:
    """Return the account when fewer promises were kept than its floor, or than its target where it has no floor."""
    kept, decided = (
        await tx.session.execute(
            select(func.count().filter(Promise.state == State.KEPT), func.count()).where(
                Promise.account_id == account.id,
                Promise.internal.is_(False),
                Promise.state.in_((State.KEPT, State.LATE)),
                Promise.decided_at >= from_at,
                Promise.decided_at < until_at,
            )
        )
    ).one()
    limits = [definitions()[name] for name in (_FLOOR, _TARGET)]
    scope = ParameterScope(account.tenant_id, account.id)
    values = await load_values(tx.session, (scope,), limits, until=tx.at)
    found = [values.effective(each, scope, at=tx.at).quantity for each in limits]
    percent = next((each.number for each in found if each is not None), None)
    if percent is None or not is_too_low(kept, decided, percent):
        return []
    return [StatusReason(StatusRule.COMPLIANCE_TOO_LOW, "Account", account.id)]


async def _risks(tx: Tx, account: Account) -> list[StatusReason]:
    row = RaidEntry
    risks = await _all(
        tx,
        select(row.id).where(
            row.account_id == account.id,
            row.kind == RaidKind.RISK,
            row.closed_at.is_(None),
            row.impact * row.likelihood >= HIGH_RISK,
        ),
    )
    return _about(StatusRule.RISK_HIGH, "RaidEntry", risks)


async def _health(tx: Tx, account: Account) -> list[StatusReason]:
    health = await tx.session.scalar(
        select(AccountHealth).where(AccountHealth.account_id == account.id)
    )
    if health is None:
        return []
    rules = []
    band = None if health.band is None else BANDS[health.band - 1]
    if band is HealthBand.CRITICAL:
        rules.append(StatusRule.HEALTH_CRITICAL)
    if band is HealthBand.AT_RISK:
        rules.append(StatusRule.HEALTH_AT_RISK)
    if health.is_provisional:
        rules.append(StatusRule.HEALTH_PROVISIONAL)
    return [StatusReason(each, "Account", account.id) for each in rules]


async def _all(tx: Tx, query: Any) -> Sequence[Any]:
    return (await tx.session.scalars(query)).all()


def _about(rule: StatusRule, subject_type: str, ids: Iterable[Any]) -> list[StatusReason]:
    return [StatusReason(rule, subject_type, each) for each in ids]
