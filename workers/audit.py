"""The audit trail's work: trees grow behind the relay, checkpoints are signed and sent; personal data goes in time."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import structlog
from sqlalchemy import func, select

from domain import audit, keyfile, messages, privacy
from domain.access import Role
from domain.accounts.model import Account, Tenant
from domain.audit import Checkpoint, Leaf, Signer
from domain.db import Sessions, reason, transaction
from domain.settings import Settings
from workers.jobs import Hand
from workers.periodic import is_away

log = structlog.get_logger()

EVERY_S = 1.0
FACTS = 2000  # added to a tree in a transaction
PUBLISH_EVERY_S = 60.0
EXPIRE_EVERY_S = 3600.0
ROWS = 500  # erased in a transaction


def signer_of(settings: Settings) -> Signer:
    """The installation's signature under audit trails: the key named in the settings, else `DATA/audit.pem`."""
    if settings.audit_key_file is not None:
        return Signer(keyfile.read(settings.audit_key_file), settings.audit_origin)
    return Signer(keyfile.read_or_make(settings.data / "audit.pem"), settings.audit_origin)


async def keep_audit(make: Sessions, settings: Settings) -> None:
    """Grow trees and sign checkpoints, every second, until cancelled; any number of workers may."""
    signer = await asyncio.to_thread(signer_of, settings)
    every = timedelta(minutes=settings.audit_every_minutes)
    looked_at = -PUBLISH_EVERY_S
    loop = asyncio.get_running_loop()
    while True:
        await grow_all(make)
        await sign_due(make, signer, every=every)
        if loop.time() - looked_at >= PUBLISH_EVERY_S:
            await publish_due(make, signer)
            looked_at = loop.time()
        await asyncio.sleep(EVERY_S)


async def grow_all(make: Sessions) -> None:
    """Bring every tree up to its ledger."""

    async def whole(tenant_id: UUID) -> None:
        while True:
            async with transaction(make) as session:
                if await audit.grow(session, tenant_id, limit=FACTS) < FACTS:
                    return

    async with make() as session:
        behind = await audit.behind(session)
    await _each(behind, whole)


async def sign_due(make: Sessions, signer: Signer, *, every: timedelta) -> None:
    """Sign the checkpoints that are due."""

    async def sign(tenant_id: UUID) -> None:
        async with transaction(make) as session:
            await audit.sign(session, signer, tenant_id, at=datetime.now(UTC))

    async with make() as session:
        due = await audit.due(session, at=datetime.now(UTC), every=every)
    await _each(due, sign)


async def publish_due(make: Sessions, signer: Signer) -> None:
    """Send this week's checkpoints that were not sent."""

    async def publish(tenant_id: UUID) -> None:
        async with transaction(make) as session:
            await audit.publish(session, signer, tenant_id, at=datetime.now(UTC))

    async with make() as session:
        due = await audit.unpublished(session, at=datetime.now(UTC))
    await _each(due, publish)


async def _each(tenants: Iterable[UUID], work: Callable[[UUID], Awaitable[None]]) -> None:
    """Work for one company after the other; one that fails stops itself only, and is said each time."""
    for tenant_id in tenants:
        try:
            await work(tenant_id)
        except audit.Damaged:
            log.exception("audit.damaged", tenant=str(tenant_id))
        except Exception as error:
            if is_away(error):
                raise
            log.exception("audit.failed", tenant=str(tenant_id), error=reason(error))


async def tell_checkpoint(hand: Hand) -> None:
    """Mail a checkpoint to the account's contacts: once each, by the message's own unique key."""
    fact, session = hand.fact, hand.session
    account_id = fact.account_id
    if account_id is None:
        return
    account = await session.get_one(Account, account_id)
    tenant = await session.get_one(Tenant, fact.tenant_id)
    signed = await session.get_one(Checkpoint, fact.subject_id)
    facts = await session.scalar(
        select(func.max(Leaf.nth)).where(Leaf.account_id == account_id, Leaf.position < signed.size)
    )
    await messages.compose(
        session,
        hand.actor,
        account_id,
        intent=f"checkpoint:{signed.id}",
        template=messages.CheckpointNotice.template,
        variables={
            "company": tenant.name,
            "account": account.name,
            "facts": facts or 0,
            "size": signed.size,
            "note": signed.note.rstrip("\n"),
            "verifier_key": signed.verifier_key,
            "signed_at": signed.signed_at,
        },
        at=hand.at,
    )


async def erase_person(hand: Hand) -> None:
    """Do what an erasure request asks, within the role and reach of who asked; doing it twice finds nothing left."""
    asked = hand.fact.body
    actor = hand.actor
    if "role" in asked:
        accounts = asked["accounts"]
        reach = None if accounts is None else frozenset(map(UUID, accounts))
        actor = replace(actor, role=Role(asked["role"]), accounts=reach)
    await privacy.erase(
        hand.session,
        actor,
        privacy.Person(asked["person"]),
        hand.fact.subject_id,
        confirmed=asked.get("mentions", ()),
        at=hand.at,
    )


async def keep_privacy(make: Sessions, settings: Settings) -> None:
    """Erase what was kept long enough, every hour, until cancelled."""
    while True:
        kept = privacy.Retention(
            messages=timedelta(days=settings.retain_messages_days),
            words=timedelta(days=settings.retain_words_days),
            users=timedelta(days=settings.retain_users_days),
        )
        async with transaction(make) as session:
            erased = await privacy.expire(session, kept, at=datetime.now(UTC), limit=ROWS)
        if not erased:
            await asyncio.sleep(EXPIRE_EVERY_S)
