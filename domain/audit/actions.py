"""Append facts to the trees, sign checkpoints, and send them."""

import secrets
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import func, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from domain.access import Actor, Right, Tx, is_shown_to_clients
from domain.accounts.model import Account
from domain.audit import merkle
from domain.audit.events import CheckpointPublished, CheckpointRequested
from domain.audit.model import Checkpoint, Leaf, Tile, Tree
from domain.audit.reads import READ, TreeCorrupt, checkpoint, roots, tiles
from domain.audit.rules import actor_salt, leaf_text, origin_of, week_of
from domain.audit.signed_note import Signer, checkpoint_text
from domain.core import epoch
from domain.core.base import uuid7
from domain.core.db import copy_rows
from domain.core.deferral import Subject, is_deferred
from domain.core.ledger import LedgerHead, LedgerRow, record

log = structlog.get_logger()


async def companies_behind(session: AsyncSession, *, at: datetime) -> list[Subject]:
    """Select companies whose tree lacks facts of their ledger; a company that failed waits until its next attempt."""
    query = (
        select(LedgerHead.tenant_id)
        .outerjoin(Tree, Tree.tenant_id == LedgerHead.tenant_id)
        .where(
            LedgerHead.seq > func.coalesce(Tree.seq, 0),
            ~is_deferred("audit", LedgerHead.tenant_id, at=at),
        )
    )
    return _companies(await session.scalars(query))


async def append(session: AsyncSession, tenant_id: UUID, *, limit: int = 2000) -> int:
    """Append the next facts of a company to its tree, in the order of their numbers; return how many.

    A step is one transaction under the tree's lock: a worker that crashes leaves the tree unchanged, and two workers
    run one after the other. Numbers become visible in order, so no fact can appear before those that were read.
    """
    tree = await _locked(session, tenant_id)
    query = select(*READ).where(LedgerRow.tenant_id == tenant_id, LedgerRow.seq > tree.seq)
    facts = (await session.execute(query.order_by(LedgerRow.seq).limit(limit))).all()
    if not facts:
        return 0
    numbers = await _numbered(session, facts)
    numbered = list(zip(facts, numbers, strict=True))
    hashes = [
        merkle.leaf_hash(leaf_text(fact, nth, actor_salt(tree.secret, fact.id)))
        for fact, nth in numbered
    ]
    edge = await tiles(session, tenant_id, merkle.frontier(tree.size))
    await _keep(session, tenant_id, merkle.appended(tree.size, edge, hashes))
    await copy_rows(
        session,
        Leaf.__tablename__,
        ("tenant_id", "position", "seq", "account_id", "nth"),
        [
            (tenant_id, position, fact.seq, fact.account_id, nth)
            for position, (fact, nth) in enumerate(numbered, tree.size)
        ],
    )
    tree.size, tree.seq = tree.size + len(facts), facts[-1].seq
    if any(fact.kind == CheckpointRequested.kind for fact in facts):
        tree.is_wanted = True
    await session.flush()
    return len(facts)


async def due(session: AsyncSession, *, at: datetime, every: timedelta) -> list[Subject]:
    """Select companies whose tree needs a checkpoint: it has new facts, and the last one is old or one was requested.

    One that failed waits until its next attempt.
    """
    old = or_(Tree.signed_at.is_(None), Tree.signed_at <= at - every)
    query = select(Tree.tenant_id).where(
        Tree.size > Tree.signed_size,
        or_(Tree.is_wanted, old),
        ~is_deferred("checkpoints", Tree.tenant_id, at=at),
    )
    return _companies(await session.scalars(query))


async def sign(
    session: AsyncSession, signer: Signer, tenant_id: UUID, *, at: datetime
) -> Checkpoint | None:
    """Sign a checkpoint of a company's tree, and send it to the accounts that requested one; None for an empty tree.

    The same size gives the same checkpoint. Raises `TreeCorrupt` when the tree does not continue the last one.
    """
    tree = await _locked(session, tenant_id)
    if not tree.size:
        return None
    since, asked = tree.signed_seq, tree.is_wanted
    signed = await _signed(session, signer, tree, at)
    if asked:
        accounts = await session.scalars(
            select(LedgerRow.account_id)
            .where(
                LedgerRow.tenant_id == tenant_id,
                LedgerRow.kind == CheckpointRequested.kind,
                LedgerRow.seq > since,
                LedgerRow.seq <= tree.seq,
            )
            .distinct()
        )
        _publish(session, signed, accounts.all(), once=str(signed.id), at=at)
    await session.flush()
    return signed


async def unpublished(session: AsyncSession, *, at: datetime) -> list[Subject]:
    """Select companies that have not sent this week's checkpoint; none is due in the week of a company's first one.

    One that failed waits until its next attempt.
    """
    query = select(Tree.tenant_id).where(
        Tree.week < week_of(at), ~is_deferred("weekly checkpoints", Tree.tenant_id, at=at)
    )
    return _companies(await session.scalars(query))


def _companies(ids: Iterable[UUID]) -> list[Subject]:
    return [Subject(tenant_id, tenant_id) for tenant_id in ids]


