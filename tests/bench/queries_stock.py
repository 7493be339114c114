"""What `tests.bench.queries` compares with: Strawberry, SQLAlchemy and DataLoader as their documentation shows them.

The same tables, one engine, an ORM session a read (fields run at the same time), a loader per relation that batches its
keys. No sign-in, no limits, no rights: everything that the product does besides is left out.
"""

import os
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import strawberry
from sqlalchemy import DateTime, ForeignKey, case, func, select
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from starlette.applications import Starlette
from starlette.routing import Route
from strawberry.asgi import GraphQL
from strawberry.dataloader import DataLoader

OPEN = ("new", "acknowledged", "in_progress", "paused")
engine = create_async_engine(os.environ["BENCH_DATABASE_URL"], pool_size=16)
sessions = async_sessionmaker(engine, expire_on_commit=False)


class Base(DeclarativeBase):
    """Base of the mapped classes."""

    type_annotation_map = {datetime: DateTime(timezone=True)}


class AccountRow(Base):
    """A client."""

    __tablename__ = "account"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str]
    segment: Mapped[str | None]
    service_tier: Mapped[str]
    contract_type: Mapped[str]


class SiteRow(Base):
    """A site of a client."""

    __tablename__ = "site"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    name: Mapped[str]


class IncidentRow(Base):
    """An incident."""

    __tablename__ = "incident"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    site_id: Mapped[UUID] = mapped_column(ForeignKey("site.id"))
    summary: Mapped[str]
    status: Mapped[str]
    priority: Mapped[str]
    opened_at: Mapped[datetime]


class PromiseRow(Base):
    """A promise about an incident."""

    __tablename__ = "promise"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    account_id: Mapped[UUID]
    incident_id: Mapped[UUID] = mapped_column(ForeignKey("incident.id"))
    name: Mapped[str]
    state: Mapped[str]
    part: Mapped[int]
    due_at: Mapped[datetime | None]
    decided_at: Mapped[datetime | None]


class UpdateRow(Base):
    """An update of an incident."""

    __tablename__ = "incident_update"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    incident_id: Mapped[UUID] = mapped_column(ForeignKey("incident.id"))
    at: Mapped[datetime]
    author: Mapped[str]
    body: Mapped[str]


class Relations:
    """The loaders of one request."""

    def __init__(self) -> None:
        self.accounts: DataLoader[UUID, Any] = DataLoader(self._one(AccountRow))
        self.sites: DataLoader[UUID, Any] = DataLoader(self._one(SiteRow))
        self.incidents: DataLoader[UUID, Any] = DataLoader(self._one(IncidentRow))
        self.promises: DataLoader[UUID, Any] = DataLoader(
            self._many(PromiseRow.incident_id, PromiseRow.name, PromiseRow.part)
        )
        self.updates: DataLoader[UUID, Any] = DataLoader(
            self._many(UpdateRow.incident_id, UpdateRow.at.desc())
        )

    def _one(self, model: Any) -> Any:
        async def batch(keys: list[UUID]) -> Sequence[Any]:
            async with sessions() as session:
                rows = await session.scalars(select(model).where(model.id.in_(keys)))
                found = {row.id: row for row in rows}
            return [found.get(key) for key in keys]

        return batch

    def _many(self, column: Any, *order: Any) -> Any:
        async def batch(keys: list[UUID]) -> Sequence[list[Any]]:
            found: defaultdict[UUID, list[Any]] = defaultdict(list)
            query = select(column.class_).where(column.in_(keys)).order_by(*order)
            async with sessions() as session:
                for row in await session.scalars(query):
                    found[getattr(row, column.key)].append(row)
            return [found[key] for key in keys]

        return batch


async def rows_of(query: Any) -> Sequence[Any]:
    """The rows of a query."""
    async with sessions() as session:
        return list(await session.scalars(query))


Info = strawberry.Info[dict[str, Any], None]


def relations(info: Info) -> Relations:
    """The loaders of the request."""
    found: Relations = info.context["relations"]
    return found


@strawberry.type
class Account:
    """A client."""

    id: strawberry.ID
    name: str
    segment: str | None
    service_tier: str
    contract_type: str


@strawberry.type
class Site:
    """A site of a client."""

    id: strawberry.ID
    name: str


@strawberry.type
class Update:
    """An update of an incident."""

    at: datetime
    author: str
    body: str


@strawberry.type
class Promise:
    """A promise about an incident."""

    id: strawberry.ID
    name: str
    state: str
    due_at: datetime | None
    incident_id: strawberry.Private[UUID]

    @strawberry.field
    async def incident(self, info: Info) -> "Incident | None":
        """The incident."""
        row = await relations(info).incidents.load(self.incident_id)
        return None if row is None else incident_of(row)


