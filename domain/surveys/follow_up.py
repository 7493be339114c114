"""Follow up low answers: a recovery case with an owner, whose client is listened to within 48 hours."""

from uuid import UUID

from sqlalchemy import exists, or_, select

from domain import recovery
from domain.access import Role, Tx
from domain.accounts.model import Contact, Reach, User
from domain.core.errors import naming_only
from domain.surveys.model import QuestionnaireVersion, SurveyAnswer, SurveyResponse
from domain.surveys.questions import GivenAnswer
from domain.surveys.rules import low_questions

SUMMARY = "A survey answer asks for a follow-up"


async def follow_up_low_answers(tx: Tx, response_id: UUID) -> UUID | None:
    """Open a case for a response with a low answer, once; return its id. Never for an anonymous one."""
    response = await tx.session.get(SurveyResponse, response_id)
    if response is None or response.is_anonymous or not await _is_low(tx, response):
        return None
    owner_id = await _owner(tx, response)
    if owner_id is None:
        return None
    with naming_only():
        case = await recovery.open_for_response(
            tx, response.account_id, response.id, summary=SUMMARY, owner_id=owner_id
        )
    return None if case is None else case.id


async def _is_low(tx: Tx, response: SurveyResponse) -> bool:
    version = await tx.session.get_one(QuestionnaireVersion, response.version_id)
    rows = await tx.session.execute(
        select(SurveyAnswer.question, SurveyAnswer.number).where(
            SurveyAnswer.response_id == response.id, SurveyAnswer.number.is_not(None)
        )
    )
    given = {question: GivenAnswer(number=number) for question, number in rows}
    return bool(low_questions(version.questions, given))


async def _owner(tx: Tx, response: SurveyResponse) -> UUID | None:
    """Return who looks after the contact, else a relationship manager of the account, else somebody of management."""
    own = select(Contact.internal_owner_id).where(Contact.id == response.contact_id)
    reach = select(Reach.user_id).where(Reach.user_id == User.id)
    reaches = or_(~exists(reach), exists(reach.where(Reach.account_id == response.account_id)))
    roles = [Role.RELATIONSHIP_MANAGER, Role.MANAGEMENT]
    found: UUID | None = await tx.session.scalar(
        select(User.id)
        .where(
            User.tenant_id == tx.actor.tenant_id,
            User.disabled_at.is_(None),
            or_(User.id.in_(own), User.role.in_(roles)),
            reaches,
        )
        .order_by(User.id.in_(own).desc(), User.role == Role.MANAGEMENT, User.id)
        .limit(1)
    )
    return found
