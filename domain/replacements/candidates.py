"""Candidates for the shift of an absent guard: who fits, in order, and who does not, with the rule; six statements."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Select, func, or_, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from domain import guards
from domain.access import Role
from domain.accounts.model import Account, Reach, Site, User
from domain.guards.model import GuardProfile, Qualification
from domain.posts.model import Post
from domain.replacements.model import OfferState, Replacement, ReplacementState, ShiftOffer
from domain.replacements.rules import (
    MINUTE,
    CandidateGuard,
    ExcludedGuard,
    ExclusionRule,
    excluded,
    in_order,
    travel,
)
from domain.shifts import AROUND, WorkPeriod, check_many
from domain.shifts.model import Shift

ABSENT_AROUND = timedelta(hours=12)
"""Who is absent from a shift is no candidate for another one that is at most this far from it."""


@dataclass(frozen=True, slots=True)
class ReplacementRanking:
    """Who may take a shift, the best first, and who may not."""

    shift_id: UUID
    candidates: list[CandidateGuard]
    excluded: list[ExcludedGuard]


class _ShiftPlace(NamedTuple):
    qualifications: list[str]
    lat: float | None
    lon: float | None
    zone: str


class _Person(NamedTuple):
    user_id: UUID
    has_pass: bool
    pass_expires_on: date | None
    home_lat: float | None
    home_lon: float | None
    contract_minutes: int | None
    hour_cost_cents: int | None


class _Work(NamedTuple):
    user_id: UUID
    packed: bytes
    at_post: int


_PeopleQuery = Select[UUID, bool, date | None, float | None, float | None, int | None, int | None]
_NO_WORK = _Work(UUID(int=0), b"", 0)


async def rank(
    session: AsyncSession, shift: Shift, *, at: datetime, only: UUID | None = None
) -> ReplacementRanking:
    """Rank the guards of the company, or look at one of them, for a shift that another guard cannot work."""
    place = await _place(session, shift)
    people = [_Person(*row) for row in await session.execute(_people(shift, only))]
    held = await _held(session, shift.tenant_id, place.qualifications)
    barred = await guards.barred(session, shift.account_id)
    absent = set(await session.scalars(_absent(shift)))
    work = await _work(session, shift, only)
    out: dict[UUID, ExcludedGuard] = {}
    for each in people:
        found = _without_work(each, place, held.get(each.user_id, {}), barred, absent, shift)
        if found is not None:
            out[each.user_id] = found
    checked = check_many(
        [work.get(each.user_id, _NO_WORK).packed for each in people],
        WorkPeriod(shift.from_at, shift.until_at),
        place.zone,
        asked=[each.user_id not in out for each in people],
    )
    site = None if place.lat is None or place.lon is None else (place.lat, place.lon)
    fit = []
    for each, one in zip(people, checked, strict=True):
        why = out.get(each.user_id) or excluded(one, each.user_id)
        if why is not None:
            out[each.user_id] = why
            continue
        home = (
            None
            if each.home_lat is None or each.home_lon is None
            else (each.home_lat, each.home_lon)
        )
        takes = travel(home, site)
        arrives = None if takes is None else max(at + takes, shift.from_at)
        left = None
        if each.contract_minutes is not None:
            planned = one.in_week + (shift.until_at - shift.from_at)
            left = each.contract_minutes - planned // MINUTE
        fit.append(
            CandidateGuard(
                user_id=each.user_id,
                travel_minutes=None if takes is None else round(takes / MINUTE),
                arrives_at=arrives,
                late_minutes=None if arrives is None else round((arrives - shift.from_at) / MINUTE),
                rest_minutes=None if one.rest is None else one.rest // MINUTE,
                contract_minutes_left=left,
                hour_cost_cents=each.hour_cost_cents,
                shifts_at_post=work.get(each.user_id, _NO_WORK).at_post,
            )
        )
    ordered = [replace(each, place=number) for number, each in enumerate(in_order(fit), 1)]
    return ReplacementRanking(shift.id, ordered, list(out.values()))


async def _place(session: AsyncSession, shift: Shift) -> _ShiftPlace:
    found = await session.execute(
        select(Post.qualifications, Site.lat, Site.lon, Account.time_zone)
        .join(Site, Site.id == Post.site_id)
        .join(Account, Account.id == Post.account_id)
        .where(Post.id == shift.post_id)
    )
    return _ShiftPlace(*found.one())


def _people(shift: Shift, only: UUID | None) -> _PeopleQuery:
    """Select the guards of the company with access to the account, with what their profiles say."""
    limited = select(Reach.user_id).where(Reach.user_id == User.id)
    query = (
        select(
            User.id,
            GuardProfile.pass_colour.is_not(None),
            *(GuardProfile.pass_expires_on, GuardProfile.home_lat, GuardProfile.home_lon),
            *(GuardProfile.contract_minutes, GuardProfile.hour_cost_cents),
        )
        .outerjoin(GuardProfile, GuardProfile.user_id == User.id)
        .where(
            User.tenant_id == shift.tenant_id,
            User.role == Role.GUARD,
            User.disabled_at.is_(None),
            or_(~limited.exists(), limited.where(Reach.account_id == shift.account_id).exists()),
        )
        .order_by(User.id)
    )
    return query if only is None else query.where(User.id == only)


async def _held(
    session: AsyncSession, tenant_id: UUID, required: Iterable[str]
) -> dict[UUID, dict[str, date | None]]:
    """Return who holds which of the required qualifications, with their last days."""
    found: dict[UUID, dict[str, date | None]] = {}
    rows = await session.execute(
        select(Qualification.user_id, Qualification.name, Qualification.expires_on).where(
            Qualification.tenant_id == tenant_id, Qualification.name.in_(list(required))
        )
    )
    for user_id, name, last in rows:
        found.setdefault(user_id, {})[name] = last
    return found


def _absent(shift: Shift) -> Select[Any]:
    """Select guards who are absent from this shift, or from another one around it."""
    return (
        select(Replacement.user_id)
        .join(Shift, Shift.id == Replacement.shift_id)
        .where(
            Replacement.tenant_id == shift.tenant_id,
            Replacement.state != ReplacementState.WITHDRAWN,
            Replacement.user_id.is_not(None),
            Shift.from_at < shift.until_at + ABSENT_AROUND,
            Shift.until_at > shift.from_at - ABSENT_AROUND,
        )
    )


_WORK = text("""
SELECT user_id,
       string_agg(int8send(extract(epoch FROM from_at)::bigint) || int8send(extract(epoch FROM until_at)::bigint),
                  ''::bytea ORDER BY from_at),
       count(*) FILTER (WHERE post_id = :post AND from_at < :from_at AND started_at IS NOT NULL)
