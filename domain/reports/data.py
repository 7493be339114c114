"""Read the data of a report, as of the time it is made."""

import asyncio
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import numpy as np
from sqlalchemy import case, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain import archive, calendars
from domain.accounts.model import Account
from domain.agreements import Term
from domain.agreements.model import Agreement, PromiseTerm, Terms
from domain.archive import uuid_of
from domain.compensation.model import Credit, CreditState
from domain.core.ledger import LedgerRow
from domain.evaluator.kernels.batch import columns_of
from domain.evaluator.kernels.codes import ClockState
from domain.incidents.model import OPEN, Incident, Source
from domain.promises import INCIDENT, announced_due, from_us, is_about, to_us
from domain.promises.model import Promise
from domain.reports import notice_ratio
from domain.reports.content import (
    TREND_DAYS,
    Content,
    Grant,
    IncidentDates,
    Note,
    Part,
    ReportedState,
)
from domain.reports.periods import Period
from domain.reports.statistics import content_of

NOTED = (
    *("incident.reopened", "incident.prioritised", "promise.revised", "budget.burning"),
    *("agreement.amended", "agreement.ended"),
)
"""Kinds of facts that get a line of their own."""
PLANNED = timedelta(days=30)
_LATE = (ClockState.LATE_OPEN, ClockState.LATE_CLOSED)
_OPEN = (ClockState.LATE_OPEN, ClockState.RUNNING, ClockState.PAUSED)


async def load_content(session: AsyncSession, account: Account, period: Period) -> Content:
    """Return the content of a report: verdicts from the ledger as of `period.made_at`, by the evaluator's kernel."""
    at = period.made_at
    since = period.until_at - timedelta(days=TREND_DAYS + 1)
    parts = await parts_of(session, account, since=since, at=at)
    changes = [
        *notice_ratio.breaches(parts, period.from_at, period.until_at),
        *await notice_ratio.amendments(session, account.id, period.from_at, period.until_at),
    ]
    notices = await notice_ratio.notices(session, account.id, changes, until=period.until_at)
    return content_of(
        period,
        zone=account.time_zone,
        currency=account.currency,
        parts=parts,
        incidents=await _incidents(session, account.id, since=since, at=at),
        grants=await _grants(session, account.id, since=since, at=at),
        notes=await _notes(session, account, period),
        planned=await _planned(session, account.id, at=at),
        proactive=notice_ratio.ratio_of(changes, notices),
    )


async def parts_of(
    session: AsyncSession, account: Account, *, since: datetime, at: datetime
) -> list[Part]:
    """Return the promises to the client that were decided since `since`, or are undecided, as of `at`.

    Evaluated from the ledger; internal objectives and promises about other units than incidents are left out.
    """
    log = await archive.load(session, account.id, at=at)
    specs = await calendars.specs(session, {term.calendar_version_id for term in log.terms})
    found = await asyncio.to_thread(lambda: list(_judged(log, to_us(since), to_us(at))))
    rows = await session.execute(
        select(Incident.id, Incident.site_id, Incident.priority).where(
            Incident.id == func.any(list({incident_id for incident_id, _, _ in found}))
        )
    )
    incidents = {row.id: row for row in rows}
    return [
        Part(
            incident_id=incident_id,
            site_id=incidents[incident_id].site_id,
            due_at=announced_due(
                term,
                specs[term.calendar_version_id],
                incidents[incident_id].priority,
                started_at=values["started_at"],
                due_at=breaches_at,
            ),
            **values,
        )
        for incident_id, (term, breaches_at), values in found
    ]


def _judged(
    log: archive.EventLog, since_us: int, at_us: int
) -> Iterator[tuple[UUID, tuple[Term, datetime | None], dict[str, Any]]]:
    """Yield incident, term and due time of each promise, with the kernel's result."""
    rows = columns_of(archive.judged(log, at_us))
    shown = np.array([not term.internal for term in log.terms], np.bool_)
    if not shown.size:
        return
    recent = (rows.decided_us >= since_us) | (rows.decided_us < 0) | (rows.stopped_us < 0)
    for row in np.flatnonzero(shown[rows.promise] & recent).tolist():
        term = log.terms[rows.promise[row]]
        state = ClockState(int(rows.state[row]))
        if state is ClockState.CANCELLED or not is_about(term.kind, INCIDENT):
            continue
        yield (
            uuid_of(log.incidents[rows.unit[row]]),
            (term, from_us(int(rows.breach_us[row]))),
            {
                "kind": term.kind,
                "stand": _state(state, int(rows.warn[row])),
                "is_open": state in _OPEN,
                "started_at": from_us(int(rows.started_us[row])),
                "decided_at": from_us(int(rows.decided_us[row])),
                "elapsed_us": int(rows.elapsed_us[row]),
                "target_us": int(rows.target_us[row]),
                "objective_ppm": term.objective_ppm,
            },
        )


