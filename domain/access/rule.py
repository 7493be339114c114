"""An entry of the table of rows, and the SQL condition that it produces."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, and_, false, or_

from domain.access.actor import Actor
from domain.access.rights import Right

Condition = Callable[[Any], ColumnElement[bool]]
"""A condition on the columns of a model."""
Scope = Callable[[Actor, Any], ColumnElement[bool]]
"""A condition on the columns of a model that depends on the actor."""


def in_accounts(actor: Actor, model: Any) -> ColumnElement[bool]:
    """Select rows of the accessible accounts."""
    return actor.scope(model)


def in_company(actor: Actor, model: Any) -> ColumnElement[bool]:
    """Select rows of the company, whatever accounts the actor can access."""
    own: ColumnElement[bool] = model.tenant_id == actor.tenant_id
    return own


def in_whole_company(actor: Actor, model: Any) -> ColumnElement[bool]:
    """Select rows of the company for actors with access to every account."""
    return in_company(actor, model) if actor.accounts is None else false()


def _nothing(_actor: Actor, _model: Any) -> ColumnElement[bool]:
    return false()


@dataclass(frozen=True, slots=True)
class Rows:
    """Who sees the rows of a table.

    `rights` are all needed. `scope` limits rows to what the actor can access. `unless` gives the rows that remain
    visible without a right. `own` gives the rows of one's own work, for actors without `READ_ALL_WORK`: none when it is
    missing. `always` gives the rows that are visible without any right.
    """

    rights: tuple[Right, ...]
    words: str = ""
    scope: Scope = in_accounts
    unless: Mapping[Right, Condition] = field(default_factory=dict)
    own: Scope | None = None
    always: Scope | None = None

    def workable(self, actor: Actor, model: Any) -> ColumnElement[bool]:
        """Select the rows within the actor's scope and own work, whatever rights reading them requires."""
        own = None if actor.may(Right.READ_ALL_WORK) else self.own or _nothing
        reach = self.scope(actor, model)
        return reach if own is None else and_(reach, own(actor, model))

    def condition(self, actor: Actor, model: Any) -> ColumnElement[bool]:
        """Select the rows that an actor sees."""
        seen = self._by_right(actor, model)
        if self.always is None:
            return seen
        return or_(seen, and_(in_company(actor, model), self.always(actor, model)))

    def _by_right(self, actor: Actor, model: Any) -> ColumnElement[bool]:
        if not all(actor.may(right) for right in self.rights):
            return false()
        conditions = [self.workable(actor, model)]
        conditions += [
            condition(model) for right, condition in self.unless.items() if not actor.may(right)
        ]
        return and_(*conditions)