FROM shift
WHERE tenant_id = :tenant AND user_id IS NOT NULL AND (CAST(:only AS uuid) IS NULL OR user_id = :only)
      AND state <> 'cancelled' AND from_at < :latest AND from_at > :earliest AND id <> :shift
GROUP BY user_id
""")
"""The planned work of each guard in one value: decoding a row for each shift would take longer than all the rest."""


async def _work(session: AsyncSession, shift: Shift, only: UUID | None) -> Mapping[UUID, _Work]:
    rows = await session.execute(
        _WORK,
        {
            "post": shift.post_id,
            "from_at": shift.from_at,
            "tenant": shift.tenant_id,
            "only": only,
            "latest": shift.until_at + AROUND,
            "earliest": shift.from_at - AROUND,
            "shift": shift.id,
        },
    )
    return {row[0]: _Work(*row) for row in rows}


def _without_work(
    person: _Person,
    place: _ShiftPlace,
    held: Mapping[str, date | None],
    barred: set[UUID],
    absent: set[UUID],
    shift: Shift,
) -> ExcludedGuard | None:
    """Return why a guard is no candidate, whatever else is planned; None: nothing speaks against it."""
    who, day = person.user_id, shift.on_day
    if who in absent or who == shift.user_id:
        return ExcludedGuard(who, ExclusionRule.ABSENT, "The guard is absent then.")
    if not person.has_pass:
        return ExcludedGuard(who, ExclusionRule.PASS, "No pass is recorded.")
    if person.pass_expires_on is not None and person.pass_expires_on < day:
        words = f"The pass was valid until {person.pass_expires_on}."
        return ExcludedGuard(who, ExclusionRule.PASS, words)
    missing = guards.missing_qualifications(place.qualifications, held, on=day)
    if missing:
        words = f"The post requires {', '.join(missing)} on {day}."
        return ExcludedGuard(who, ExclusionRule.QUALIFICATION, words)
    if who in barred:
        return ExcludedGuard(who, ExclusionRule.BARRED, "The client does not want this guard.")
    return None


async def travel_of(session: AsyncSession, shift: Shift, user_id: UUID) -> timedelta | None:
    """Return how long a guard needs to be at the site of a shift; None where a place is unknown."""
    found = await session.execute(
        select(GuardProfile.home_lat, GuardProfile.home_lon, Site.lat, Site.lon)
        .select_from(GuardProfile)
        .join(Site, Site.id == shift.site_id)
        .where(GuardProfile.user_id == user_id)
    )
    row = found.one_or_none()
    if row is None:
        return None
    home_lat, home_lon, lat, lon = row
    if home_lat is None or home_lon is None or lat is None or lon is None:
        return None
    return travel((home_lat, home_lon), (lat, lon))


async def offers_so_far(
    session: AsyncSession, tenant_id: UUID, *, since: datetime
) -> tuple[int, int]:
    """Return how many offers the company made since a time, and how many were accepted."""
    found = await session.execute(
        select(
            func.count(),
            func.count().filter(ShiftOffer.state == OfferState.ACCEPTED),
        ).where(ShiftOffer.tenant_id == tenant_id, ShiftOffer.offered_at >= since)
    )
    offered, accepted = found.one()
    return offered, accepted
