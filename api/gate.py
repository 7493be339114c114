"""The gate: what is asked, and whether this actor may ask it now. HTTP and sockets go through it alike."""

import math
import re

from graphql import GraphQLError

from api.budget import Budget
from api.documents import LONGEST, Invalid, Operation
from api.engine import Ask, Engine
from api.persisted import Persisted
from domain.access import Actor

COST_PER_WORD = 2
_WORD = re.compile(r"\w+")


class TooMuch(Invalid):
    """The actor's budget is spent; `retry_after_s` says when it is enough again."""

    def __init__(self, wait_s: float) -> None:
        self.retry_after_s = math.ceil(wait_s)
        message = f"Your budget is spent; ask again in {self.retry_after_s} s."
        extensions = {"code": "RATE_LIMITED", "retryAfterMs": math.ceil(wait_s * 1000)}
        super().__init__(GraphQLError(message, extensions=extensions))


class Gate:
    """Everything that is decided before a resolver runs."""

    def __init__(self, engine: Engine, persisted: Persisted, budget: Budget) -> None:
        self._engine = engine
        self._persisted = persisted
        self._budget = budget

    async def look(self, ask: Ask, actor: Actor | None = None) -> Operation:
        """The operation that is asked for, found, parsed, weighed and validated. Raises `Invalid`.

        A document that this process has not validated before costs the actor a charge by its words: parsing and
        validating it takes more time than most answers, also when it is refused.
        """
        await self._persisted.find(ask)
        if actor is not None and not self._engine.documents.knows(ask.query):
            words = sum(1 for _ in _WORD.finditer(ask.query, 0, LONGEST))
            await self.spend(actor, COST_PER_WORD * words)
        return self._engine.operation(ask)

    async def admit(self, ask: Ask, operation: Operation, actor: Actor) -> None:
        """Let the actor ask it, at its cost. Raises `Invalid`; `TooMuch` when the budget is spent."""
        self._persisted.check(ask, actor)
        wait_s = await self._budget.wait_s(actor.subject, operation.weight.cost)
        if wait_s > 0:
            raise TooMuch(wait_s)
        await self._persisted.remember(ask)

    async def spend(self, actor: Actor, cost: int) -> None:
        """Let the actor have something that is no operation, at its cost. Raises `TooMuch`."""
        wait_s = await self._budget.wait_s(actor.subject, cost)
        if wait_s > 0:
            raise TooMuch(wait_s)
