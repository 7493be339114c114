"""Bundles: the input of `waarborg-verify`, as a sequence of JSON records.

`{"bundle": …}`, `{"checkpoint": note}`, `{"consistency": …}` from earlier checkpoints, `{"fact": …}` in the order of
the tree, `{"end": how many}`. One account's facts come each with a proof. A whole company's come without: the tree is
rebuilt from them, so that a missing, added or moved fact is detected.
"""

from base64 import b64encode
from collections.abc import AsyncIterator, Iterable
from dataclasses import replace
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from domain.access import Actor, Role
from domain.audit.model import Checkpoint
from domain.audit.reads import ProvenFact, consistency, proven_facts
from domain.core.ledger import LedgerRow

PAGE = 1000


async def records(
    session: AsyncSession,
    actor: Actor,
    checkpoint: Checkpoint,
    account_id: UUID | None,
    *,
    since: Iterable[int] = (),
) -> AsyncIterator[dict[str, Any]]:
    """Yield the bundle of one account, or of the actor's whole company, under a checkpoint.

    With an account it holds what that account's clients may see, whoever exports it.
    """
    # A client's bundle holds what clients may see, whoever exports it.
    reader = actor if account_id is None else replace(actor, role=Role.CLIENT_ADMIN)
    tenant_id, size = checkpoint.tenant_id, checkpoint.size
    yield {
        "bundle": "waarborg-audit",
        "version": 1,
        "account": None if account_id is None else str(account_id),
    }
    yield {"checkpoint": checkpoint.note}
    for old in sorted(set(since)):
        if 0 < old < size:
            hashes = await consistency(session, tenant_id, old, size)
            yield {"consistency": {"from": old, "to": size, "hashes": encoded(hashes)}}
    after, facts = -1, 0
    while True:
        page = await proven_facts(
            session,
            actor.scope(LedgerRow),
            tenant_id=tenant_id,
            account_id=account_id,
            size=size,
            after=after,
            limit=PAGE,
            prove=account_id is not None,
            shown=account_id is not None,
            reader=reader,
        )
        for fact in page:
            yield {"fact": record(fact)}
        facts += len(page)
        if len(page) < PAGE:
            break
        after = page[-1].position
    yield {"end": facts}


def record(fact: ProvenFact) -> dict[str, Any]:
    """Format a fact with its proof for the verifier."""
    return {
        "position": fact.position,
        "text": fact.text,
        "hashes": encoded(fact.hashes),
        "disclosures": {
            field: {"salt": b64encode(salt).decode(), "words": words}
            for field, (salt, words) in fact.disclosures.items()
        },
    }


def encoded(hashes: Iterable[bytes]) -> list[str]:
    """Encode hashes in base64."""
    return [b64encode(each).decode() for each in hashes]
