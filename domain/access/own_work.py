"""A guard's own work: the guard's duties, and the incidents, sites and accounts that these concern.

Tables are named here without their models, so that this package imports no capability.
"""

from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Select,
    Text,
    Uuid,
    and_,
    column,
    exists,
    false,
    func,
    or_,
    select,
    table,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from domain.access.actor import Actor

_DUTY = table(
    "duty",
    *(column("id", Uuid), column("user_id", Uuid), column("account_id", Uuid)),
    *(column("site_id", Uuid), column("from_at"), column("until_at"), column("ended_at")),
)
_SHIFT = table(
    "shift",
    *(column("id", Uuid), column("user_id", Uuid), column("account_id", Uuid)),
    *(column("site_id", Uuid), column("from_at"), column("until_at")),
    *(column("published_at"), column("cancelled_at")),
)
_FACT = table(
    "ledger",
    *(column("subject_id", Uuid), column("kind", Text), column("actor", Text)),
    column("body", JSONB),
)
_TEXT = table("disclosure", column("commitment", Text), column("words", Text))
_USER = table("app_user", column("id", Uuid), column("email", Text), column("name", Text))
_INCIDENT = table(
    "incident",
    *(column("id", Uuid), column("account_id", Uuid), column("site_id", Uuid)),
    column("assignee_id", Uuid),
)
_PROMISE = table("promise", column("term_id", Uuid), column("unit_id", Uuid), column("internal"))
_AROUND = text("interval '24 hours'")
"""How long before and after a duty the guard can see its site."""
_AHEAD = text("interval '14 days'")
"""How long before a published shift the guard can see its site."""


def user_is_self(actor: Actor, model: Any) -> ColumnElement[bool]:
    """Select rows that name the actor as their user."""
    return false() if actor.user_id is None else model.user_id == actor.user_id


def is_self(actor: Actor, model: Any) -> ColumnElement[bool]:
    """Select the actor's own row."""
    return false() if actor.user_id is None else model.id == actor.user_id


def duty_is_own(actor: Actor, model: Any) -> ColumnElement[bool]:
    """Select rows about the actor's duties."""
    found: ColumnElement[bool] = model.duty_id.in_(_duties(actor, _DUTY.c.id))
    return found


def account_of_duty(actor: Actor, model: Any) -> ColumnElement[bool]:
    """Select the accounts where the actor is on duty, was until a day ago or will be within a day, or has a shift."""
    duties = _duties(actor, _DUTY.c.account_id).where(_around())
    return or_(model.id.in_(duties), model.id.in_(_shifts(actor, _SHIFT.c.account_id)))


def site_of_duty(actor: Actor, model: Any) -> ColumnElement[bool]:
    """Select the sites of such duties and shifts; all of the account's when the duty names none."""
    return _is_near(actor, model, model.id)


def at_site_of_own_work(actor: Actor, model: Any) -> ColumnElement[bool]:
    """Select rows about the sites of such duties and shifts."""
    return _is_near(actor, model, model.site_id)


def incident_at_hand(actor: Actor, model: Any) -> ColumnElement[bool]:
    """Select incidents where the actor is on duty now, and those that the actor opened or was assigned."""
    there = or_(_DUTY.c.site_id.is_(None), _DUTY.c.site_id == model.site_id)
    now = and_(
        _DUTY.c.from_at <= func.now(), _DUTY.c.until_at > func.now(), _DUTY.c.ended_at.is_(None)
    )
    opened = exists(
        select(_FACT.c.subject_id)
        .where(
            _FACT.c.subject_id == model.id,
            _FACT.c.kind == "incident.opened",
            _FACT.c.actor == actor.subject,
        )
        .correlate_except(_FACT)
    )
    called = select(_USER.c.email).where(_USER.c.id == actor.user_id).correlate_except(_USER)
    named = select(_USER.c.name).where(_USER.c.id == actor.user_id).correlate_except(_USER)
    assigned = exists(
        select(_FACT.c.subject_id)
        .join_from(_FACT, _TEXT, _TEXT.c.commitment == _FACT.c.body["to"].astext)
        .where(
            _FACT.c.subject_id == model.id,
            _FACT.c.kind == "incident.reassigned",
            or_(_TEXT.c.words.in_(called), _TEXT.c.words.in_(named)),
        )
        .correlate_except(_FACT, _TEXT)
    )
    on_duty = exists(
        _duties(actor, _DUTY.c.id).where(now, _DUTY.c.account_id == model.account_id, there)
    )
    handled = false() if actor.user_id is None else model.assignee_id == actor.user_id
    return or_(on_duty, opened, assigned, handled)


def of_incident_at_hand(actor: Actor, model: Any) -> ColumnElement[bool]:
    """Select rows about such incidents."""
    found: ColumnElement[bool] = model.incident_id.in_(_incidents(actor))
    return found


def term_of_incident_at_hand(actor: Actor, model: Any) -> ColumnElement[bool]:
    """Select the terms of promises on such incidents."""
    found: ColumnElement[bool] = model.id.in_(_terms(actor))
    return found


def target_of_incident_at_hand(actor: Actor, model: Any) -> ColumnElement[bool]:
    """Select the targets of such terms."""
    found: ColumnElement[bool] = model.term_id.in_(_terms(actor))
    return found


def _duties(actor: Actor, what: Any) -> Select[Any]:
    nobody = UUID(int=0)
    mine = select(what).where(_DUTY.c.user_id == (actor.user_id or nobody))
    return mine.correlate_except(_DUTY)


def _is_near(actor: Actor, model: Any, site_id: Any) -> ColumnElement[bool]:
    there = or_(_DUTY.c.site_id.is_(None), _DUTY.c.site_id == site_id)
    duties = _duties(actor, _DUTY.c.id).where(
        _around(), _DUTY.c.account_id == model.account_id, there
    )
    return or_(exists(duties), site_id.in_(_shifts(actor, _SHIFT.c.site_id)))


def _shifts(actor: Actor, what: Any) -> Select[Any]:
    """Select the published shifts of a guard that ended within a day, or begin within two weeks."""
    mine = select(what).where(
        _SHIFT.c.user_id == (actor.user_id or UUID(int=0)),
        _SHIFT.c.published_at.is_not(None),
        _SHIFT.c.cancelled_at.is_(None),
        _SHIFT.c.until_at > func.now() - _AROUND,
        _SHIFT.c.from_at < func.now() + _AHEAD,
    )
    return mine.correlate_except(_SHIFT)


def _around() -> ColumnElement[bool]:
    return and_(
        func.coalesce(_DUTY.c.ended_at, _DUTY.c.until_at) > func.now() - _AROUND,
        _DUTY.c.from_at < func.now() + _AROUND,
    )


def _incidents(actor: Actor) -> Select[Any]:
    mine = select(_INCIDENT.c.id).where(incident_at_hand(actor, _INCIDENT.c))
    return mine.correlate_except(_INCIDENT)


def _terms(actor: Actor) -> Select[Any]:
    outside = and_(_PROMISE.c.unit_id.in_(_incidents(actor)), _PROMISE.c.internal.is_(False))
    return select(_PROMISE.c.term_id).where(outside).correlate_except(_PROMISE)
