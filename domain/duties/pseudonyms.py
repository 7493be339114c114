"""Pseudonyms of people for readers who may not know their names: one per client, so that clients cannot compare."""

import secrets
from collections.abc import Collection
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from domain.access import CLIENTS, Actor, Right
from domain.accounts.model import User
from domain.core.base import among, uuid7
from domain.credentials.model import Device
from domain.duties.model import GuardNumber

STAFF, CLIENT = "staff", "client"


class Doer(NamedTuple):
    """Who did something (`user:<id>`, `device:<id>`, `key:<id>`, `system:<name>`) that concerns a client."""

    account_id: UUID | None
    subject: str


def knows(actor: Actor, subject: str) -> bool:
    """Return whether an actor sees this subject unchanged: always for systems, keys and oneself."""
    hidden = subject.startswith(("user:", "device:"))
    return not hidden or actor.may(Right.READ_ACTORS) or subject == actor.subject


async def number_of(session: AsyncSession, tenant_id: UUID, account_id: UUID, user_id: UUID) -> int:
    """Return the guard's number at this client; a new one is random, so that clients cannot compare numbers."""
    known = select(GuardNumber.number).where(
        GuardNumber.account_id == account_id, GuardNumber.user_id == user_id
    )
    number = await session.scalar(known)
    if number is not None:
        return number
    fresh = insert(GuardNumber).values(
        id=uuid7(),
        tenant_id=tenant_id,
        account_id=account_id,
        user_id=user_id,
        number=secrets.randbelow(2**31 - 1) + 1,
    )
    await session.execute(fresh.on_conflict_do_nothing())
    return (await session.scalars(known)).one()


async def names_of(session: AsyncSession, actor: Actor, doers: Collection[Doer]) -> dict[Doer, str]:
    """Return what an actor sees instead of each subject.

    Clients see their own users unchanged, guards by the client's number of the guard (`guard:<number>`, a different one
    for every client), and everybody else of the company as `staff`.
    """
    names = {doer: doer.subject for doer in doers if knows(actor, doer.subject)}
    if len(names) == len(doers):
        return names
    people = {
        doer: found for doer in doers if doer not in names and (found := _id_in(doer.subject))
    }
    wanted = {*people.values()}
    by_id = select(User.id, User.role).where(among(User.id, wanted))
    roles = dict((await session.execute(by_id)).all())
    by_device = select(Device.id, Device.user_id).where(among(Device.id, wanted))
    owners = dict((await session.execute(by_device)).all())
    users = {doer: owners.get(found, found) for doer, found in people.items()}
    clients = {each.account_id for each in users if each.account_id is not None}
    numbers: dict[tuple[UUID | None, UUID], int] = {
        (account_id, user_id): number
        for account_id, user_id, number in await session.execute(
            select(GuardNumber.account_id, GuardNumber.user_id, GuardNumber.number).where(
                among(GuardNumber.user_id, {*users.values()}),
                among(GuardNumber.account_id, clients),
            )
        )
    }
    for doer, user_id in users.items():
        number = numbers.get((doer.account_id, user_id))
        if roles.get(user_id) in CLIENTS:
            names[doer] = doer.subject if actor.is_client else CLIENT
        else:
            names[doer] = STAFF if number is None else f"guard:{number}"
    return {doer: names.get(doer, STAFF) for doer in doers}


def _id_in(subject: str) -> UUID | None:
    try:
        return UUID(subject.partition(":")[2])
    except ValueError:
        return None
