"""Plans: a query, compiled once, runs as calls of the schema's own functions, a level of the answer at a time.

graphql-core decides for each field of each row again what a field's type, arguments and resolver are: two thirds of the
CPU of a page of 50 incidents. A plan has decided it once. What plans do not cover is not planned (`NotPlanned`), and a
run that meets an error or a null where none may be is given up (`Missed`); graphql-core answers both, so that it alone
says what errors look like. Queries change nothing, so running one twice is only slower.
"""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from graphql import GraphQLObjectType
from graphql.execution.values import VariableValues

from domain.access import Actor
from schema.core.access import Guard, is_open
from schema.core.context import Context

Pair = tuple[Any, dict[str, Any]]
"""An object, and what is answered about it."""
Sink = defaultdict["Selection", list[Pair]]
"""Objects whose fields are still to be read, by what is asked about them."""
Place = Callable[[Any, Sink], Any]
"""Completes a value: the part of the answer that it becomes. Raises `Missed`."""
Arguments = Callable[[VariableValues], dict[str, Any]]


class NotPlanned(Exception):
    """A document has something that plans do not cover; the text says what."""


class Missed(Exception):
    """A run met an error, or a null where none may be."""


@dataclass(frozen=True, slots=True)
class PlanInfo:
    """What resolvers get as `info`: they use the context only."""

    context: Context
    columns: frozenset[str] | None = None
    """Attributes that are read of the rows that the field shows; None for all of them."""


@dataclass(slots=True)
class Run:
    """One run of a plan."""

    info: PlanInfo
    actor: Actor
    variables: VariableValues
    _arguments: dict[int, dict[str, Any]] = field(default_factory=dict)

    def arguments(self, of: "FieldPlan") -> dict[str, Any]:
        """Return the arguments of a field, converted once in a run."""
        found = self._arguments.get(id(of))
        if found is None:
            found = self._arguments[id(of)] = of.arguments(self.variables)
        return found


@dataclass(slots=True, eq=False)
class Selection:
    """What is asked about an object of one type."""

    type: GraphQLObjectType
    blank: dict[str, Any] = field(default_factory=dict)
    """The answer before anything is read: its keys in order, with what is the same for each object."""
    fields: list["FieldPlan"] = field(default_factory=list)

    @property
    def columns(self) -> frozenset[str] | None:
        """Attributes that the fields read of an object; None when a field does not say."""
        found: set[str] = set()
        for each in self.fields:
            if each.reads is None:
                return None
            found |= each.reads
        return frozenset(found)

    async def read(self, run: Run, pairs: Sequence[Pair]) -> None:
        """Read the fields of these objects, all fields at the same time."""
        await all_of(going for each in self.fields if (going := each.fill(run, pairs)) is not None)


