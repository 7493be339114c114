"""Waves: the rounds in which surveys ask, planned by the calendar or after an incident, and decided once each.

A wave is unique by survey, account and name, its decision is one transaction that locks it, and a contact has one row
in it: however often and wherever this runs, nobody is asked twice.
"""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from domain.access import Actor, Tx
from domain.accounts.model import Account, Stage
from domain.core.base import uuid7
from domain.core.deferral import Subject, is_deferred
from domain.core.sequencing import SequencedEvent
from domain.core.wakeups import DueColumn, WakeUp
from domain.crises import in_crisis
from domain.incidents.model import OPEN, Incident
from domain.surveys.events import SurveyAsked, SurveySkipped, SurveyWithdrawn
from domain.surveys.fatigue import AskDecision, SkipReason, SurveyPurpose, decide, panel
from domain.surveys.letters import ask_by_letter
from domain.surveys.model import QuestionnaireVersion, Survey, SurveyInvitation, SurveyWave
from domain.surveys.people import audience_of, candidates_of, is_open
from domain.surveys.programme import running
from domain.surveys.questionnaires import published
from domain.surveys.rules import MONTHS, Trigger, period_of

PART = "surveys"


async def plan_periods(session: AsyncSession, account: Account, *, at: datetime) -> int:
    """Plan the waves of the current month, quarter and year for an account; return how many are new."""
    tx = Tx(session, Actor.system(account.tenant_id, PART), at)
    planned = 0
    for trigger in MONTHS:
        for survey in await running(tx, trigger):
            name, due_at = period_of(trigger, at, account.time_zone)
            due_at = max(due_at, survey.created_at) + timedelta(seconds=survey.delay_s)
            planned += await _plan(session, survey, account.id, name, due_at)
    return planned


async def plan_after_incident(tx: Tx, fact: SequencedEvent) -> None:
    """Plan the waves that follow from a resolved incident; each survey asks about an incident once."""
    incident = await tx.session.get_one(Incident, fact.subject_id)
    for survey in await running(tx, Trigger.INCIDENT_RESOLVED):
        due_at = fact.at + timedelta(seconds=survey.delay_s)
        name = f"incident:{incident.id}"
        await _plan(tx.session, survey, incident.account_id, name, due_at, incident)


async def _plan(
    session: AsyncSession,
    survey: Survey,
    account_id: UUID,
    name: str,
    due_at: datetime,
    incident: Incident | None = None,
) -> int:
    added = await session.scalar(
        insert(SurveyWave)
        .values(
            id=uuid7(),
            tenant_id=survey.tenant_id,
            account_id=account_id,
            survey_id=survey.id,
            name=name,
            incident_id=None if incident is None else incident.id,
            site_id=None if incident is None else incident.site_id,
            due_at=due_at,
        )
        .on_conflict_do_nothing()
        .returning(SurveyWave.id)
    )
    return int(added is not None)


async def accounts_to_survey(
    session: AsyncSession, *, at: datetime, after: UUID | None, limit: int
) -> list[Subject]:
    """Select the next accounts to plan waves for, by id; prospects and deferred accounts are left out."""
    active = select(Survey.id).where(
        Survey.tenant_id == Account.tenant_id, Survey.is_active, Survey.trigger.in_(MONTHS)
    )
    query = select(Account.tenant_id, Account.id).where(
        active.exists(),
        Account.stage != Stage.PROSPECT,
        ~is_deferred(PART, Account.id, at=at),
    )
    page = query.order_by(Account.id).limit(limit)
    found = await session.execute(page if after is None else page.where(Account.id > after))
    return [Subject(*row) for row in found]


WAVES_DUE: tuple[WakeUp, ...] = (
    DueColumn(
        SurveyWave.due_at, SurveyWave.decided_at.is_(None), ~is_deferred(PART, SurveyWave.id)
    ),
)


async def due_waves(session: AsyncSession, *, at: datetime, limit: int) -> list[Subject]:
    """Select the waves that are due and not decided, relationship surveys first, then the longest due.

    Those of a client in a crisis wait until it is over.
    """
    found = await session.execute(
        select(SurveyWave.tenant_id, SurveyWave.id)
        .join(Survey, Survey.id == SurveyWave.survey_id)
        .where(
            SurveyWave.decided_at.is_(None),
            SurveyWave.due_at <= at,
            ~in_crisis(SurveyWave.account_id),
            ~is_deferred(PART, SurveyWave.id, at=at),
        )
        .order_by(Survey.trigger == Trigger.INCIDENT_RESOLVED, SurveyWave.due_at, SurveyWave.id)
        .limit(limit)
    )
    return [Subject(*row) for row in found]


