"""The promise simulator on logs that nobody here made: terms fitted on the first half, judged by the second.

The fire service's log is four days long; credits are drawn by the week, so it has nothing to say here.
The figures are printed (`pytest -s`); what is asserted is that they are honest, not that they are good.
"""

import sys
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import func, select

from domain import archive, simulation
from domain.accounts import Account, Tenant
from domain.agreements import CreditDraft, Priority, PromiseDraft, Target, TermsDraft
from domain.core.db import Sessions
from domain.evaluator.kernels.batch import columns_of
from domain.incidents import Incident
from domain.promises.translation import to_us
from domain.simulation.rules import exposure, weekly

Imported = Callable[..., dict[str, Any]]
WEEK = timedelta(days=7)


async def fitted(make: Sessions, account: Account, middle: datetime, percent: int) -> TermsDraft:
    """The account's promises with targets that `percent` of what was stopped by the middle would have kept."""
    async with make() as session:
        log = await archive.load(session, account.id, at=middle)
    rows = columns_of(archive.judged(log, to_us(middle)))
    priority = log.sealed.code[log.first_event[rows.unit]] >> 4
    drafts = []
    for place, term in enumerate(log.terms):
        stopped = (rows.promise == place) & (rows.stopped_us >= 0) & (rows.elapsed_us > 0)
        targets = {}
        for rank, level in enumerate(Priority):
            took = np.sort(rows.elapsed_us[stopped & (priority == rank)])
            if took.size >= 30:
                nearest = (took.size * percent + 99) // 100 - 1
                targets[level] = Target(elapsed_s=int(took[nearest]) // 1_000_000)
        if targets and term.kind != "agreed_date":
            drafts.append(
                PromiseDraft(
                    term.name, term.kind, term.calendar_version_id, targets,
                    category=term.limits.category, objective_ppm=percent * 10_000, pausable=False,
                    credits={None: CreditDraft(fixed_cents=1_000)},
                )
            )  # fmt: skip
    return TermsDraft(tuple(drafts), period_fee_cents=1_000_000)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("file", "profile"),
    [
        ("boston311_2015_h1.parquet", "boston311"),
        ("uci_incident_events_open.parquet", "uci_servicenow"),
    ],
)
async def test_credits_of_the_second_half_against_the_interval_of_the_first(
    make: Sessions,
    log: Callable[[str], Path],
    imported: Imported,
    file: str,
    profile: str,
) -> None:
    tenant = f"simulated {profile}"
    imported(log(file), profile, tenant)
    async with make() as session:
        query = select(Account).join(Tenant, Tenant.id == Account.tenant_id)
        account = (await session.scalars(query.where(Tenant.name == tenant))).one()
        opened = func.min(Incident.opened_at), func.max(Incident.opened_at)
        first, last = (
            await session.execute(select(*opened).where(Incident.account_id == account.id))
        ).one()
    middle = first + (last - first) / 2
    weeks = (last - middle) // WEEK
    end = middle + weeks * WEEK

    terms = await fitted(make, account, middle, 90)
    async with make() as session:
        known = await simulation.outcomes_of(session, account, terms, None, middle)
        after = await simulation.outcomes_of(session, account, terms, None, end)
    history = weekly(known, account.time_zone, first, middle)
    stated = exposure(history, horizon=weeks, cap_cents=None, seed=1)
    second = [each for each in after if each.decided_at and middle <= each.decided_at < end]
    known = [each for each in known if each.decided_at]
    cost = sum(each.cents for each in second)
    kept = sum(each.kept for each in second) / len(second)

    inside = stated.p5 <= cost <= stated.p95
    sys.stdout.write(
        f"{profile}: {len(terms.promises)} promises fitted to 90 % on {first:%Y-%m-%d}..{middle:%Y-%m-%d} "
        f"({len(known):,} decided, {sum(each.kept for each in known) / len(known):.1%} kept, "
        f"{history.size} whole weeks); next {weeks} weeks: stated {stated.p5 / 100:,.0f}.."
        f"{stated.p95 / 100:,.0f} EUR (median {stated.p50 / 100:,.0f}), realised {cost / 100:,.0f} "
        f"({len(second):,} decided, {kept:.1%} kept): {'inside' if inside else 'OUTSIDE'}\n"
    )
    assert known
    assert stated.p5 <= stated.p50 <= stated.p95
    before = {(each.incident.id, each.promise): each for each in known if not each.kept}
    again = {(each.incident.id, each.promise): each for each in after}
    assert not any(again[key].kept for key in before)  # once late, always late
