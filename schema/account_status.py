"""Status of an account: open incidents, running promises and sites, as a query and as a subscription."""

from collections.abc import AsyncGenerator, AsyncIterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated
from uuid import UUID

import strawberry
from sqlalchemy import func, select

from domain import accounts, incidents, promises
from domain.access import visible_to
from domain.core import cursor, sequencing
from domain.core.errors import Code, Refused
from domain.core.sequencing import SequencedEvent
from domain.promises import State
from realtime.feed import Facts
from realtime.source import SourceEvent, SourceListener
from schema.accounts import Account
from schema.core import ids
from schema.core.context import Context, Info
from schema.core.relations import to_one
from schema.core.roots import query_fields, subscription_fields
from schema.core.types import from_row, resolver, subscription
from schema.incidents import Incident
from schema.site_status import RoamingStatus, SiteStatus
from schema.site_status_loader import MOST as MOST_SITES
from schema.site_status_loader import (
    AccountInstant,
    RovingShift,
    SitePresence,
    SiteStatuses,
    posts,
)

MOST = 100  # open incidents that are listed; all of them are counted
OPEN = (State.PENDING, State.RUNNING, State.PAUSED, State.AT_RISK)
MATTERS = ("incident.", "promise.", "credit.", "duty.", "guard.", "site.")
NOT = frozenset({"guard.stopped", "guard.moved"})  # exceptions: no part of the status shows these


@dataclass(frozen=True, slots=True)
class AccountStanding:
    """Account at a position in the ledger."""

    tenant_id: UUID
    account_id: UUID
    seq: int
    begun_at: datetime | None = None
    """Start of a shift reported with this status, which may be later than this server's clock."""


@dataclass(frozen=True, slots=True)
class Counts:
    """Numbers of incidents and promises by state."""

    new: int
    in_progress: int
    paused: int
    resolved: int
    running: int
    at_risk: int
    held: int


@from_row(Counts)
class StatusCounts:
    """Numbers of open incidents and undecided promises of an account, by state."""

    new: Annotated[int, "Number of incidents that nobody has acknowledged yet."]
    in_progress: Annotated[int, "Number of incidents that are acknowledged or in progress."]
    paused: Annotated[int, "Number of incidents with paused clocks."]
    resolved: Annotated[int, "Number of incidents that are resolved but not closed."]
    running: Annotated[
        int, "Number of promises with a running clock and less than half of the time used."
    ]
    at_risk: Annotated[
        int, "Number of promises with a running clock and half of the time or more used."
    ]
    held: Annotated[int, "Number of promises with a clock that is paused or has not started."]


Row = strawberry.Parent[AccountStanding]


@from_row(AccountStanding)
class AccountStatus:
    """Status of an account at one instant. Each one is complete: the newest replaces those before."""

    @resolver(str)
    @staticmethod
    async def cursor(row: Row, info: Info) -> str:
        """Position in the ledger up to which events are included; pass it to `accountEvents` as `after` to continue."""
        link = await info.context.hub.link_at(row.seq)
        return cursor.of_seq(info.context.secret, row.tenant_id, row.seq, link)

    @resolver(datetime)
    @staticmethod
    def at(info: Info) -> datetime:
        """Instant of this status; `remainingSeconds` of the promises counts from here."""
        return info.context.at

    account = to_one(Account, accounts.Account, "account_id", "Account that this status describes.")

    @resolver(StatusCounts, work=50)
    @staticmethod
    async def counts(row: Row, info: Info) -> Counts:
        """Numbers of incidents and promises by state."""
        return await _counts(info.context, row.account_id)

    @resolver(list[Incident], work=50)
    @staticmethod
    async def incidents(row: Row, info: Info) -> list[incidents.Incident]:
        """Incidents that are not closed, newest first, at most 100; their `promises` have the countdowns."""
        query = (
            select(incidents.Incident)
            .where(
                visible_to(info.context.actor, incidents.Incident),
                incidents.Incident.account_id == row.account_id,
                incidents.Incident.status != incidents.Status.CLOSED,
            )
            .order_by(incidents.Incident.opened_at.desc(), incidents.Incident.id)
        )
        async with info.context.sessions() as session:
            return list(await session.scalars(query.limit(MOST)))

    @resolver(list[SiteStatus])
    @staticmethod
    async def sites(
        row: Row,
        info: Info,
        first: Annotated[int, "Maximum number of sites to return, at most 500."] = 100,
    ) -> Sequence[SitePresence]:
        """Sites with a geofence or with somebody on duty, by name; `siteCount` is their total number."""
        if not 0 <= first <= MOST_SITES:
            raise Refused(Code.INVALID, f"first must be 0 to {MOST_SITES}.", argument="first")
        return (await _posts(row, info)).places[:first]

    @resolver(int)
    @staticmethod
    async def site_count(row: Row, info: Info) -> int:
        """Total number of sites with a geofence or with somebody on duty."""
        return (await _posts(row, info)).count

    @resolver(list[RoamingStatus])
    @staticmethod
    async def roaming(row: Row, info: Info) -> Sequence[RovingShift]:
        """Guards on duty who patrol all sites of the account, by start of the duty."""
        return (await _posts(row, info)).roaming


