"""Admission of GraphQL requests, for HTTP and sockets: find, parse and validate the document, then check the budget."""

import asyncio
import math
import re

from graphql import GraphQLError

from api.execution.cost_budget import Budget
from api.execution.document_cache import LONGEST, Invalid, Operation
from api.execution.executor import GraphQLExecutor, GraphQLRequest
from api.execution.fair_queue import FairQueue
from api.execution.persisted import Persisted
from domain.access import Actor

COST_PER_WORD = 2
COST_PER_REFUSED_WORD = 8
"""Extra cost per word of a document that was parsed and refused: examining it takes 0.1 ms per word."""
EXAMINED_AT_ONCE = 2
_WORD = re.compile(r"\w+")


class TooMuch(Invalid):
    """Raised when the actor's budget is spent; it is sufficient again after `retry_after_s`."""

    def __init__(self, wait_s: float) -> None:
        self.retry_after_s = math.ceil(wait_s)
        message = f"Your budget is spent; try again in {self.retry_after_s} s."
        extensions = {"code": "RATE_LIMITED", "retryAfterMs": math.ceil(wait_s * 1000)}
        super().__init__(GraphQLError(message, extensions=extensions))


class Admission:
    """Checks that run before any resolver: document, cost, budget and trusted documents."""

    def __init__(self, engine: GraphQLExecutor, persisted: Persisted, budget: Budget) -> None:
        self._engine = engine
        self._persisted = persisted
        self._budget = budget
        self._examinations = FairQueue(EXAMINED_AT_ONCE, per_actor=1)

    async def look(self, request: GraphQLRequest, actor: Actor | None = None) -> Operation:
        """Find, parse, weigh and validate the requested operation. Raises `Invalid`.

        A document that is not in the cache is charged to the actor by its number of words, because parsing and
        validating it takes longer than most executions. A refused document is charged more.
        """
        await self._persisted.find(request)
        if not self._engine.documents.knows(request.query):
            await self._examine(request, actor)
        return self._engine.operation(request)

    async def _examine(self, request: GraphQLRequest, actor: Actor | None) -> None:
        """Parse and validate a document in a thread: a long one takes 150 ms and must not block the event loop."""
        documents, words = self._engine.documents, _words(request.query)
        if actor is not None:
            await self.spend(actor, COST_PER_WORD * words)
        if (refused := documents.refused(request.query)) is not None:
            raise refused
        async with self._examinations.turn(actor):
            if documents.knows(request.query):  # another request validated it in the meantime
                return
            try:
                valid = await asyncio.to_thread(
                    documents.validated, request.query, request.variables or {}
                )
            except Invalid as invalid:
                documents.refuse(request.query, invalid)
                if actor is not None:
                    await self._budget.charge(actor.subject, COST_PER_REFUSED_WORD * words)
                raise
        documents.take(request.query, valid)

    async def admit(self, request: GraphQLRequest, operation: Operation, actor: Actor) -> None:
        """Admit a validated operation and charge its cost. Raises `Invalid`, or `TooMuch` when the budget is spent."""
        self._persisted.check(request, actor)
        wait_s = await self._budget.wait_s(actor.subject, operation.weight.cost)
        if wait_s > 0:
            raise TooMuch(wait_s)
        await self._persisted.remember(request)

    async def spend(self, actor: Actor, cost: int) -> None:
        """Charge the cost of something other than an operation. Raises `TooMuch` when the budget is spent."""
        wait_s = await self._budget.wait_s(actor.subject, cost)
        if wait_s > 0:
            raise TooMuch(wait_s)


def _words(text: str) -> int:
    return sum(1 for _ in _WORD.finditer(text, 0, LONGEST))
