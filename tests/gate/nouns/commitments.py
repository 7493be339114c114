"""Commitments for the probes of the gate: one open, one late, one internal."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from domain import accounts, commitments
from domain.access import Actor, Role, Tx
from domain.commitments import Commitment, CommitmentKind
from domain.core.base import uuid7
from domain.core.db import transaction
from schema.core import ids
from tests.api.asking import Api, Office
from workers.commitments import look_at_due


async def owner_of(tx: Tx) -> UUID:
    """An office user of the company."""
    email = f"{uuid7()}@example.org"
    return (await accounts.add_user(tx, email=email, name="Owner", role=Role.DISPATCHER)).id


async def commitment(
    api: Api, office: Office, *, days: float = 3_000, internal: bool = False
) -> Commitment:
    """An open commitment."""
    async with transaction(api.make) as session:
        made = api.state.now() - timedelta(days=1)
        tx = Tx(session, Actor.system(office.world.tenant.id, "test"), made)
        return await commitments.make(
            tx, office.world.account.id, kind=CommitmentKind.ACTION_ITEM, words="Change the lock",
            owner_id=await owner_of(tx), due_at=made + timedelta(days=days), internal=internal,
        )  # fmt: skip


async def furnish(api: Api, office: Office) -> None:
    """Make an open, an internal and a late commitment."""
    await commitment(api, office)
    await commitment(api, office, internal=True)
    await commitment(api, office, days=0.5)
    await look_at_due(api.make, at=api.state.now())


async def _open(api: Api, office: Office) -> dict[str, Any]:
    row = await commitment(api, office)
    return {"id": ids.write("Commitment", row.id)}


async def _made(api: Api, office: Office) -> dict[str, Any]:
    async with transaction(api.make) as session:
        tx = Tx(session, Actor.system(office.world.tenant.id, "test"), api.state.now())
        owner = await owner_of(tx)
    due = api.state.now() + timedelta(days=3_000)
    return {"ownerUserId": ids.write("User", owner), "dueAt": due.isoformat()}


async def _handed_over(api: Api, office: Office) -> dict[str, Any]:
    found = await _made(api, office)
    return await _open(api, office) | {"ownerUserId": found["ownerUserId"]}


DOABLE = {
    "makeCommitment": _made,
    "finishCommitment": _open,
    "withdrawCommitment": _open,
    "handOverCommitment": _handed_over,
}
LAST_FACTS = {"commitmentEvents": "commitment.late"}
