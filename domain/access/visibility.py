"""Which rows exist for whom, as the condition that a select carries. The table is in `rows` and `facts`."""

from typing import Any

from sqlalchemy import ColumnElement, false

from domain.access.actor import Actor
from domain.access.facts import visible_facts
from domain.access.rows import ROWS


def visible_to(actor: Actor, model: Any) -> ColumnElement[bool]:
    """Select the rows of a model that exist for an actor; none of a table that has no entry."""
    name = model.__tablename__
    if name == "ledger":
        return visible_facts(actor, model)
    rule = ROWS.get(name)
    return false() if rule is None else rule.condition(actor, model)


def workable_by(actor: Actor, model: Any) -> ColumnElement[bool]:
    """Select the rows of a model that an actor with the right to act on them may act on."""
    rule = ROWS.get(model.__tablename__)
    return false() if rule is None else rule.workable(actor, model)
