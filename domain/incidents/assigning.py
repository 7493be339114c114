"""Assign an incident to one of the company's users."""

from uuid import UUID

from sqlalchemy import exists, or_, select

from domain.access import CLIENTS, Role, Tx, visible_to
from domain.accounts.model import Reach, User
from domain.core.errors import Code, Refused
from domain.incidents import events
from domain.incidents.lifecycle import (
    assigned_to,
    evaluated,
    load_for_update,
    must_be_open,
    record_event,
)
from domain.incidents.model import Incident

_HANDLES_NOTHING = frozenset({*CLIENTS, Role.AUDITOR, Role.PARTNER, Role.SYSTEM})


async def assign(
    tx: Tx, incident_id: UUID, *, user_id: UUID | None, expected_version: int | None = None
) -> Incident:
    """Assign an incident to one of the company's users, or (None) to nobody.

    A change from one person to another counts like `reassign`; the client sees the change without a name.
    """
    incident = await load_for_update(tx, incident_id, expected_version)
    must_be_open(incident)
    before = incident.assignee_id
    if before == user_id:
        raise Refused(
            Code.ALREADY_DONE, "The incident is already assigned like this.", argument="userId"
        )
    user = None if user_id is None else await _colleague(tx, incident, user_id)
    holder = await assigned_to(tx.session, incident)
    incident.assignee_id = user_id
    record_event(tx, incident, events.Assigned, before=before, after=user_id)
    if before is not None and user is not None:
        incident.reassigned_count += 1
        record_event(tx, incident, events.Reassigned, before=holder, to=user.name)
    return await evaluated(tx, incident)


async def _colleague(tx: Tx, incident: Incident, user_id: UUID) -> User:
    """Find a user of the company who can sign in, has access to the account, and is visible to the actor."""
    reach = exists().where(Reach.user_id == User.id)
    user: User | None = await tx.session.scalar(
        select(User).where(
            User.id == user_id,
            User.disabled_at.is_(None),
            User.role.not_in(_HANDLES_NOTHING),
            visible_to(tx.actor, User),
            or_(~reach, reach.where(Reach.account_id == incident.account_id)),
        )
    )
    if user is None:
        raise Refused(
            Code.NOT_FOUND,
            "No such user of the company with access to this account.",
            argument="userId",
        )
    return user
