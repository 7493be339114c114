"""Admission of operations: find and check the document, and charge its cost. Used by HTTP and sockets alike."""

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
"""More for each word of a document that was parsed and then refused: that takes 0.1 ms a word, each time anew."""
EXAMINED_AT_ONCE = 2
_WORD = re.compile(r"\w+")


class TooMuch(Invalid):
    """The budget of the actor is spent; it suffices again after `retry_after_s`."""

    def __init__(self, wait_s: float) -> None:
        self.retry_after_s = math.ceil(wait_s)
        message = f"Your budget is spent; ask again in {self.retry_after_s} s."
        extensions = {"code": "RATE_LIMITED", "retryAfterMs": math.ceil(wait_s * 1000)}
        super().__init__(GraphQLError(message, extensions=extensions))


class Admission:
    """Decide everything that must be decided before a resolver runs."""

    def __init__(self, engine: GraphQLExecutor, persisted: Persisted, budget: Budget) -> None:
        self._documents = engine.documents
        self._persisted = persisted
        self._budget = budget
        self._examinations = FairQueue(EXAMINED_AT_ONCE, per_actor=1)

    async def look(self, ask: GraphQLRequest, actor: Actor | None = None) -> Operation:
        """Return the requested operation, parsed, validated and with its cost. Raises `Invalid`.

        A document that this process has not validated before costs the actor a charge by its words: parsing and
        validating it takes more time than most answers. It costs more when it is refused.
        """
        if not _is_plain(ask):
            await self._persisted.find(ask)
        if not self._documents.knows(ask.query):
            await self._examine(ask, actor)
        return self._documents.operation(ask.query, ask.operation_name, ask.variables or {})

    async def _examine(self, ask: GraphQLRequest, actor: Actor | None) -> None:
        """Parse and validate a document in a thread: a long one takes 150 ms, and others are answered meanwhile."""
        documents, words = self._documents, _words(ask.query)
        if actor is not None:
            await self.spend(actor, COST_PER_WORD * words)
        if (refused := documents.refused(ask.query)) is not None:
            raise refused
        async with self._examinations.turn(actor):
            if documents.knows(ask.query):  # another request validated it meanwhile
                return
            try:
                valid = await asyncio.to_thread(documents.validated, ask.query, ask.variables or {})
            except Invalid as invalid:
                documents.refuse(ask.query, invalid)
                if actor is not None:
                    await self._budget.charge(actor.subject, COST_PER_REFUSED_WORD * words)
                raise
        documents.take(ask.query, valid)

    async def admit(self, ask: GraphQLRequest, operation: Operation, actor: Actor) -> None:
        """Charge the operation's cost to the actor. Raises `Invalid`; `TooMuch` when the budget is spent."""
        if self._persisted.restricted:
            self._persisted.check(ask, actor)
        wait_s = await self._budget.wait_s(actor.subject, operation.weight.cost)
        if wait_s > 0:
            raise TooMuch(wait_s)
        if not _is_plain(ask):
            await self._persisted.remember(ask)

    async def spend(self, actor: Actor, cost: int) -> None:
        """Charge the cost of something that is no operation to the actor. Raises `TooMuch`."""
        wait_s = await self._budget.wait_s(actor.subject, cost)
        if wait_s > 0:
            raise TooMuch(wait_s)


def _is_plain(ask: GraphQLRequest) -> bool:
    """Whether a request carries its document and names none by a hash."""
    return bool(ask.query) and ask.document_id is None and not ask.extensions


def _words(text: str) -> int:
    return sum(1 for _ in _WORD.finditer(text, 0, LONGEST))
