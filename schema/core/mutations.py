"""Mutations: each has one `input`, one transaction and the result `X | Refusal`."""

import hashlib
import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from typing import Annotated, Any, NamedTuple, get_args, get_origin
from uuid import UUID

import msgspec
import strawberry
from sqlalchemy import inspect as look_at
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm.exc import StaleDataError
from strawberry.types.unset import UNSET
from strawberry.utils.str_converters import to_camel_case

from domain.access import Actor, Tx
from domain.core import errors, idempotency
from domain.core.base import JSON, Base, Keyed
from domain.core.db import transaction
from domain.core.errors import Code, Refused
from schema.core import ids
from schema.core.argument_groups import flattened, ungrouped
from schema.core.bounds import must_be_bounded
from schema.core.context import Context, Info
from schema.core.refusals import Refusal, refusal_of
from schema.core.types import split

_LONGEST_KEY = 200


@dataclass(frozen=True, slots=True)
class MutationContext:
    """What a mutation receives: the transaction with its actor and time, and the operation's context."""

    tx: Tx
    ctx: Context

    @property
    def session(self) -> AsyncSession:
        """The database session of the transaction."""
        return self.tx.session

    @property
    def actor(self) -> Actor:
        """The actor of the request."""
        return self.tx.actor

    @property
    def at(self) -> datetime:
        """The time at which the mutation happens."""
        return self.tx.at


class GlobalIdOf(NamedTuple):
    """Marks a `UUID` argument as the global id of a row of this type."""

    type_name: str


@dataclass(frozen=True, slots=True)
class Parameter:
    """One argument of a mutation, in Python and in the schema."""

    name: str
    wire: Any
    words: str | None
    default: Any
    ref: str | None


ExpectedVersion = Annotated[
    int | None, "Version that you read; the mutation is refused when the row changed since."
]
AccountId = Annotated[UUID, GlobalIdOf("Account")]
SiteId = Annotated[UUID, GlobalIdOf("Site")]
ContactId = Annotated[UUID, GlobalIdOf("Contact")]
UserId = Annotated[UUID, GlobalIdOf("User")]
ApiKeyId = Annotated[UUID, GlobalIdOf("ApiKey")]
AgreementId = Annotated[UUID, GlobalIdOf("Agreement")]
IncidentId = Annotated[UUID, GlobalIdOf("Incident")]
CreditId = Annotated[UUID, GlobalIdOf("Credit")]
Again = Callable[[Any], object]
Act = Callable[..., Awaitable[object]]


def mutation(answer: Any, *, again: Again | None = None) -> Callable[[Any], Any]:
    """Make a mutation field from a static `act(ask, …)`; its docstring is the description.

    `again` rebuilds the result from the row when a response is repeated under its idempotency key, for
    results that are not the row itself.
    """

    def decorate(static: Any) -> Any:
        act: Act = ungrouped(static.__func__)
        name = to_camel_case(act.__name__)
        title = name[0].upper() + name[1:]
        parameters = [_parameter(each) for each in flattened(act)][1:]
        input_type = _input(title, name, parameters)
        words = f"Result of the mutation `{name}`: the object, or a refusal."
        result = Annotated[answer | Refusal, strawberry.union(f"{title}Result", description=words)]

        async def resolve(info: Info, input: Any) -> Any:
            try:
                return await _run(info.context, name, act, parameters, input, again)
            except Refused as refused:
                return refused.refusal
            except (DBAPIError, StaleDataError) as error:
                refusal = refusal_of(error)
                if refusal is None:
                    raise
                return refusal

        resolve.__annotations__["input"] = Annotated[
            input_type, strawberry.argument(description="Arguments of the mutation.")
        ]
        return strawberry.mutation(
            resolve, name=name, graphql_type=result, description=inspect.getdoc(act)
        )

    return decorate


def _parameter(parameter: inspect.Parameter) -> Parameter:
    kind, words, _notes = split(parameter.annotation)
    ref = _ref(parameter.annotation)
    wire = _on_the_wire(kind) if ref else kind
    return Parameter(parameter.name, wire, words, parameter.default, ref)


def _ref(annotation: Any) -> str | None:
    """Return the type whose ids an annotation holds, also inside a list or an optional."""
    if isinstance(annotation, GlobalIdOf):
        return annotation.type_name
    inside = getattr(annotation, "__metadata__", ()), get_args(annotation)
    return next((ref for part in chain(*inside) if (ref := _ref(part))), None)