async def decide_wave(session: AsyncSession, wave_id: UUID, *, at: datetime) -> int:
    """Decide who is asked in a wave, write the letters, record who was skipped and why; return how many are asked.

    A wave that another worker has is left to it. A survey that was stopped asks nobody, nor does one about an incident
    that is open again: it is planned anew when the incident is resolved.
    """
    wave = await session.scalar(
        select(SurveyWave)
        .where(SurveyWave.id == wave_id, SurveyWave.decided_at.is_(None))
        .with_for_update(skip_locked=True)
    )
    if wave is None:
        return 0
    tx = Tx(session, Actor.system(wave.tenant_id, PART), at)
    survey = await session.get_one(Survey, wave.survey_id)
    version = await published(tx, survey.questionnaire_id)
    if wave.incident_id is not None:
        incident = await session.get_one(Incident, wave.incident_id)
        if incident.status in OPEN:
            await session.delete(wave)
            return 0
    wave.decided_at = at
    if not survey.is_active or version is None:
        return 0
    contacts = await audience_of(session, survey, wave.account_id)
    candidates = await candidates_of(session, wave.tenant_id, contacts, at)
    most = 1 if wave.incident_id is not None else panel(len(contacts), survey.one_in)
    made = decide(candidates, survey.purpose, wave=wave.name, at=at, most=most)
    persons = {each.contact_id: each.person for each in candidates}
    asked = sum(each.is_asked for each in made)
    wave.contacts, wave.asked = len(made), asked
    weight = len(made) / asked if asked else 1.0
    for decision in made:
        row = _row(wave, survey, version, decision, persons[decision.contact_id], weight, at)
        session.add(row)
        await session.flush()
        if decision.is_asked:
            await _ask(tx, survey, version, wave, row)
        if row.skipped is not None:
            _record_skip(tx, wave, row, row.skipped)
    return wave.asked


async def _ask(
    tx: Tx,
    survey: Survey,
    version: QuestionnaireVersion,
    wave: SurveyWave,
    row: SurveyInvitation,
) -> None:
    if survey.purpose is SurveyPurpose.RELATIONSHIP:
        await _withdraw_others(tx, row)
    if not await ask_by_letter(tx, row, version, is_anonymous=survey.is_anonymous):
        row.skipped, row.closes_at = SkipReason.UNREACHABLE, None
        wave.asked -= 1
        return
    tx.record(
        SurveyAsked(
            account_id=row.account_id,
            subject_id=row.id,
            at=tx.at,
            survey_id=row.survey_id,
            contact_id=row.contact_id,
            wave=wave.name,
            closes_at=row.closes_at or tx.at,
        )
    )


async def _withdraw_others(tx: Tx, row: SurveyInvitation) -> None:
    """Close the open transactional invitations of a person who is asked about the relationship."""
    others = await tx.session.scalars(
        select(SurveyInvitation)
        .where(
            SurveyInvitation.tenant_id == row.tenant_id,
            SurveyInvitation.person == row.person,
            SurveyInvitation.id != row.id,
            is_open(tx.at),
        )
        .with_for_update()
    )
    for other in others:
        other.closes_at = tx.at
        tx.record(
            SurveyWithdrawn(
                account_id=other.account_id,
                subject_id=other.id,
                at=tx.at,
                contact_id=other.contact_id,
            )
        )


def _record_skip(tx: Tx, wave: SurveyWave, row: SurveyInvitation, reason: SkipReason) -> None:
    tx.record(
        SurveySkipped(
            account_id=row.account_id,
            subject_id=row.id,
            at=tx.at,
            survey_id=row.survey_id,
            contact_id=row.contact_id,
            wave=wave.name,
            reason=reason,
        )
    )


def _row(
    wave: SurveyWave,
    survey: Survey,
    version: QuestionnaireVersion,
    decision: AskDecision,
    person: str | None,
    weight: float,
    at: datetime,
) -> SurveyInvitation:
    return SurveyInvitation(
        id=uuid7(),
        tenant_id=wave.tenant_id,
        account_id=wave.account_id,
        survey_id=survey.id,
        wave_id=wave.id,
        version_id=version.id,
        contact_id=decision.contact_id,
        person=person,
        purpose=survey.purpose,
        decided_at=at,
        skipped=decision.reason,
        closes_at=at + timedelta(days=survey.open_days) if decision.is_asked else None,
        weight=weight if decision.is_asked else 1.0,
    )