async def publish(session: AsyncSession, signer: Signer, tenant_id: UUID, *, at: datetime) -> bool:
    """Sign this week's checkpoint of a company and send it to every client; False when that was done before."""
    tree, week = await _locked(session, tenant_id), week_of(at)
    if tree.week is None or tree.week >= week:
        return False
    signed = await _signed(session, signer, tree, at)
    accounts = await session.scalars(select(Account.id).where(Account.tenant_id == tenant_id))
    _publish(session, signed, accounts.all(), once=week, at=at)
    tree.week = week
    await session.flush()
    return True


async def request_checkpoint(tx: Tx, account_id: UUID) -> Account:
    """Request a new checkpoint to be mailed to the account's contacts; it includes the fact of the request."""
    tx.actor.must(Right.REQUEST_PROOF)
    account = await tx.get(Account, account_id, "account", argument="accountId")
    tx.record(CheckpointRequested(account_id=account_id, subject_id=account_id, at=tx.at))
    return account


async def _locked(session: AsyncSession, tenant_id: UUID) -> Tree:
    await session.execute(
        insert(Tree)
        .values(
            tenant_id=tenant_id,
            size=0,
            seq=0,
            signed_size=0,
            signed_seq=0,
            is_wanted=False,
            secret=secrets.token_bytes(32),
            hidden_from=0,
        )
        .on_conflict_do_nothing()
    )
    query = select(Tree).where(Tree.tenant_id == tenant_id).with_for_update()
    return (await session.scalars(query.execution_options(populate_existing=True))).one()


async def _numbered(session: AsyncSession, facts: Sequence[Any]) -> list[int | None]:
    """Return the position of each fact among those its account's clients see; None for facts they do not see."""
    accounts = {
        fact.account_id for fact in facts if is_shown_to_clients(fact.account_id, fact.body)
    }
    # A subquery per account is one index descent; grouping would read all their leaves.
    highest = select(func.max(Leaf.nth)).where(Leaf.account_id == Account.id).scalar_subquery()
    rows = await session.execute(select(Account.id, highest).where(Account.id.in_(accounts)))
    last: dict[UUID | None, int] = {account_id: nth or 0 for account_id, nth in rows}
    numbers: list[int | None] = []
    for fact in facts:
        if is_shown_to_clients(fact.account_id, fact.body):
            last[fact.account_id] = last.get(fact.account_id, 0) + 1
            numbers.append(last[fact.account_id])
        else:
            numbers.append(None)
    return numbers


async def _keep(
    session: AsyncSession, tenant_id: UUID, changed: Mapping[merkle.Tile, bytes]
) -> None:
    upsert = insert(Tile)
    await session.execute(
        upsert.on_conflict_do_update(
            index_elements=[Tile.tenant_id, Tile.level, Tile.number],
            set_={"hashes": upsert.excluded.hashes},
        ),
        [
            {"tenant_id": tenant_id, "level": level, "number": number, "hashes": hashes}
            for (level, number), hashes in changed.items()
        ],
    )


async def _signed(session: AsyncSession, signer: Signer, tree: Tree, at: datetime) -> Checkpoint:
    """Return the checkpoint of the tree's size: the existing one, or a new one that continues the last."""
    last = await checkpoint(session, tree.tenant_id)
    if last is not None:
        if last.size > tree.size:
            raise TreeCorrupt(
                f"{tree.tenant_id}: {last.size} facts were signed, {tree.size} are left"
            )
        [root] = await roots(session, tree.tenant_id, [(0, last.size)])
        if root != last.root:
            raise TreeCorrupt(
                f"{tree.tenant_id}: the first {last.size} facts are not what was signed"
            )
    tree.signed_size, tree.signed_seq, tree.signed_at = tree.size, tree.seq, at
    tree.is_wanted, tree.week = False, tree.week or week_of(at)
    if last is not None and last.size == tree.size:
        return last
    [root] = await roots(session, tree.tenant_id, [(0, tree.size)])
    name = origin_of(signer.origin, tree.tenant_id)
    known = await epoch.current(session)
    text = checkpoint_text(name, tree.size, root, None if known is None else known.id)
    new = Checkpoint(
        id=uuid7(),
        tenant_id=tree.tenant_id,
        size=tree.size,
        root=root,
        note=signer.sign(text, name),
        verifier_key=signer.verifier_key(name),
        signed_at=at,
    )
    session.add(new)
    log.info("audit.signed", tenant=str(tree.tenant_id), size=tree.size)
    return new


def _publish(
    session: AsyncSession,
    signed: Checkpoint,
    accounts: Iterable[UUID | None],
    *,
    once: str,
    at: datetime,
) -> None:
    """Record one fact per account, which triggers a job; the key makes a second one fail."""
    for account_id in accounts:
        record(
            session,
            Actor.system(signed.tenant_id, "audit"),
            CheckpointPublished(
                account_id=account_id,
                subject_id=signed.id,
                at=at,
                size=signed.size,
                root=signed.root.hex(),
            ),
            once_key=f"checkpoint:{account_id}:{once}",
        )
