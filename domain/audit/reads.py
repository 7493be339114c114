"""Read checkpoints and proofs. The caller passes the scope as conditions on ledger entries."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from domain.access import Actor, Right
from domain.access.facts import hidden_words
from domain.audit import merkle
from domain.audit.events import CheckpointPublished
from domain.audit.model import Checkpoint, Leaf, Tile, Tree
from domain.audit.rules import actor_salt, leaf_text
from domain.core.base import JSON
from domain.core.epoch import LedgerEpoch
from domain.core.erasable_text import ErasableText, is_commitment
from domain.core.errors import Code, Refused
from domain.core.ledger import LedgerRow

READ = (
    *(
        LedgerRow.id,
        LedgerRow.seq,
        LedgerRow.tenant_id,
        LedgerRow.account_id,
        LedgerRow.kind,
        LedgerRow.subject_id,
        LedgerRow.at,
    ),
    *(
        LedgerRow.recorded_at,
        LedgerRow.origin,
        LedgerRow.actor,
        LedgerRow.body,
        LedgerRow.trace_id,
        LedgerRow.once_key,
    ),
)
"""The columns that a leaf is made of."""


class TreeCorrupt(Exception):
    """The stored tree is corrupt: it lacks hashes, or does not continue what was signed."""


@dataclass(frozen=True, slots=True)
class ProvenFact:
    """A fact with the content of its leaf, and the proof that the tree of some size has it at this position."""

    position: int
    text: str
    hashes: tuple[bytes, ...]
    disclosures: dict[str, tuple[bytes, str]]
    """Field → salt and text, where they are not erased."""


async def checkpoint(
    session: AsyncSession, tenant_id: UUID, *, size: int | None = None
) -> Checkpoint | None:
    """Return the checkpoint over `size` facts, or the last one."""
    query = select(Checkpoint).where(Checkpoint.tenant_id == tenant_id)
    if size is not None:
        query = query.where(Checkpoint.size == size)
    found: Checkpoint | None = await session.scalar(query.order_by(Checkpoint.size.desc()).limit(1))
    return found


async def must_not_be_restored(session: AsyncSession) -> None:
    """Refuse when the ledger was restored from a backup: earlier checkpoints may be of another epoch."""
    epochs = list(await session.scalars(select(LedgerEpoch).order_by(LedgerEpoch.began_at)))
    if len(epochs) > 1:
        raise Refused(
            Code.LEDGER_RESTORED,
            f"The ledger was restored from a backup on {epochs[-1].began_at:%Y-%m-%d %H:%M} UTC "
            f"({epochs[-1].reason}): no checkpoint of this size is in its history.",
        )


async def consistency(
    session: AsyncSession, tenant_id: UUID, old: int, new: int
) -> tuple[bytes, ...]:
    """Return the proof that the tree of `new` facts begins with the one of `old`; both sizes must have been signed."""
    return tuple(await roots(session, tenant_id, merkle.extension(old, new)))


async def published_sizes(
    session: AsyncSession, tenant_id: UUID, account_id: UUID | None
) -> list[int]:
    """Return the sizes of the checkpoints sent to an account's contacts; of all accounts when None."""
    query = select(LedgerRow.body["size"].as_integer()).where(
        LedgerRow.tenant_id == tenant_id, LedgerRow.kind == CheckpointPublished.kind
    )
    if account_id is not None:
        query = query.where(LedgerRow.account_id == account_id)
    return list(await session.scalars(query.distinct()))


async def proven_facts(
    session: AsyncSession,
    *conditions: ColumnElement[bool],
    tenant_id: UUID,
    account_id: UUID | None = None,
    size: int,
    after: int = -1,
    limit: int,
    prove: bool = True,
    shown: bool = True,
    reader: Actor,
) -> list[ProvenFact]:
    """Return facts under these conditions in the tree of `size`, by position after `after`, with their proofs.

    With an account only its facts; unless `shown` is off, only those that clients see.

    Disclosures are those that `reader` may read; that of `actor` for readers who may know who did something.

    The text is made from the ledger, the proof from the tree: so a fact that was edited is not proven.
    """
    rows = (
        await session.execute(
            select(*READ, Leaf.position, Leaf.nth, Tree.secret, Tree.hidden_from)
            .join(Tree, Tree.tenant_id == LedgerRow.tenant_id)
            .join(Leaf, and_(Leaf.tenant_id == LedgerRow.tenant_id, Leaf.seq == LedgerRow.seq))
            .where(
                Leaf.tenant_id == tenant_id,
                Leaf.position > after,
                Leaf.position < size,
                # Repeated for the leaf: its index finds a small client's facts among many.
                *(
                    [Leaf.account_id == account_id, LedgerRow.account_id == account_id]
                    if account_id
                    else []
                ),
                *([Leaf.nth.is_not(None)] if shown else []),
                *conditions,
            )
            .order_by(Leaf.position)
            .limit(limit)
        )
    ).all()
    paths = [merkle.path(row.position, size) if prove else [] for row in rows]
    root = merkle.Roots(
        await tiles(session, tenant_id, merkle.tiles_for(each for path in paths for each in path))
    )
    words = await _disclosed(session, [row.body for row in rows])
    return [
        ProvenFact(
            row.position,
            leaf_text(row, row.nth, _salt(row)).decode(),
            tuple(root(each) for each in path),
            _disclosures(row, words, reader),
        )
        for row, path in zip(rows, paths, strict=True)
    ]


def _salt(row: Any) -> bytes | None:
    return actor_salt(row.secret, row.id) if row.position >= row.hidden_from else None


def _disclosures(
    row: Any, words: dict[str, tuple[bytes, str]], reader: Actor
) -> dict[str, tuple[bytes, str]]:
    hidden, salt = hidden_words(reader, row.kind), _salt(row)
    disclosures = {
        field: words[value]
        for field, value in row.body.items()
        if isinstance(value, str) and value in words and field not in hidden
    }
    if salt is not None and reader.may(Right.READ_ACTORS):
        disclosures["actor"] = (salt, row.actor)
    return (
        disclosures
        if reader.may(Right.READ_WORDS)
        else {k: v for k, v in disclosures.items() if k == "actor"}
    )


async def tiles(
    session: AsyncSession, tenant_id: UUID, wanted: Collection[merkle.Tile]
) -> dict[merkle.Tile, bytes]:
    """Read tiles of a company's tree, with one query."""
    if not wanted:
        return {}
    rows = await session.execute(
        select(Tile.level, Tile.number, Tile.hashes).where(
            Tile.tenant_id == tenant_id, tuple_(Tile.level, Tile.number).in_(wanted)
        )
    )
    found = {(level, number): hashes for level, number, hashes in rows}
    if len(found) != len(wanted):
        raise TreeCorrupt(f"tiles are missing from the tree of {tenant_id}")
    return found


async def roots(
    session: AsyncSession, tenant_id: UUID, ranges: Sequence[merkle.Range]
) -> list[bytes]:
    """Return the roots over ranges of leaves, as a proof lists them."""
    root = merkle.Roots(await tiles(session, tenant_id, merkle.tiles_for(ranges)))
    return [root(each) for each in ranges]


async def _disclosed(session: AsyncSession, bodies: Sequence[JSON]) -> dict[str, tuple[bytes, str]]:
    commitments = {value for body in bodies for value in body.values() if is_commitment(value)}
    if not commitments:
        return {}
    rows = await session.execute(
        select(ErasableText.commitment, ErasableText.salt, ErasableText.words).where(
            ErasableText.commitment.in_(commitments)
        )
    )
    return {commitment: (salt, words) for commitment, salt, words in rows}
