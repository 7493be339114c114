"""Follow up low answers: a recovery case with an owner, whose client is listened to within 48 hours."""

from collections.abc import Mapping
from uuid import UUID

from sqlalchemy import exists, or_, select

from domain import recovery
from domain.access import Role, Tx
from domain.accounts.model import Contact, Reach, User
from domain.core.errors import naming_only
from domain.surveys.model import QuestionnaireVersion, SurveyResponse
from domain.surveys.questions import GivenAnswer
from domain.surveys.rules import low_questions

SUMMARY = "A survey answer asks for a follow-up"


async def follow_up_low_answers(
    tx: Tx,
    response: SurveyResponse,
    version: QuestionnaireVersion,
    given: Mapping[str, GivenAnswer],
) -> UUID | None:
    """Open a case for a response with a low answer, once; return its id. Never for an anonymous one."""
    if response.is_anonymous or not low_questions(version.questions, given):
        return None
    owner_id = await _owner(tx, response)
    if owner_id is None:
        return None
    with naming_only():
        case = await recovery.open_for_response(
            tx, response.account_id, response.id, summary=SUMMARY, owner_id=owner_id
        )
    return None if case is None else case.id


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
