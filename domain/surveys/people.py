"""The people of a wave: contacts of its audience with their consent and past invitations, one person at a time."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime
from hashlib import sha256
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.accounts.model import Contact
from domain.core.mailboxes import mailbox
from domain.messages.model import Unsubscription
from domain.surveys.fatigue import CAPS, PastInvitation, SurveyCandidate
from domain.surveys.letters import TOPIC
from domain.surveys.model import Survey, SurveyInvitation
from domain.surveys.rules import DECISION_MAKER, Audience

_LONGEST_MEMORY = max(CAPS.values())


async def audience_of(session: AsyncSession, survey: Survey, account_id: UUID) -> list[Contact]:
    """Return the contacts of an account that a survey is for."""
    query = select(Contact).where(
        Contact.account_id == account_id, Contact.merged_into_id.is_(None)
    )
    if survey.audience is Audience.DECISION_MAKERS:
        query = query.where(Contact.decision_power >= DECISION_MAKER)
    return list(await session.scalars(query.order_by(Contact.id)))


async def candidates_of(
    session: AsyncSession, tenant_id: UUID, contacts: Sequence[Contact], at: datetime
) -> list[SurveyCandidate]:
    """Return the contacts with their consent and past invitations, holding the turn of each person until commit."""
    persons = {each.id: person_of(tenant_id, each.email) for each in contacts}
    await _take_turns(session, {each for each in persons.values() if each is not None})
    away = set(
        await session.scalars(
            select(Unsubscription.contact_id).where(
                Unsubscription.contact_id.in_(persons), Unsubscription.topic == TOPIC
            )
        )
    )
    past: defaultdict[str, list[PastInvitation]] = defaultdict(list)
    rows = await session.execute(
        select(
            SurveyInvitation.person,
            SurveyInvitation.purpose,
            SurveyInvitation.decided_at,
            is_open(at),
        ).where(
            SurveyInvitation.tenant_id == tenant_id,
            SurveyInvitation.person.in_([each for each in persons.values() if each is not None]),
            SurveyInvitation.skipped.is_(None),
            SurveyInvitation.decided_at > at - 5 * _LONGEST_MEMORY,
        )
    )
    for whose, purpose, decided_at, unanswered in rows:
        if whose is not None:
            past[whose].append(PastInvitation(purpose, decided_at, bool(unanswered)))
    found = []
    for each in contacts:
        person = persons[each.id]
        consents = each.wants_service_messages and each.id not in away
        asked = past.get(person or "", [])
        found.append(SurveyCandidate(each.id, person, consents, asked))
    return found


def person_of(tenant_id: UUID, email: str | None) -> str | None:
    """Return the name of a person by mailbox, without showing the address; None without an address."""
    if not email:
        return None
    return sha256(f"{tenant_id} {mailbox(email)}".encode()).hexdigest()[:32]


async def _take_turns(session: AsyncSession, persons: Collection[str]) -> None:
    """Keep other waves from deciding about these people until this transaction ends, in one order for all."""
    for person in sorted(persons):
        turn = func.hashtextextended(f"survey {person}", 0)
        await session.execute(select(func.pg_advisory_xact_lock(turn)))


def is_open(at: datetime) -> ColumnElement[bool]:
    """Return the condition that an invitation can be answered and was not."""
    return and_(
        SurveyInvitation.skipped.is_(None),
        SurveyInvitation.is_answered.is_(False),
        SurveyInvitation.closes_at > at,
    )
