"""Webhooks that speak GraphQL: a partner's document is checked when it is registered, and asked for each fact.

A document passes the same gate as a request. It is asked as its owner, behind both fences, by the worker: the answer to
a subscription is what that very fact would have brought over a socket.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any, cast
from uuid import UUID

import msgspec
from graphql import (
    ExecutionResult,
    FieldNode,
    GraphQLError,
    OperationDefinitionNode,
    OperationType,
    get_argument_values,
)
from graphql.execution import Executor, execute_subscription_event
from graphql.execution.values import VariableValues, get_variable_values
from graphql.pyutils import is_awaitable
from strawberry.utils.str_converters import to_camel_case

from api.execution.admission import Admission
from api.execution.document_cache import Invalid, Operation
from api.execution.executor import Answer, GraphQLExecutor, GraphQLRequest
from api.identity import tokens
from api.state import utc_now
from api.support.errors import error_payloads
from domain.access import Actor
from domain.access.rls import ScopedSessions
from domain.core import cursor
from domain.core.db import Sessions, connect, sessions
from domain.core.errors import Code, Refused
from domain.core.sequencing import SequencedEvent
from domain.core.settings import Settings
from domain.fact_ids import named_in
from domain.webhooks import EventFilter, PayloadDocument, SecretCipher, Webhook
from realtime.hub import Hub
from realtime.positions import LivePositions
from realtime.redis import connect as connect_redis
from schema.build import build
from schema.core import ids
from schema.core.context import Context
from schema.ledger import subject_id
from schema.subscriptions import Item

OF_THE_FACT = frozenset(
    {"kind", "at", "cursor", "accountId", "subjectId", "incidentId", "promiseId", "creditId"}
)
"""Variables that a query gets from the fact it is asked about."""
_BODY = {"incidentId": "Incident", "promiseId": "Promise", "creditId": "Credit"}


@dataclass(frozen=True, slots=True)
class WebhookDocumentValidator:
    """Looks at documents before they are registered: `schema.webhooks.WebhookDocumentCheck`."""

    engine: GraphQLExecutor
    gate: Admission
    vault: SecretCipher
    loopback: bool

    async def look(self, actor: Actor, payload: PayloadDocument) -> EventFilter:
        """Which facts a document is about. Refuses what the gate does, and what neither asks nor follows facts."""
        given = dict(payload.variables)
        ask = GraphQLRequest(payload.document, given, payload.operation_name)
        try:
            operation = await self.gate.look(ask, actor)
            await self.gate.admit(ask, operation, actor)
        except Invalid as invalid:
            raise Refused(Code.INVALID, str(invalid), argument="document") from None
        node = _node(operation)
        of_the_fact = OF_THE_FACT if operation.type is OperationType.QUERY else frozenset[str]()
        rest = [
            each
            for each in node.variable_definitions or ()
            if each.variable.name.value not in of_the_fact - given.keys()
        ]
        values = get_variable_values(self.engine.documents.schema, rest, given)
        if isinstance(values, list):
            raise Refused(Code.INVALID, values[0].message, argument="document")
        if operation.type is OperationType.QUERY:
            return EventFilter()
        if operation.type is OperationType.SUBSCRIPTION:
            return self._facts(node, values)
        raise Refused(Code.INVALID, "A webhook asks, it does nothing.", argument="document")

    def _facts(self, node: OperationDefinitionNode, values: VariableValues) -> EventFilter:
        """Return the facts that the arguments of a subscription select."""
        root = self.engine.documents.schema.subscription_type
        chosen = node.selection_set.selections[0]
        if not isinstance(chosen, FieldNode) or root is None:
            raise Refused(
                Code.INVALID,
                "Write the subscription's field outside a fragment.",
                argument="document",
            )
        name = chosen.name.value
        try:
            given = get_argument_values(root.fields[name], chosen, values)
        except GraphQLError as error:
            raise Refused(Code.INVALID, error.message, argument="document") from None
        given = {to_camel_case(key): value for key, value in given.items()}
        if name == "accountEvents":
            account = ids.wanted(given["accountId"], "Account", "accountId")
            return EventFilter(account, given.get("kinds"))
        if name == "breaches":
            facts = ["promise.breached", *(["promise.at_risk"] if given.get("atRisk") else [])]
            kinds = given.get("kinds")
            return EventFilter(
                _one(given.get("accountIds")), facts, None if kinds is None else [*map(str, kinds)]
            )
        raise Refused(
            Code.INVALID, "Facts are told by accountEvents and by breaches.", argument="document"
        )


class WebhookRenderer:
    """Says facts in GraphQL: `workers.webhooks.PayloadRenderer`."""

    def __init__(
        self,
        engine: GraphQLExecutor,
        requests: Sessions,
        secret: bytes,
        hub: Hub,
        live: LivePositions,
    ) -> None:
        self._engine = engine
        self._requests = requests
        self._secret = secret
        self._hub = hub
        self._live = live

    def cursor(self, fact: SequencedEvent) -> str:
        """Return the cursor of the fact."""
        return cursor.of_seq(self._secret, fact.tenant_id, fact.seq, fact.link)

    def ids(self, fact: SequencedEvent) -> dict[str, Any]:
        """Return the global ids of the fact's subject, its account and what its body names."""
        account = None if fact.account_id is None else ids.write("Account", fact.account_id)
        named = named_in(fact.kind, fact.body, ids.write)
        return {"subjectId": subject_id(fact), "accountId": account, "ids": named}

    async def say(self, webhook: Webhook, actor: Actor, fact: SequencedEvent) -> bytes:
        """The answer to the webhook's document about a fact, with what kind of fact it is beside it."""
        ask = GraphQLRequest(
            webhook.document or "", dict(webhook.variables or {}), webhook.operation_name
        )
        trace_id = fact.trace_id or ""
        actor = replace(actor, trace_id=fact.trace_id)
        ctx = Context(
            ScopedSessions(self._requests, actor),
            actor,
            utc_now,
            self._secret,
            self._hub,
            self._live,
        )
        try:
            operation = self._engine.documents.operation(
                ask.query, ask.operation_name, ask.variables or {}
            )
            if operation.type is OperationType.SUBSCRIPTION:
                answer = await self._event(operation, ask, ctx, fact, trace_id)
            else:
                ask.variables = self._variables(operation, fact) | (ask.variables or {})
                answer = (await self._engine.answer(operation, ask, ctx, trace_id)).answer
        except Invalid as invalid:  # the schema has changed since it was registered
            answer = {"errors": error_payloads(invalid.errors, trace_id)}
        about = {"type": fact.kind, "timestamp": fact.at, "cursor": self.cursor(fact)}
        return msgspec.json.encode({**answer, "extensions": {"webhook": about}})

    async def _event(
        self,
        operation: Operation,
        ask: GraphQLRequest,
        ctx: Context,
        fact: SequencedEvent,
        trace_id: str,
    ) -> Answer:
        executor = Executor.build(
            self._engine.documents.schema,
            operation.document,
            context_value=ctx,
            raw_variable_values=ask.variables,
            operation_name=operation.name,
        )
        if isinstance(executor, list):
            return {"errors": error_payloads(executor, trace_id)}
        event = Item(fact.tenant_id, fact.seq, fact=fact)
        result: Any = execute_subscription_event(executor.build_per_event_executor(event))
        if is_awaitable(result):
            result = await result
        await ctx.note_reads()
        done = cast("ExecutionResult", result)
        if done.errors:
            return {"data": done.data, "errors": error_payloads(done.errors, trace_id)}
        return {"data": done.data}

    def _variables(self, operation: Operation, fact: SequencedEvent) -> dict[str, Any]:
        """Return the values of the fact for the variables that the operation declares."""
        known: dict[str, Any] = {
            "kind": fact.kind,
            "at": fact.at.isoformat(),
            "cursor": self.cursor(fact),
            "accountId": fact.account_id and ids.write("Account", fact.account_id),
            "subjectId": subject_id(fact),
        }
        for name, type_name in _BODY.items():
            row_id = fact.body.get(f"{type_name.lower()}_id")
            if row_id is None and fact.kind.partition(".")[0] == type_name.lower():
                row_id = fact.subject_id
            known[name] = row_id and ids.write(type_name, UUID(str(row_id)))
        declared = {
            each.variable.name.value for each in _node(operation).variable_definitions or ()
        }
        return {name: value for name, value in known.items() if name in declared}


