"""Bundles for tests: a company's trail signed, taken out and given to the verifier."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy.ext.asyncio import AsyncSession

from api import verify
from domain import audit
from domain.access import Actor
from domain.audit import Checkpoint, Signer, bundle
from domain.core.db import Sessions, transaction
from tests import facts
from tests.facts import T0

SIGNER = Signer(Ed25519PrivateKey.from_private_bytes(bytes(range(32))), "audit.test")


async def signed(make: Sessions, tenant_id: UUID, signer: Signer = SIGNER) -> Checkpoint:
    """Number, grow and sign everything of a company."""
    await facts.number_all(make)
    async with transaction(make) as session:
        while await audit.append(session, tenant_id):
            pass
        checkpoint = await audit.sign(session, signer, tenant_id, at=T0)
    assert checkpoint is not None
    return checkpoint


async def taken_out(
    session: AsyncSession,
    path: Path,
    tenant_id: UUID,
    account_id: UUID | None = None,
    since: Iterable[int] = (),
) -> Path:
    """A bundle of one account, or of everything of the company, under the last checkpoint."""
    checkpoint = await audit.checkpoint(session, tenant_id)
    assert checkpoint is not None
    actor = Actor.system(tenant_id, "test")
    with path.open("w") as file:
        async for record in bundle.records(session, actor, checkpoint, account_id, since=since):
            file.write(json.dumps(record) + "\n")
    return path


def verified(
    path: Path, capsys: pytest.CaptureFixture[str], *more: str | Path, key: str | None = None
) -> tuple[int, str]:
    """The verifier's exit code and words about a bundle."""
    arguments: Sequence[str] = [str(path), *map(str, more)]
    code = verify.main(arguments if key is None else [*arguments, "--key", key])
    told = capsys.readouterr()
    return code, told.out + told.err
