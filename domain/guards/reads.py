"""Reads of guards: the qualifications of several at once, and everything about one person."""

from collections.abc import Collection
from datetime import date
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.core.base import JSON, among
from domain.core.changes import values_of
from domain.core.erasable_text import ErasableText
from domain.guards.model import GuardBar, GuardProfile, Qualification
from domain.guards.rules import PASS


async def held_qualifications(
    session: AsyncSession, user_ids: Collection[UUID]
) -> dict[UUID, dict[str, date | None]]:
    """Return the qualifications of guards with their last days; a pass that expires is one of them, under `pass`."""
    found: dict[UUID, dict[str, date | None]] = {user_id: {} for user_id in user_ids}
    columns = (Qualification.user_id, Qualification.name, Qualification.expires_on)
    for user_id, name, last in await session.execute(
        select(*columns).where(among(Qualification.user_id, user_ids))
    ):
        found[user_id][name] = last
    passes = select(GuardProfile.user_id, GuardProfile.pass_expires_on).where(
        among(GuardProfile.user_id, user_ids), GuardProfile.pass_colour.is_not(None)
    )
    for user_id, last in await session.execute(passes):
        found[user_id][PASS] = last
    return found


async def personal_profile(session: AsyncSession, user_id: UUID) -> JSON:
    """Return the profile and the qualifications of a person, for the export of personal data."""
    profile = await session.scalar(select(GuardProfile).where(GuardProfile.user_id == user_id))
    held = await session.scalars(
        select(Qualification).where(Qualification.user_id == user_id).order_by(Qualification.name)
    )
    bars = await session.scalars(
        select(GuardBar).where(GuardBar.user_id == user_id).order_by(GuardBar.barred_at)
    )
    names = (
        *("employee_number", "pass_colour", "pass_expires_on", "languages", "contract_minutes"),
        *("home_lat", "home_lon", "hour_cost_cents"),
    )
    return {
        "guard_profile": None if profile is None else values_of(profile, names),
        "qualifications": [values_of(each, ("name", "expires_on")) for each in held],
        "guard_bars": [values_of(each, ("account_id", "barred_at", "lifted_at")) for each in bars],
    }


async def erase_guard(session: AsyncSession, user_id: UUID) -> None:
    """Delete the profile and qualifications of a person, and what facts say of them."""
    rows = (
        select(GuardProfile.id)
        .where(GuardProfile.user_id == user_id)
        .union_all(select(Qualification.id).where(Qualification.user_id == user_id))
    )
    subjects = list(await session.scalars(rows))
    for gone in (
        delete(ErasableText).where(among(ErasableText.subject_id, subjects)),
        delete(GuardBar).where(GuardBar.user_id == user_id),
        delete(Qualification).where(Qualification.user_id == user_id),
        delete(GuardProfile).where(GuardProfile.user_id == user_id),
    ):
        await session.execute(gone.execution_options(synchronize_session=False))