def _node(operation: Operation) -> OperationDefinitionNode:
    """The operation itself, out of its document."""
    found = [d for d in operation.document.definitions if isinstance(d, OperationDefinitionNode)]
    return next(n for n in found if (n.name.value if n.name else None) == operation.name)


def _one(account_ids: list[str] | None) -> UUID | None:
    if account_ids is None:
        return None
    if len(account_ids) != 1:
        raise Refused(
            Code.INVALID, "Name one client, or none to hear of all in reach.", argument="document"
        )
    return ids.wanted(account_ids[0], "Account", "accountIds")


@asynccontextmanager
async def teller(settings: Settings) -> AsyncIterator[WebhookRenderer]:
    """A worker's voice, on connections of its own: the login of requests, which sees one company at a time."""
    database = connect(settings.database_url, pool_size=4)
    redis = connect_redis(settings.redis_url)
    try:
        # Nobody listens here: hub and map are not entered, they only complete the surroundings.
        hub, live = (
            Hub(sessions(database), redis),
            LivePositions(sessions(database), redis, utc_now),
        )
        engine = GraphQLExecutor(build(suggestions=False), development=True)
        secret = tokens.load(settings).secret("cursor")
        yield WebhookRenderer(engine, sessions(database), secret, hub, live)
    finally:
        await redis.aclose()
        await database.dispose()
