"""GraphQL documents of webhooks: checked when a webhook is registered, and executed for each of its facts.

A document passes the same admission as a request. The worker executes it with the rights of the webhook's owner, under
both row scoping and row-level security. The result of a subscription is what a socket would have received for the fact.
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
from api.support.errors import formatted_errors
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
"""Variables that a query receives from the fact."""
_BODY = {"incidentId": "Incident", "promiseId": "Promise", "creditId": "Credit"}


@dataclass(frozen=True, slots=True)
class WebhookDocumentValidator:
    """Checks documents before they are registered; implements `schema.webhooks.WebhookDocumentCheck`."""

    engine: GraphQLExecutor
    gate: Admission
    vault: SecretCipher
    loopback: bool

    async def look(self, actor: Actor, payload: PayloadDocument) -> EventFilter:
        """Return which facts a document needs. Refuses invalid documents, mutations and unsupported subscriptions."""
        given = dict(payload.variables)
        request = GraphQLRequest(payload.document, given, payload.operation_name)
        try:
            operation = await self.gate.look(request, actor)
            await self.gate.admit(request, operation, actor)
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
        raise Refused(Code.INVALID, "A webhook cannot execute mutations.", argument="document")

    def _facts(self, node: OperationDefinitionNode, values: VariableValues) -> EventFilter:
        """Return the filter that the arguments of a subscription express."""
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
            Code.INVALID,
            "A webhook may subscribe to accountEvents or breaches.",
            argument="document",
        )


class WebhookRenderer:
    """Renders facts with GraphQL documents; implements `workers.webhooks.PayloadRenderer`."""

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
        """Return the cursor of a fact."""
        return cursor.of_seq(self._secret, fact.tenant_id, fact.seq, fact.link)

    def ids(self, fact: SequencedEvent) -> dict[str, Any]:
        """Return the global ids of a fact's subject, its account and the objects that its body names."""
        account = None if fact.account_id is None else ids.write("Account", fact.account_id)
        named = named_in(fact.kind, fact.body, ids.write)
        return {"subject": subject_id(fact), "account": account, "ids": named}

    async def say(self, webhook: Webhook, actor: Actor, fact: SequencedEvent) -> bytes:
        """Execute a webhook's document for a fact; return the response, with the fact's kind as an extension."""
        request = GraphQLRequest(
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
            operation = self._engine.operation(request)
            if operation.type is OperationType.SUBSCRIPTION:
                answer = await self._event(operation, request, ctx, fact, trace_id)
            else:
                request.variables = self._variables(operation, fact) | (request.variables or {})
                answer = (await self._engine.answer(operation, request, ctx, trace_id)).answer
        except Invalid as invalid:  # the schema has changed since the document was registered
            answer = {"errors": formatted_errors(invalid.errors, trace_id)}
        about = {"type": fact.kind, "timestamp": fact.at, "cursor": self.cursor(fact)}
        return msgspec.json.encode({**answer, "extensions": {"webhook": about}})

    async def _event(
        self,
        operation: Operation,
        request: GraphQLRequest,
        ctx: Context,
        fact: SequencedEvent,
        trace_id: str,
    ) -> Answer:
        executor = Executor.build(
            self._engine.documents.schema,
            operation.document,
            context_value=ctx,
            raw_variable_values=request.variables,
            operation_name=operation.name,
        )
        if isinstance(executor, list):
            return {"errors": formatted_errors(executor, trace_id)}
        event = Item(fact.tenant_id, fact.seq, fact=fact)
        result: Any = execute_subscription_event(executor.build_per_event_executor(event))
        if is_awaitable(result):
            result = await result
        await ctx.note_reads()
        done = cast("ExecutionResult", result)
        if done.errors:
            return {"data": done.data, "errors": formatted_errors(done.errors, trace_id)}
        return {"data": done.data}

    def _variables(self, operation: Operation, fact: SequencedEvent) -> dict[str, Any]:
        """Return the values from the fact for the variables that the operation declares."""
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
    """Return the AST node of an operation."""
    found = [d for d in operation.document.definitions if isinstance(d, OperationDefinitionNode)]
    return next(n for n in found if (n.name.value if n.name else None) == operation.name)


def _one(account_ids: list[str] | None) -> UUID | None:
    if account_ids is None:
        return None
    if len(account_ids) != 1:
        raise Refused(
            Code.INVALID,
            "Name one account, or omit accountIds to subscribe to all visible accounts.",
            argument="document",
        )
    return ids.wanted(account_ids[0], "Account", "accountIds")


@asynccontextmanager
async def teller(settings: Settings) -> AsyncIterator[WebhookRenderer]:
    """Open a renderer for a worker, on its own connections with the request login, which sees one company at a time."""
    database = connect(settings.database_url, pool_size=4)
    redis = connect_redis(settings.redis_url)
    try:
        # The hub and the live positions are required by the context but not started: nothing subscribes here.
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
