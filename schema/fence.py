"""What an actor can see: the account fence of every select, plus what is not meant for clients' eyes."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, false, or_, select

from domain.accounts import ApiKey, Tenant, User, manageable_keys, visible_users
from domain.actor import Actor, Right
from domain.agreements import PromiseTerm
from domain.calendars import Calendar, CalendarVersion
from domain.compensation import CompensationPolicy, Credit, CreditState
from domain.credentials import Device
from domain.escalation import Escalation, EscalationPolicy, EscalationStep
from domain.incidents import IncidentUpdate
from domain.ledger import Entry
from domain.messages import Message
from domain.outbox import Outbox
from domain.positions import Kind, Presence
from domain.simulation import Simulation
from domain.sla import Promise
from domain.touchpoints import Touchpoint
from domain.webhooks import Webhook, WebhookAttempt, WebhookDelivery
from domain.webhooks import seen_by as webhook_seen_by
from realtime.topics import seen_by

Rule = Callable[[Actor], ColumnElement[bool]]


def seen(actor: Actor, model: type[Any]) -> ColumnElement[bool]:
    """The condition under which rows of `model` exist for this actor."""
    special: Rule | None = _SPECIAL.get(model)
    if special is not None:
        return special(actor)
    own: ColumnElement[bool] = actor.fence(model)
    if actor.is_client and model in _FOR_CLIENTS:
        return and_(own, _FOR_CLIENTS[model])
    return own


def _tenant(actor: Actor) -> ColumnElement[bool]:
    return Tenant.id == actor.tenant_id


def _device(actor: Actor) -> ColumnElement[bool]:
    """What guards carry is seen by those who see the guards, and by no client."""
    if actor.is_client:
        return false()
    return and_(
        Device.tenant_id == actor.tenant_id,
        Device.user_id.in_(select(User.id).where(visible_users(actor))),
    )


def _simulation(actor: Actor) -> ColumnElement[bool]:
    """What proposed terms might cost is the company's own affair."""
    return false() if actor.is_client else actor.fence(Simulation)


def _touchpoint(actor: Actor) -> ColumnElement[bool]:
    """How we plan to look after a client is the company's own affair."""
    return false() if actor.is_client else actor.fence(Touchpoint)


def _outbox(actor: Actor) -> ColumnElement[bool]:
    """What the software has still to do is for those who keep it running."""
    if actor.accounts is not None or not actor.may(Right.OPERATE):
        return false()
    return Outbox.tenant_id == actor.tenant_id


def _calendar_version(actor: Actor) -> ColumnElement[bool]:
    """Those who reach some accounts only see the calendars of those accounts' terms."""
    own = CalendarVersion.tenant_id == actor.tenant_id
    if actor.accounts is None:
        return own
    used = exists().where(
        PromiseTerm.calendar_version_id == CalendarVersion.id, seen(actor, PromiseTerm)
    )
    return and_(own, used)


def _calendar(actor: Actor) -> ColumnElement[bool]:
    own = Calendar.tenant_id == actor.tenant_id
    if actor.accounts is None:
        return own
    used = exists().where(
        CalendarVersion.calendar_id == Calendar.id,
        PromiseTerm.calendar_version_id == CalendarVersion.id,
        seen(actor, PromiseTerm),
    )
    return and_(own, used)


def _of_staff(model: type[Any]) -> Rule:
    """Who is told of what is the company's own affair."""
    return lambda actor: false() if actor.is_client else actor.fence(model)


def _escalation_policy(actor: Actor) -> ColumnElement[bool]:
    """The policies of the clients in reach, and those for all."""
    if actor.is_client:
        return false()
    general = and_(
        EscalationPolicy.tenant_id == actor.tenant_id, EscalationPolicy.account_id.is_(None)
    )
    return or_(actor.fence(EscalationPolicy), general)


def _delivery(actor: Actor) -> ColumnElement[bool]:
    """Those of the webhooks one sees."""
    mine = select(Webhook.id).where(webhook_seen_by(actor))
    return and_(WebhookDelivery.tenant_id == actor.tenant_id, WebhookDelivery.webhook_id.in_(mine))


def _attempt(actor: Actor) -> ColumnElement[bool]:
    mine = select(WebhookDelivery.id).where(_delivery(actor))
    return and_(WebhookAttempt.tenant_id == actor.tenant_id, WebhookAttempt.delivery_id.in_(mine))


def _policy(actor: Actor) -> ColumnElement[bool]:
    """What the company lets pass unseen is its own affair."""
    if actor.is_client or actor.accounts is not None:
        return false()
    return CompensationPolicy.tenant_id == actor.tenant_id


_SPECIAL: dict[type[Any], Rule] = {
    CompensationPolicy: _policy,
    Tenant: _tenant,
    User: visible_users,
    ApiKey: manageable_keys,
    Device: _device,
    Simulation: _simulation,
    Touchpoint: _touchpoint,
    Calendar: _calendar,
    CalendarVersion: _calendar_version,
    Entry: seen_by,
    Escalation: _of_staff(Escalation),
    EscalationStep: _of_staff(EscalationStep),
    EscalationPolicy: _escalation_policy,
    Webhook: webhook_seen_by,
    WebhookDelivery: _delivery,
    WebhookAttempt: _attempt,
    Outbox: _outbox,
}
_FOR_CLIENTS: dict[type[Any], ColumnElement[bool]] = {
    Credit: Credit.state == CreditState.GRANTED,
    Presence: Presence.kind.in_((Kind.STAY, Kind.ABSENCE)),
    Promise: Promise.internal.is_(False),
    PromiseTerm: PromiseTerm.internal.is_(False),
    IncidentUpdate: IncidentUpdate.client_visible.is_(True),
    Message: Message.user_id.is_(None),
}
