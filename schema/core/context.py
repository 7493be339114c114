"""Context of a resolver: actor, database sessions, loaders, clock and hub."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

import strawberry

from domain.access import Actor
from domain.calendar_feeds import CalendarLinks
from domain.core.base import Keyed
from domain.core.db import Sessions
from domain.surveys import SurveyLinks
from realtime.hub import Hub
from realtime.positions import LivePositions
from schema.core import access_log
from schema.core.ids import NODES
from schema.core.loaders import ChildOrder, Column, Loaders, MakeLoader, Some, checked

K = TypeVar("K")
V = TypeVar("V")
R = TypeVar("R", bound=Keyed)


@dataclass(slots=True)
class Context:
    """Context of one operation; every event of a subscription gets fresh loaders."""

    sessions: Sessions
    actor: Actor
    now: Callable[[], datetime]
    secret: bytes
    hub: Hub
    live: LivePositions
    desk: Any = None
    """Where webhooks are registered (`schema.webhooks.WebhookDocumentCheck`); None in processes that do not."""
    client_limit: int | None = None
    """Number of incidents one client user may open in ten minutes; None for no limit."""
    invited: timedelta = timedelta(hours=48)
    """How long an invitation is valid."""
    smtp_utf8: bool = False
    """Whether the mail server accepts addresses with a local part outside ASCII (SMTPUTF8)."""
    survey_links: SurveyLinks | None = None
    """Signed links of surveys; None in processes without them."""
    calendar_links: CalendarLinks | None = None
    """Signed links of calendars; None in processes without them."""
    at: datetime = field(init=False)
    """One instant for everything that is read, so that all clocks in a response agree."""
    _loaders: Loaders = field(init=False)

    def __post_init__(self) -> None:
        self.at = self.now()
        self._loaders = Loaders(self.sessions, self.actor)

    @property
    def personal(self) -> set[UUID]:
        """Accounts whose contacts were read."""
        return self._loaders.personal

    async def get(self, model: type[R], row_id: UUID | None) -> R | None:
        """Return the row with this id; None without an id, and for a row that is not visible to the actor."""
        if row_id is None:
            return None
        row: R | None = await self._loaders.one(model.id).load(row_id)
        return row

    async def get_all(self, model: type[R], row_ids: Iterable[UUID]) -> list[R]:
        """Return the rows with these ids, in this order, without those not visible to the actor."""
        found: list[R | None] = await self._loaders.one(model.id).load_many(row_ids)
        return [row for row in found if row is not None]

    async def get_each(self, model: type[R], row_ids: Sequence[UUID | None]) -> list[R | None]:
        """Return the row for each of these ids; None without an id, and for a row not visible to the actor."""
        wanted = list(dict.fromkeys(each for each in row_ids if each is not None))
        if not wanted:
            return [None] * len(row_ids)
        loaded = await self._loaders.one(model.id).load_many(wanted)
        found = dict(zip(wanted, loaded, strict=True))
        return [None if each is None else found[each] for each in row_ids]

    async def get_by(self, column: Column, value: Any) -> Any:
        """Return the row with this value in a unique column; None for one not visible to the actor."""
        return await self._loaders.one(column).load(value)

    async def node(self, type_name: str, row_id: UUID) -> Any:
        """Return the row behind a global id of this type; None for an unknown type and for an unseen row."""
        model = NODES.get(type_name)
        return None if model is None else await self._loaders.one(model.id).load(row_id)

    async def children(
        self,
        column: Column,
        parent_id: UUID,
        *,
        order: tuple[Column, ...],
        descending: bool = False,
        first: int | None = None,
        argument: str = "first",
    ) -> list[Any]:
        """Return the rows whose foreign key `column` names this parent: the `first` of them, or all.

        A `first` outside 0 … 100 is refused under the name of its `argument` in the schema.
        """
        ordered = ChildOrder(order, descending)
        if first is None:
            return await self._loaders.many(column, ordered).load(parent_id)
        some = Some(parent_id, checked(first, argument))
        return await self._loaders.some(column, ordered).load(some)

    async def children_of_each(
        self,
        column: Column,
        parent_ids: Sequence[UUID],
        *,
        order: tuple[Column, ...],
        descending: bool,
        first: int,
        argument: str,
        only: frozenset[str] | None = None,
    ) -> Sequence[list[Any]]:
        """Return the first children of each of these parents, as `children` does for one, with these attributes."""
        most = checked(first, argument)
        return await self._loaders.some_of_each(
            column, ChildOrder(order, descending), parent_ids, most, only
        )

    async def children_of_all(
        self, column: Column, parent_ids: Iterable[UUID], *, order: tuple[Column, ...]
    ) -> Sequence[list[Any]]:
        """Return all children of each of these parents."""
        return await self._loaders.many(column, ChildOrder(order, False)).load_many(parent_ids)

    async def load(self, make: MakeLoader[K, V], key: K) -> V:
        """Load a key with the loader made by this function; sibling fields share its batch."""
        return await self._loaders.by(make).load(key)

    def fresh(self) -> "Context":
        """Return the same context with empty loaders."""
        return replace(self)

    async def note_reads(self) -> None:
        """Record the reads of personal data, before the response is sent."""
        await self.note_reads_of((self.actor,))

    async def note_reads_of(self, actors: Iterable[Actor]) -> None:
        """Record the reads of a response that several actors receive."""
        if self.personal:
            for actor in actors:
                await access_log.note(self.sessions, actor, set(self.personal), at=self.at)


class Info(strawberry.Info[Context, None]):
    """Strawberry's info with this context."""
