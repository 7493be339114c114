"""Scopes of rows that do not carry the account they belong to."""

from typing import Any

from sqlalchemy import ColumnElement, Text, Uuid, and_, column, exists, false, or_, select, table

from domain.access.actor import Actor
from domain.access.rights import Right, Role
from domain.access.rule import in_company

_REACH = table("user_reach", column("user_id", Uuid), column("account_id", Uuid))
_USER = table("app_user", column("id", Uuid), column("tenant_id", Uuid), column("role", Text))
_TERM = table(
    "promise_term",
    *(column("calendar_version_id", Uuid), column("tenant_id", Uuid)),
    *(column("account_id", Uuid), column("internal")),
)
_VERSION = table("calendar_version", column("id", Uuid), column("calendar_id", Uuid))
_WEBHOOK = table(
    "webhook",
    *(column("id", Uuid), column("tenant_id", Uuid), column("account_id", Uuid)),
    column("owner", Text),
)
_DELIVERY = table(
    "webhook_delivery", column("id", Uuid), column("tenant_id", Uuid), column("webhook_id", Uuid)
)


def company_itself(actor: Actor, model: Any) -> ColumnElement[bool]:
    """Select the actor's company."""
    own: ColumnElement[bool] = model.id == actor.tenant_id
    return own


def accessible_users(actor: Actor, model: Any) -> ColumnElement[bool]:
    """Select users without access to anything beyond the actor's access."""
    own = in_company(actor, model)
    if actor.accounts is None:
        return own
    inside = select(_REACH.c.user_id).where(_REACH.c.account_id.in_(actor.accounts))
    outside = select(_REACH.c.user_id).where(_REACH.c.account_id.not_in(actor.accounts))
    return and_(own, model.id.in_(inside), model.id.not_in(outside))


def of_accessible_users(actor: Actor, model: Any) -> ColumnElement[bool]:
    """Select rows of such users."""
    own = in_company(actor, model)
    if actor.accounts is None:
        return own
    return and_(own, model.user_id.in_(select(_USER.c.id).where(accessible_users(actor, _USER.c))))


def managed_users(actor: Actor, model: Any) -> ColumnElement[bool]:
    """Select the users that an actor may manage.

    Managing is inviting, disabling, changing, erasing, exporting, ending sessions and revoking devices. The user's role
    must be one that the actor manages (`Actor.manages`), and the user's accounts must all be the actor's: an actor
    limited to some accounts manages nobody with access to another one, or to all.
    """
    roles = [role for role in Role if actor.manages(role)]
    return and_(accessible_users(actor, model), model.role.in_(roles)) if roles else false()


def of_managed_users(actor: Actor, model: Any) -> ColumnElement[bool]:
    """Select rows of such users."""
    managed = select(_USER.c.id).where(managed_users(actor, _USER.c))
    return and_(in_company(actor, model), model.user_id.in_(managed))


def accessible_keys(actor: Actor, model: Any) -> ColumnElement[bool]:
    """Select the keys of roles that the actor manages, without access beyond the actor's."""
    roles = [role for role in Role if actor.manages(role)]
    own = and_(in_company(actor, model), model.role.in_(roles))
    if actor.accounts is None:
        return own
    return and_(own, model.account_ids.contained_by(list(actor.accounts)))


def versions_in_use(actor: Actor, model: Any) -> ColumnElement[bool]:
    """Select the calendar versions that accessible terms use; all with access to every account."""
    own = in_company(actor, model)
    if actor.accounts is None:
        return own
    used = exists(
        select(_TERM.c.calendar_version_id)
        .where(_TERM.c.calendar_version_id == model.id, _terms(actor))
        .correlate_except(_TERM)
    )
    return and_(own, used)


def calendars_in_use(actor: Actor, model: Any) -> ColumnElement[bool]:
    """Select the calendars that accessible terms use; all with access to every account."""
    own = in_company(actor, model)
    if actor.accounts is None:
        return own
    used = exists(
        select(_VERSION.c.id)
        .where(
            _VERSION.c.calendar_id == model.id,
            _TERM.c.calendar_version_id == _VERSION.c.id,
            _terms(actor),
        )
        .correlate_except(_VERSION, _TERM)
    )
    return and_(own, used)


def _terms(actor: Actor) -> ColumnElement[bool]:
    seen = actor.scope_of(_TERM.c.tenant_id, _TERM.c.account_id)
    return seen if actor.may(Right.READ_INTERNAL) else and_(seen, _TERM.c.internal.is_(False))


def in_accounts_or_general(actor: Actor, model: Any) -> ColumnElement[bool]:
    """Select rows of the accessible accounts, and those that apply to all accounts."""
    return or_(actor.scope(model), and_(in_company(actor, model), model.account_id.is_(None)))


def webhooks_of(actor: Actor, model: Any) -> ColumnElement[bool]:
    """Select the actor's own webhooks; all accessible ones for actors who manage the company's users."""
    its = and_(in_company(actor, model), model.owner == actor.subject)
    if actor.is_client or not actor.may(Right.MANAGE_KEYS):
        return its
    if actor.accounts is None:
        return in_company(actor, model)
    near = model.account_id.in_(actor.accounts) if actor.accounts else false()
    return or_(its, and_(in_company(actor, model), near))


def deliveries_of(actor: Actor, model: Any) -> ColumnElement[bool]:
    """Select the deliveries of such webhooks."""
    mine = select(_WEBHOOK.c.id).where(webhooks_of(actor, _WEBHOOK.c))
    return and_(in_company(actor, model), model.webhook_id.in_(mine))


def attempts_of(actor: Actor, model: Any) -> ColumnElement[bool]:
    """Select the attempts at such deliveries."""
    mine = select(_DELIVERY.c.id).where(deliveries_of(actor, _DELIVERY.c))
    return and_(in_company(actor, model), model.delivery_id.in_(mine))