@dataclass(slots=True, eq=False)
class FieldPlan:
    """How one field of a selection is read and completed."""

    key: str
    name: str
    place: Place
    guard: Guard | None
    is_read: bool
    """Whether `get` reads the object; else it is a resolver, called with the run's arguments."""
    is_async: bool
    get: Callable[..., Any]
    arguments: Arguments
    parents: tuple[str, ...] = ()
    """Parameters of the resolver that take the object."""
    infos: tuple[str, ...] = ()
    """Parameters of the resolver that take the info."""
    is_method: bool = False
    for_all: Callable[..., Awaitable[Sequence[Any]]] | None = None
    """Reads the values of many objects at once; `get` reads those of one."""
    reads: frozenset[str] | None = None
    """Attributes that are read of the object; None when that is not declared."""
    fast: Callable[[Sequence[Pair]], None] | None = None
    """Reads a leaf of many objects; raises a `LookupError` or `AttributeError` for objects that `get` must read."""
    is_first: bool = False
    """Whether the resolver takes the object as its first parameter."""
    below: list["Selection"] = field(default_factory=list)
    """What is asked about the objects that the field shows."""
    columns: frozenset[str] | None = None
    """Attributes that are read of the rows that the field shows; None for all of them."""

    def fill(self, run: Run, pairs: Sequence[Pair]) -> Awaitable[None] | None:
        """Read the field of these objects; what is returned must be awaited."""
        if self.guard is not None:
            pairs = self._allowed(run.actor, self.guard, pairs)
        if self.for_all is not None:
            return self._fill_together(run, pairs, self.for_all) if pairs else None
        if self.is_async:
            return self._fill_later(run, pairs)
        if self.fast is not None:
            try:
                return self.fast(pairs)
            except (LookupError, AttributeError):
                pass  # an object without this attribute in its dictionary
        if self.is_read:
            get = self.get
            return self._put(run, pairs, (get(row) for row, _ in pairs))
        values = list(self._calls(run, pairs))
        if any(hasattr(type(value), "__await__") for value in values):
            return self._put_later(run, pairs, values)
        return self._put(run, pairs, values)

    def _put(
        self, run: Run, pairs: Sequence[Pair], values: Iterable[Any]
    ) -> Awaitable[None] | None:
        sink: Sink = defaultdict(list)
        key, place = self.key, self.place
        for (_, answer), value in zip(pairs, values, strict=True):
            answer[key] = place(value, sink)
        return read_all(run, sink) if sink else None

    async def _put_later(self, run: Run, pairs: Sequence[Pair], values: Sequence[Any]) -> None:
        """Await those values of a resolver that must be awaited: some rows know the answer at once."""
        waiting = [place for place, value in enumerate(values) if hasattr(type(value), "__await__")]
        whole = list(values)
        done = await all_of(values[place] for place in waiting)
        for place, value in zip(waiting, done, strict=True):
            whole[place] = value
        below = self._put(run, pairs, whole)
        if below is not None:
            await below

    async def _fill_later(self, run: Run, pairs: Sequence[Pair]) -> None:
        below = self._put(run, pairs, await all_of(self._calls(run, pairs)))
        if below is not None:
            await below

    async def _fill_together(
        self, run: Run, pairs: Sequence[Pair], for_all: Callable[..., Awaitable[Sequence[Any]]]
    ) -> None:
        values = await for_all(self._info(run), [row for row, _ in pairs], **run.arguments(self))
        below = self._put(run, pairs, values)
        if below is not None:
            await below

    def _calls(self, run: Run, pairs: Sequence[Pair]) -> Iterable[Any]:
        arguments = run.arguments(self)
        for name in self.infos:
            arguments[name] = self._info(run)
        if self.is_first:
            get = self.get
            for row, _ in pairs:
                yield get(row, **arguments)
            return
        for row, _ in pairs:
            of_row = dict.fromkeys(self.parents, row)
            yield self.get(*((row,) if self.is_method else ()), **arguments, **of_row)

    def _info(self, run: Run) -> PlanInfo:
        return run.info if self.columns is None else PlanInfo(run.info.context, self.columns)

    def _allowed(self, actor: Actor, guard: Guard, pairs: Sequence[Pair]) -> Sequence[Pair]:
        """Answer the fallback for objects of which the actor may not read the field; return the others."""
        if is_open(actor, guard.rights):
            return pairs
        if not (guard.nullable or guard.many):
            raise Missed
        own = [pair for pair in pairs if guard.own and pair[0].id == actor.user_id]
        for row, answer in pairs:
            if not (guard.own and row.id == actor.user_id):
                answer[self.key] = [] if guard.many else None
        return own


@dataclass(frozen=True, slots=True)
class Plan:
    """A compiled query."""

    root: Selection
    variables: Callable[[Mapping[str, Any]], VariableValues]
    fields: int
    """Number of fields, those of fragments and interfaces counted for each type."""

    async def run(self, ctx: Context, given: Mapping[str, Any]) -> dict[str, Any]:
        """Return the data of the answer. Raises `Missed`."""
        answer = dict(self.root.blank)
        try:
            run = Run(PlanInfo(ctx), ctx.actor, self.variables(given))
            await self.root.read(run, [(None, answer)])
        except Missed:
            raise
        except Exception as error:
            raise Missed from error
        return answer


async def read_all(run: Run, sink: Sink) -> None:
    """Read the fields of the objects of a sink."""
    await all_of(selection.read(run, pairs) for selection, pairs in sink.items())


async def all_of(coroutines: Iterable[Awaitable[Any]]) -> list[Any]:
    """Await all; when one fails, cancel the others before its error is raised."""
    waiting = list(coroutines)
    if not waiting:
        return []
    if len(waiting) == 1:
        return [await waiting[0]]
    tasks = [asyncio.ensure_future(each) for each in waiting]
    try:
        return await asyncio.gather(*tasks)
    except BaseException:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        raise