def _state(state: ClockState, warned: int) -> ReportedState:
    if state is ClockState.KEPT:
        return ReportedState.KEPT
    if state in _LATE:
        return ReportedState.LATE
    return (
        ReportedState.AT_RISK if warned and state is ClockState.RUNNING else ReportedState.RUNNING
    )


async def _incidents(
    session: AsyncSession, account_id: UUID, *, since: datetime, at: datetime
) -> list[IncidentDates]:
    """Return incidents that were open at some time since `since`; those resolved after `at` are open at `at`."""
    row = Incident
    found = await session.execute(
        select(row.id, row.site_id, row.opened_at, row.resolved_at, row.source).where(
            row.account_id == account_id,
            row.opened_at <= at,
            or_(row.opened_at >= since, row.resolved_at >= since, row.status.in_(OPEN)),
        )
    )
    return [
        IncidentDates(
            incident_id,
            site_id,
            opened_at,
            None if resolved_at is None or resolved_at > at else resolved_at,
            source is not Source.CLIENT,
        )
        for incident_id, site_id, opened_at, resolved_at, source in found
    ]


async def _grants(
    session: AsyncSession, account_id: UUID, *, since: datetime, at: datetime
) -> list[Grant]:
    granted = case(
        (Credit.override_cents.is_not(None), Credit.override_cents), else_=Credit.amount_cents
    )
    found = await session.execute(
        select(
            Credit.incident_id,
            func.coalesce(Promise.kind, PromiseTerm.kind),
            granted,
            Credit.currency,
            Credit.decided_at,
        )
        .outerjoin(Promise, Promise.id == Credit.promise_id)
        .outerjoin(PromiseTerm, PromiseTerm.id == Credit.term_id)
        .where(
            Credit.account_id == account_id,
            Credit.state == CreditState.GRANTED,
            Credit.decided_at >= since,
            Credit.decided_at <= at,
        )
    )
    return [Grant(*row) for row in found]


async def _notes(session: AsyncSession, account: Account, period: Period) -> list[Note]:
    facts = await session.execute(
        select(LedgerRow.kind, LedgerRow.at, LedgerRow.subject_id, LedgerRow.body).where(
            LedgerRow.tenant_id == account.tenant_id,
            LedgerRow.account_id == account.id,
            LedgerRow.kind.in_(NOTED),
            LedgerRow.at >= period.from_at,
            LedgerRow.at < period.until_at,
        )
    )
    return [
        note
        for kind, at, subject_id, body in facts
        if not body.get("internal") and (note := _note(kind, at, subject_id, body)) is not None
    ]


def _note(kind: str, at: datetime, subject_id: UUID, body: dict[str, object]) -> Note | None:
    """Return the fact as a line with its numbers; None for a fact that is no news for a client."""
    if kind == "budget.burning":
        if body["state"] == "calm":
            return None
        return Note(kind, at, says={"left": body["misses_left"], "n": body["n_30d"]})
    if kind == "promise.revised":
        if "incident_id" not in body:
            return None  # a report names incidents only
        values = {"was": body["was"], "now": body["now"], "promise": body["promise_kind"]}
        return Note(kind, at, UUID(str(body["incident_id"])), values)
    if kind.startswith("incident."):
        return Note(kind, at, subject_id, {k: body[k] for k in ("priority",) if k in body})
    return Note(kind, at)


async def _planned(session: AsyncSession, account_id: UUID, *, at: datetime) -> list[Note]:
    """Return known future events: dates agreed for incidents, terms that take effect, agreements that end."""
    until = at + PLANNED
    agreed = await session.execute(
        select(Incident.id, Incident.agreed_at).where(
            Incident.account_id == account_id,
            Incident.agreed_at > at,
            Incident.agreed_at <= until,
            Incident.status.in_(OPEN),
        )
    )
    terms = await session.execute(
        select(Agreement.reference, Terms.in_force)
        .join(Agreement, Agreement.id == Terms.agreement_id)
        .where(Terms.account_id == account_id)
    )
    ended = await session.execute(
        select(Agreement.reference, Agreement.ended_at).where(
            Agreement.account_id == account_id, Agreement.ended_at > at, Agreement.ended_at <= until
        )
    )
    return [
        *(
            Note("incident.due_agreed", when, incident)
            for incident, when in agreed
            if when is not None
        ),
        *(
            Note("terms.in_force", in_force.lower, says={"reference": reference})
            for reference, in_force in terms
            if in_force.lower is not None and at < in_force.lower <= until
        ),
        *(
            Note("agreement.ended", when, says={"reference": reference})
            for reference, when in ended
            if when is not None
        ),
    ]