def _on_the_wire(kind: Any) -> Any:
    """Return the annotation with global ids in place of UUIDs."""
    if get_origin(kind) is Annotated:
        return _on_the_wire(get_args(kind)[0])
    if kind is UUID:
        return strawberry.ID
    if get_origin(kind) is list:
        return list[_on_the_wire(get_args(kind)[0])]  # type: ignore[misc]
    if type(None) in get_args(kind):
        [inner] = [part for part in get_args(kind) if part is not type(None)]
        return _on_the_wire(inner) | None
    return kind


def _input(title: str, verb_name: str, parameters: list[Parameter]) -> type:
    fields: dict[str, Any] = {"__annotations__": {}, "__module__": __name__}
    for each in parameters:
        given = {} if each.default is inspect.Parameter.empty else {"default": each.default}
        fields[each.name] = strawberry.field(description=each.words, **given)
        fields["__annotations__"][each.name] = each.wire
    fields["idempotency_key"] = strawberry.field(
        default=None,
        description=(
            "Key of your choice, up to 200 characters: for 24 hours the same key with the "
            "same input returns the same response and has one effect."
        ),
    )
    fields["__annotations__"]["idempotency_key"] = str | None
    return strawberry.input(
        type(f"{title}Input", (), fields), description=f"Arguments of the mutation `{verb_name}`."
    )


async def _run(
    ctx: Context, name: str, act: Act, parameters: list[Parameter], given: Any, again: Again | None
) -> object:
    """Execute a mutation in one transaction: claim the key, act in a savepoint, store the result or refusal, commit."""
    at, key = ctx.now(), given.idempotency_key
    arguments = {each.name: getattr(given, each.name) for each in parameters}
    must_be_bounded({**arguments, "idempotency_key": key})
    if key is None:
        async with transaction(ctx.sessions) as session:
            return await _act(
                MutationContext(Tx(session, ctx.actor, at), ctx), act, parameters, arguments
            )
    if not key.strip() or len(key) > _LONGEST_KEY:
        raise Refused(
            Code.INVALID,
            "idempotencyKey must have 1 to 200 characters, not all of them blank.",
            argument="idempotencyKey",
        )
    # The key belongs to the actor: keys of two clients of one company cannot collide.
    own = f"{ctx.actor.subject} {key}"
    tenant_id = ctx.actor.tenant_id
    async with transaction(ctx.sessions) as session:
        earlier = await idempotency.claim(session, tenant_id, own, _digest(name, arguments), at=at)
        if earlier is None:
            try:
                async with session.begin_nested():
                    result = await _act(
                        MutationContext(Tx(session, ctx.actor, at), ctx), act, parameters, arguments
                    )
            except Refused as refused:
                if refused.refusal.retryable:
                    raise
                response: JSON = {"refusal": msgspec.to_builtins(refused.refusal)}
                await idempotency.store_response(session, tenant_id, own, response)
                return refused.refusal
            row = result if isinstance(result, Keyed) else result.row  # type: ignore[attr-defined]
            response = {"type": type(row).__name__, "id": str(row.id)}
            await idempotency.store_response(session, tenant_id, own, response)
            return result
    return await _repeat(ctx, earlier, again)


async def _act(
    ask: MutationContext, act: Act, parameters: list[Parameter], arguments: dict[str, Any]
) -> object:
    decoded = {each.name: _decode(each, arguments[each.name]) for each in parameters}
    given = {name: value for name, value in decoded.items() if value is not UNSET}
    result = await act(ask, **given)
    await ask.session.flush()
    if isinstance(result, Base) and look_at(result).unloaded:
        await ask.session.refresh(result)  # load the columns that the database filled in
    return result


def _decode(parameter: Parameter, given: Any) -> Any:
    if parameter.ref is None or given is None or given is UNSET:
        return given
    argument = to_camel_case(parameter.name)
    if isinstance(given, list):
        return [ids.wanted(each, parameter.ref, argument) for each in given]
    return ids.wanted(given, parameter.ref, argument)


async def _repeat(ctx: Context, earlier: JSON, again: Again | None) -> object:
    """Return the stored response: the refusal as it was, or the row in its current state."""
    if "refusal" in earlier:
        return msgspec.convert(earlier["refusal"], errors.Refusal)
    row = await ctx.node(earlier["type"], UUID(earlier["id"]))
    if row is None:
        raise Refused(
            Code.NOT_FOUND, "The object of the repeated response is no longer visible to you."
        )
    return row if again is None else again(row)


def _digest(name: str, arguments: dict[str, Any]) -> bytes:
    canonical = msgspec.json.encode([name, arguments], enc_hook=repr, order="deterministic")
    return hashlib.sha256(canonical).digest()
