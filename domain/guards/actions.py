"""Set the profile of a guard, and grant qualifications."""

from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import and_, select

from domain.access import CLIENTS, Right, Tx, scopes
from domain.accounts.model import User
from domain.core.base import uuid7
from domain.core.changes import as_text, values_of
from domain.core.errors import Code, Refused, must_be_current
from domain.core.text_rules import must_be_line
from domain.guards.events import GuardProfileSet, QualificationGranted
from domain.guards.model import GuardProfile, Qualification

MOST_LANGUAGES = 20
WEEK_MINUTES = 7 * 24 * 60
MOST_HOUR_CENTS = 100_000


async def set_profile(
    tx: Tx, user_id: UUID, *, expected_version: int | None = None, **changes: Any
) -> GuardProfile:
    """Make or change the profile of a guard; omitted fields stay as they are."""
    user = await _guard(tx, user_id)
    _check(changes)
    query = select(GuardProfile).where(GuardProfile.user_id == user.id).with_for_update()
    profile = await tx.session.scalar(query)
    known = profile is not None
    if profile is None:
        profile = GuardProfile(id=uuid7(), tenant_id=user.tenant_id, user_id=user.id, languages=[])
    else:
        must_be_current(profile.version, expected_version)
    await _must_be_unique(tx, profile, changes.get("employee_number"))
    for name in ("home_lat", "home_lon"):
        if changes.get(name) is not None:
            changes[name] = round(changes[name], 2)
    changed = {name: value for name, value in changes.items() if getattr(profile, name) != value}
    _must_have_whole_home(profile, changed)
    if known and not changed:
        return profile
    before = values_of(profile, changed)
    for name, value in changed.items():
        setattr(profile, name, value)
    tx.session.add(profile)
    tx.record(
        GuardProfileSet(
            account_id=None,
            subject_id=profile.id,
            at=tx.at,
            user_id=user.id,
            before=as_text(before) if known else None,
            after=as_text(values_of(profile, changed)),
        )
    )
    await tx.session.flush()
    return profile


async def grant_qualification(
    tx: Tx, user_id: UUID, name: str, *, expires_on: date | None = None
) -> Qualification:
    """Record that a guard holds a qualification, and until which day; a past day ends it."""
    user = await _guard(tx, user_id)
    must_be_line(name, "name")
    query = select(Qualification).where(
        Qualification.user_id == user.id, Qualification.name == name
    )
    row = await tx.session.scalar(query.with_for_update())
    if row is not None and row.expires_on == expires_on:
        return row
    before = None if row is None else as_text(values_of(row, ("name", "expires_on")))
    if row is None:
        row = Qualification(id=uuid7(), tenant_id=user.tenant_id, user_id=user.id, name=name)
        tx.session.add(row)
    row.expires_on = expires_on
    tx.record(
        QualificationGranted(
            account_id=None,
            subject_id=row.id,
            at=tx.at,
            user_id=user.id,
            before=before,
            after=as_text(values_of(row, ("name", "expires_on"))),
        )
    )
    await tx.session.flush()
    return row


async def _guard(tx: Tx, user_id: UUID) -> User:
    """Lock the user, so that two profiles of one user cannot be made at once."""
    tx.actor.must(Right.ROSTER)
    staff = and_(
        scopes.accessible_users(tx.actor, User),
        User.role.not_in(CLIENTS),
        User.disabled_at.is_(None),
    )
    return await tx.get(
        User, user_id, "member of the company's staff", argument="userId", lock=True, among=staff
    )


def _check(changes: dict[str, Any]) -> None:
    if changes.get("languages", ()) is None:
        raise Refused(Code.INVALID, "Give an empty list for no language.", argument="languages")
    must_be_line(changes.get("employee_number"), "employeeNumber")
    languages = changes.get("languages", ())
    if len(languages) > MOST_LANGUAGES:
        raise Refused(
            Code.INVALID, f"At most {MOST_LANGUAGES} languages are kept.", argument="languages"
        )
    for language in languages:
        if not (len(language) == 2 and language.isascii() and language.islower()):
            raise Refused(
                Code.INVALID,
                "A language is its ISO 639-1 code in lower case, such as `nl`.",
                argument="languages",
            )
    cost = changes.get("hour_cost_cents")
    if cost is not None and not 0 <= cost <= MOST_HOUR_CENTS:
        raise Refused(
            Code.INVALID,
            f"hourCostCents must be 0 to {MOST_HOUR_CENTS:,}.",
            argument="hourCostCents",
        )
    minutes = changes.get("contract_minutes")
    if minutes is not None and not 0 <= minutes <= WEEK_MINUTES:
        raise Refused(
            Code.INVALID,
            f"contractMinutes must be 0 to {WEEK_MINUTES:,}, the minutes of a week.",
            argument="contractMinutes",
        )


def _must_have_whole_home(profile: GuardProfile, changed: dict[str, Any]) -> None:
    """Refuse half a place, and degrees that do not exist."""
    lat = changed.get("home_lat", profile.home_lat)
    lon = changed.get("home_lon", profile.home_lon)
    if (lat is None) != (lon is None):
        raise Refused(
            Code.INVALID,
            "Give both homeLat and homeLon, or neither.",
            argument="homeLat" if lat is None else "homeLon",
        )
    for name, value, most in (("homeLat", lat, 90), ("homeLon", lon, 180)):
        if value is not None and not -most <= value <= most:
            raise Refused(Code.INVALID, "The degrees are out of range.", argument=name)


async def _must_be_unique(tx: Tx, profile: GuardProfile, employee_number: str | None) -> None:
    if employee_number is None:
        return
    other = await tx.session.scalar(
        select(GuardProfile.id).where(
            GuardProfile.tenant_id == tx.actor.tenant_id,
            GuardProfile.employee_number == employee_number,
            GuardProfile.id != profile.id,
        )
    )
    if other is not None:
        raise Refused(
            Code.ALREADY_EXISTS,
            "Another guard has this employee number.",
            argument="employeeNumber",
        )