async def _posts(row: AccountStanding, info: Info) -> SiteStatuses:
    at = max(info.context.at, row.begun_at or info.context.at)
    return await info.context.load(posts, AccountInstant(row.account_id, at))


def _matters(fact: SequencedEvent) -> bool:
    return fact.kind.startswith(MATTERS) and fact.kind not in NOT


class StatusSource(Facts):
    """Source of the status of one account: now, and again after each change."""

    def __init__(self, ctx: Context, account_id: UUID) -> None:
        super().__init__(ctx.hub, ctx.sessions, ctx.actor, account_id=account_id, only=_matters)
        self._tenant_id, self._account_id = ctx.actor.tenant_id, account_id
        self._shown_before = False

    async def backlog(self, upto: int) -> AsyncGenerator[SourceEvent]:
        """Return the current status; on later calls only after a change."""
        missed = [event async for event in super().backlog(upto)]
        if missed or not self._shown_before:
            self._shown_before = True
            yield self._standing(upto, missed)

    @contextmanager
    def listen(self) -> Iterator[SourceListener]:
        """Listen for changes of the status."""
        with super().listen() as listener:
            yield _StatusListener(listener, self)

    def gap(self, after: int) -> None:
        """Return no gap notice: a slow reader receives the newest status, which is complete."""

    def _standing(self, seq: int, changes: Sequence[SourceEvent]) -> SourceEvent:
        begun = [event.payload.at for event in changes if event.payload.kind == "duty.began"]
        what = AccountStanding(self._tenant_id, self._account_id, seq, max(begun, default=None))
        return SourceEvent(seq, what, latest="status")


@dataclass(frozen=True, slots=True)
class _StatusListener:
    """Listener that merges simultaneous changes into one new status."""

    listener: SourceListener
    source: StatusSource

    async def take(self) -> Sequence[SourceEvent]:
        events = await self.listener.take()
        return [self.source._standing(events[-1].seq or 0, events)] if events else []


async def _counts(ctx: Context, account_id: UUID) -> Counts:
    tickets = select(incidents.Incident.status, func.count()).where(
        visible_to(ctx.actor, incidents.Incident),
        incidents.Incident.account_id == account_id,
        incidents.Incident.status != incidents.Status.CLOSED,
    )
    per_state = select(promises.Promise.state, func.count()).where(
        visible_to(ctx.actor, promises.Promise),
        promises.Promise.account_id == account_id,
        promises.Promise.state.in_(OPEN),
    )
    async with ctx.sessions() as session:
        status = dict((await session.execute(tickets.group_by(incidents.Incident.status))).all())
        state = dict((await session.execute(per_state.group_by(promises.Promise.state))).all())
    of, now = incidents.Status, State
    return Counts(
        new=status.get(of.NEW, 0),
        in_progress=status.get(of.ACKNOWLEDGED, 0) + status.get(of.IN_PROGRESS, 0),
        paused=status.get(of.PAUSED, 0),
        resolved=status.get(of.RESOLVED, 0),
        running=state.get(now.RUNNING, 0),
        at_risk=state.get(now.AT_RISK, 0),
        held=state.get(now.PAUSED, 0) + state.get(now.PENDING, 0),
    )


@query_fields
class StatusQuery:
    """Query of the status of an account."""

    @resolver(AccountStatus | None)
    @staticmethod
    async def account_status(
        info: Info, account_id: Annotated[strawberry.ID, "Account to read the status of."]
    ) -> AccountStanding | None:
        """Status of an account at this instant.

        Continue with `accountEvents` from its cursor, or subscribe to `accountStatus`.
        """
        ctx: Context = info.context
        account = ids.known(account_id, "Account")
        async with ctx.sessions() as session:
            seq = await sequencing.last_seq(session)
        if account is None or await ctx.get(accounts.Account, account) is None:
            return None
        return AccountStanding(ctx.actor.tenant_id, account, seq)


@subscription_fields
class StatusSubscription:
    """Subscription to the status of an account."""

    @subscription(AccountStatus)
    def account_status(
        self, info: Info, account_id: Annotated[strawberry.ID, "Account to follow the status of."]
    ) -> AsyncIterable[AccountStanding]:
        """Status of an account: now, and in full again after each change. Slow readers receive only the newest."""
        return StatusSource(info.context, ids.wanted(account_id, "Account", "accountId"))
