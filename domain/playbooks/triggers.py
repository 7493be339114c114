"""Find the accounts for which a playbook is to be opened: by a fact, by a date that comes near, by a KPI."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from dateutil.relativedelta import relativedelta
from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain import kpis
from domain.access import Actor, Tx
from domain.accounts.model import Account
from domain.agreements.model import Agreement
from domain.core.deferral import Subject, is_deferred
from domain.core.ledger import LedgerRow
from domain.health import BANDS
from domain.kpis import KpiKey, KpiScope, KpiStatus
from domain.playbooks.actions import adopt_shipped, tasks_of
from domain.playbooks.model import Playbook, PlaybookDate, PlaybookRun, PlaybookTrigger
from domain.playbooks.opening import open_run
from domain.playbooks.rules import trigger_text
from domain.quality import Window

KINDS = ("health.band_changed", "warning.raised")
"""Kinds of facts that open playbooks."""
AGAIN = timedelta(hours=1)
"""How often accounts are searched for dates and KPIs."""
MOST_ACCOUNTS = 1_000


class TriggerHit(NamedTuple):
    """An account for which a trigger holds, and the name of this time."""

    account_id: UUID
    name: str


class TriggerFact(NamedTuple):
    """The part of a fact that decides about playbooks; `seq` is its place in the sequence of the ledger."""

    seq: int
    kind: str
    account_id: UUID
    body: dict[str, object]


async def open_for_fact(tx: Tx, fact: TriggerFact) -> PlaybookRun | None:
    """Open the playbook of a band or a warning; None where the company has none, or it is open already."""
    if fact.kind == "warning.raised":
        trigger = trigger_text(PlaybookTrigger.WARNING, str(fact.body["rule"]))
    else:
        after, before = fact.body["after"], fact.body["before"]
        if not isinstance(after, int) or (isinstance(before, int) and after > before):
            return None  # no score, or a better one: nothing that a playbook answers
        trigger = trigger_text(PlaybookTrigger.BAND, str(BANDS[after - 1]))
    await adopt_shipped(tx)
    playbook = await tx.session.scalar(
        select(Playbook).where(
            Playbook.tenant_id == tx.actor.tenant_id,
            Playbook.trigger == trigger,
            Playbook.retired_at.is_(None),
        )
    )
    if playbook is None:
        return None
    account = await tx.session.get_one(Account, fact.account_id)
    number = await tx.session.scalar(
        select(LedgerRow.id).where(
            LedgerRow.tenant_id == account.tenant_id,
            LedgerRow.account_id == account.id,
            LedgerRow.seq == fact.seq,
        )
    )
    return await open_run(
        tx, account, playbook, tasks_of(playbook), occurrence=f"fact:{number}", fact_id=number
    )


async def playbooks_due(session: AsyncSession, *, at: datetime, limit: int) -> list[Subject]:
    """Select the playbooks of dates and KPIs for which accounts are to be searched now."""
    row = Playbook
    found = await session.execute(
        select(row.tenant_id, row.id)
        .where(
            row.trigger_kind.in_((PlaybookTrigger.DATE, PlaybookTrigger.KPI)),
            row.retired_at.is_(None),
            or_(row.looked_at.is_(None), row.looked_at <= at - AGAIN),
            ~is_deferred("playbooks", row.id, at=at),
        )
        .order_by(row.looked_at.asc().nulls_first(), row.id)
        .limit(limit)
    )
    return [Subject(*each) for each in found]


async def open_due(session: AsyncSession, playbook_id: UUID, *, at: datetime) -> int:
    """Open a playbook for each account for which its date or KPI holds; return how many runs were opened."""
    playbook = await session.scalar(
        select(Playbook)
        .where(Playbook.id == playbook_id, Playbook.retired_at.is_(None))
        .with_for_update(skip_locked=True)
    )
    if playbook is None:
        return 0
    playbook.looked_at = at
    tx = Tx(session, Actor.system(playbook.tenant_id, "playbooks"), at)
    found = await _occurrences(tx, playbook)
    known = {
        (account_id, name)
        for account_id, name in await session.execute(
            select(PlaybookRun.account_id, PlaybookRun.occurrence).where(
                PlaybookRun.tenant_id == playbook.tenant_id,
                PlaybookRun.trigger == playbook.trigger,
            )
        )
    }
    opened = 0
    for each in found:
        if (each.account_id, each.name) in known:
            continue
        account = await session.get_one(Account, each.account_id)
        run = await open_run(tx, account, playbook, tasks_of(playbook), occurrence=each.name)
        opened += run is not None
    await session.flush()
    return opened


async def _occurrences(tx: Tx, playbook: Playbook) -> list[TriggerHit]:
    if playbook.trigger_kind is PlaybookTrigger.KPI:
        return await _missed(tx, KpiKey(playbook.trigger_value))
    if playbook.trigger_value == PlaybookDate.ANNIVERSARY:
        return await _anniversaries(tx, playbook.days_before)
    return await _term_dates(tx, PlaybookDate(playbook.trigger_value), playbook.days_before)


async def _term_dates(tx: Tx, wanted: PlaybookDate, days_before: int) -> list[TriggerHit]:
    """Return the agreements of which the last day for notice or the last day of all comes within so many days."""
    today, row = tx.at.date(), Agreement
    rows = await tx.session.scalars(
        select(row)
        .where(
            row.tenant_id == tx.actor.tenant_id,
            row.fixed_until.is_not(None),
            row.fixed_until >= today,
            row.ended_at.is_(None),
        )
        .order_by(row.id)
    )
    found = []
    for each in rows:
        on = each.notice_by if wanted is PlaybookDate.NOTICE_DATE else each.fixed_until
        if on is not None and on - timedelta(days=days_before) <= today <= on:
            found.append(TriggerHit(each.account_id, f"{each.id}:{on}"))
    return found


async def _anniversaries(tx: Tx, days_before: int) -> list[TriggerHit]:
    today = tx.at.date()
    rows = await tx.session.execute(
        select(Account.id, Account.client_since_on)
        .where(Account.tenant_id == tx.actor.tenant_id, Account.client_since_on.is_not(None))
        .order_by(Account.id)
    )
    return [
        TriggerHit(account_id, str(on))
        for account_id, since in rows
        if since is not None
        for on in _next_years(since, today)
        if on - timedelta(days=days_before) <= today
    ]


def _next_years(since: date, today: date) -> Iterator[date]:
    """Yield the next anniversary of a day, today included; none on the day itself."""
    years = max(1, today.year - since.year)
    on = since + relativedelta(years=years)
    yield on if on >= today else since + relativedelta(years=years + 1)


async def _missed(tx: Tx, key: KpiKey) -> list[TriggerHit]:
    """Return the accounts that missed the target of a KPI in the last 28 days, once a month."""
    rows = await tx.session.scalars(
        select(Account.id)
        .where(Account.tenant_id == tx.actor.tenant_id)
        .order_by(Account.id)
        .limit(MOST_ACCOUNTS)
    )
    found = []
    for account_id in list(rows):
        [value] = await kpis.measured(
            tx.session, tx.actor, KpiScope(account_id), Window.LAST_28D,
            at=tx.at, now=tx.at, keys=(key,),
        )  # fmt: skip
        if value.status is KpiStatus.MISSED:
            found.append(TriggerHit(account_id, f"{tx.at:%Y-%m}"))
    return found
