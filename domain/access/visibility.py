"""Row visibility as the condition that a select carries. The table is in `rows` and `facts`."""

from typing import Any, Protocol
from uuid import UUID

from sqlalchemy import ColumnElement, false

from domain.access.actor import Actor
from domain.access.facts import visible_facts
from domain.access.rights import Right
from domain.access.rows import ROWS


def visible_to(actor: Actor, model: Any) -> ColumnElement[bool]:
    """Select the rows of a model that are visible to an actor; none of a table that has no entry."""
    name = model.__tablename__
    if name == "ledger":
        return visible_facts(actor, model)
    rule = ROWS.get(name)
    return false() if rule is None else rule.condition(actor, model)


def workable_by(actor: Actor, model: Any) -> ColumnElement[bool]:
    """Select the rows of a model that an actor with the right to act on them may act on."""
    rule = ROWS.get(model.__tablename__)
    return false() if rule is None else rule.workable(actor, model)


class VisiblePosition(Protocol):
    """The attributes of a live position that its visibility depends on."""

    @property
    def tenant_id(self) -> UUID:
        """The security company."""

    @property
    def account_id(self) -> UUID:
        """The account of the duty."""

    @property
    def site_id(self) -> UUID | None:
        """The site whose geofence the guard is inside."""

    @property
    def over(self) -> bool:
        """Whether the duty has ended."""


def is_position_visible(actor: Actor, position: VisiblePosition) -> bool:
    """Check in memory what the entry `whereabouts` selects in SQL; positions of the own duties have no live feed."""
    return (
        actor.may(Right.LOCATE)
        and actor.may(Right.READ_ALL_WORK)
        and position.tenant_id == actor.tenant_id
        and actor.can_access(position.account_id)
        and not position.over
        and (actor.may(Right.TRACK) or position.site_id is not None)
    )
