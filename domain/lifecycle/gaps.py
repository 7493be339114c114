"""Find who is missing around a client: contacts on two levels, two colleagues, a manager, a sponsor, deputies."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.access import Actor, Right
from domain.account_teams import Raci, TeamMember, TeamRole
from domain.accounts.model import Account, CadenceTier, Contact, Segment
from domain.health import Observation, ObservationKind
from domain.touchpoints.model import Touchpoint

HALF_YEAR, YEAR = timedelta(days=180), timedelta(days=365)


class GapKind(StrEnum):
    """What is missing around a client."""

    NO_ACCOUNT_MANAGER = "no_account_manager"
    NO_EXECUTIVE_SPONSOR = "no_executive_sponsor"
    NO_DEPUTY = "no_deputy"
    FEW_CONTACTS = "few_contacts"
    ONE_LEVEL = "one_level"
    ONE_COLLEAGUE = "one_colleague"
    NO_EXECUTIVE_MEETING = "no_executive_meeting"


@dataclass(frozen=True, slots=True)
class CoverageGap:
    """Somebody who is missing around a client."""

    account_id: UUID
    kind: GapKind


@dataclass(frozen=True, slots=True, eq=False)
class _Around:
    contacts: Mapping[UUID, tuple[int, int]]  # how many, on how many levels
    colleagues: Mapping[UUID, int]
    team: Mapping[UUID, Mapping[TeamRole, bool]]  # accountable roles, and whether there is a deputy
    executives_met: frozenset[UUID]


async def coverage_gaps(
    session: AsyncSession, actor: Actor, *, at: datetime, account_id: UUID | None = None
) -> list[CoverageGap]:
    """Return the gaps of the accounts that the actor can access, by name; a constant number of queries."""
    actor.must(Right.READ_RELATIONSHIP)
    query = select(Account).where(Account.tenant_id == actor.tenant_id).order_by(Account.name)
    if actor.accounts is not None:
        query = query.where(Account.id.in_(actor.accounts))
    if account_id is not None:
        query = query.where(Account.id == account_id)
    accounts = list(await session.scalars(query))
    around = await _around(session, actor, at=at)
    return [CoverageGap(each.id, kind) for each in accounts for kind in _gaps(each, around)]


def _gaps(account: Account, around: _Around) -> Iterator[GapKind]:
    team = around.team.get(account.id, {})
    contacts, levels = around.contacts.get(account.id, (0, 0))
    is_strategic = account.cadence_tier is CadenceTier.STRATEGIC
    if account.segment is Segment.ENTERPRISE and TeamRole.ACCOUNT_MANAGER not in team:
        yield GapKind.NO_ACCOUNT_MANAGER
    if is_strategic and TeamRole.EXECUTIVE_SPONSOR not in team:
        yield GapKind.NO_EXECUTIVE_SPONSOR
    if not all(team.values()):
        yield GapKind.NO_DEPUTY
    if contacts < 2:
        yield GapKind.FEW_CONTACTS
    elif levels < 2:
        yield GapKind.ONE_LEVEL
    if around.colleagues.get(account.id, 0) < 2:
        yield GapKind.ONE_COLLEAGUE
    if is_strategic and account.id not in around.executives_met:
        yield GapKind.NO_EXECUTIVE_MEETING


async def _around(session: AsyncSession, actor: Actor, *, at: datetime) -> _Around:
    contacts = await session.execute(
        select(Contact.account_id, func.count(), func.count(func.distinct(Contact.decision_power)))
        .where(Contact.tenant_id == actor.tenant_id, Contact.merged_into_id.is_(None))
        .group_by(Contact.account_id)
    )
    people: defaultdict[UUID, set[str]] = defaultdict(set)
    for account_id, who in await session.execute(
        select(Touchpoint.account_id, Touchpoint.done_by).where(
            Touchpoint.tenant_id == actor.tenant_id, Touchpoint.done_at > at - HALF_YEAR
        )
    ):
        if who is not None:
            people[account_id].add(who)
    met = set()
    for account_id, kind, when, who in await session.execute(
        select(
            Observation.account_id, Observation.kind, Observation.at, Observation.recorded_by
        ).where(
            Observation.tenant_id == actor.tenant_id,
            Observation.kind.in_((ObservationKind.MEETING, ObservationKind.EXECUTIVE_MEETING)),
            Observation.withdrawn_at.is_(None),
            Observation.at > at - YEAR,
        )
    ):
        if when > at - HALF_YEAR:
            people[account_id].add(who)
        if kind is ObservationKind.EXECUTIVE_MEETING:
            met.add(account_id)
    team: defaultdict[UUID, dict[TeamRole, bool]] = defaultdict(dict)
    for account_id, role, deputy in await session.execute(
        select(TeamMember.account_id, TeamMember.role, TeamMember.deputy_id).where(
            TeamMember.tenant_id == actor.tenant_id,
            TeamMember.left_at.is_(None),
            TeamMember.raci == Raci.ACCOUNTABLE,
        )
    ):
        team[account_id][role] = deputy is not None
    return _Around(
        {account_id: (many, levels) for account_id, many, levels in contacts},
        {account_id: len(names) for account_id, names in people.items()},
        team,
        frozenset(met),
    )