@strawberry.type
class Incident:
    """An incident."""

    id: strawberry.ID
    summary: str
    status: str
    priority: str
    opened_at: datetime
    key: strawberry.Private[UUID]
    account_id: strawberry.Private[UUID]
    site_id: strawberry.Private[UUID]

    @strawberry.field
    async def account(self, info: Info) -> Account | None:
        """The client."""
        row = await relations(info).accounts.load(self.account_id)
        return None if row is None else account_of(row)

    @strawberry.field
    async def site(self, info: Info) -> Site | None:
        """The site."""
        row = await relations(info).sites.load(self.site_id)
        return None if row is None else Site(id=strawberry.ID(str(row.id)), name=row.name)

    @strawberry.field
    async def promises(self, info: Info, first: int = 10) -> list[Promise]:
        """The promises."""
        rows = await relations(info).promises.load(self.key)
        return [promise_of(row) for row in rows[:first]]

    @strawberry.field
    async def updates(self, info: Info, last: int = 3) -> list[Update]:
        """The latest updates."""
        rows = await relations(info).updates.load(self.key)
        return [Update(at=row.at, author=row.author, body=row.body) for row in rows[:last]]


@strawberry.type
class Nodes:
    """A page."""

    nodes: list[Incident]


@strawberry.type
class PromiseNodes:
    """A page."""

    nodes: list[Promise]


@strawberry.type
class AccountNodes:
    """A page."""

    nodes: list[Account]


@strawberry.type
class Compliance:
    """What was kept."""

    n: int
    kept: int
    ratio: float | None


def account_of(row: AccountRow) -> Account:
    """The type of a row."""
    return Account(
        id=strawberry.ID(str(row.id)),
        name=row.name,
        segment=row.segment,
        service_tier=row.service_tier,
        contract_type=row.contract_type,
    )


def incident_of(row: IncidentRow) -> Incident:
    """The type of a row."""
    return Incident(
        id=strawberry.ID(str(row.id)),
        summary=row.summary,
        status=row.status,
        priority=row.priority,
        opened_at=row.opened_at,
        key=row.id,
        account_id=row.account_id,
        site_id=row.site_id,
    )


def promise_of(row: PromiseRow) -> Promise:
    """The type of a row."""
    return Promise(
        id=strawberry.ID(str(row.id)),
        name=row.name,
        state=row.state,
        due_at=row.due_at,
        incident_id=row.incident_id,
    )


@strawberry.type
class Query:
    """What can be asked."""

    @strawberry.field
    async def account(self, info: Info, id: strawberry.ID) -> Account | None:
        """One client."""
        row = await relations(info).accounts.load(UUID(id))
        return None if row is None else account_of(row)

    @strawberry.field
    async def accounts(self, first: int = 50) -> AccountNodes:
        """Clients."""
        query = select(AccountRow).order_by(AccountRow.name, AccountRow.id).limit(first)
        rows = await rows_of(query)
        return AccountNodes(nodes=[account_of(row) for row in rows])

    @strawberry.field
    async def incidents(
        self,
        first: int = 50,
        statuses: list[str] | None = None,
        priorities: list[str] | None = None,
    ) -> Nodes:
        """Incidents, newest first."""
        query = select(IncidentRow).order_by(IncidentRow.opened_at.desc(), IncidentRow.id.desc())
        if statuses is not None:
            query = query.where(IncidentRow.status.in_([each.lower() for each in statuses]))
        if priorities is not None:
            query = query.where(IncidentRow.priority.in_([each.lower() for each in priorities]))
        rows = await rows_of(query.limit(first))
        return Nodes(nodes=[incident_of(row) for row in rows])

    @strawberry.field
    async def due_promises(self, first: int = 50) -> PromiseNodes:
        """Promises whose clock runs, the next due first."""
        query = (
            select(PromiseRow)
            .where(PromiseRow.due_at.is_not(None), PromiseRow.state.in_(("running", "at_risk")))
            .order_by(PromiseRow.due_at, PromiseRow.id)
            .limit(first)
        )
        rows = await rows_of(query)
        return PromiseNodes(nodes=[promise_of(row) for row in rows])

    @strawberry.field
    async def sla_compliance(self, account_id: strawberry.ID) -> Compliance:
        """What was kept in the last 31 days."""
        kept = func.sum(case((PromiseRow.state == "kept", 1), else_=0))
        query = select(func.count(), kept).where(
            PromiseRow.account_id == UUID(account_id),
            PromiseRow.decided_at >= datetime.now(UTC) - timedelta(days=31),
        )
        async with sessions() as session:
            n, k = (await session.execute(query)).one()
        return Compliance(n=n, kept=k or 0, ratio=(k or 0) / n if n else None)


class Endpoint(GraphQL[dict[str, Any], None]):
    """The endpoint with one session a request."""

    async def get_context(self, request: Any, response: Any) -> dict[str, Any]:
        """The context of a request."""
        return {"request": request, "response": response, "relations": Relations()}


@asynccontextmanager
async def lifespan(_app: Starlette) -> AsyncIterator[None]:
    """Close the engine at the end."""
    yield
    await engine.dispose()


app = Starlette(
    routes=[Route("/graphql", Endpoint(strawberry.Schema(query=Query)), methods=["POST"])],
    lifespan=lifespan,
)
