"""Proofs of the audit trail: checkpoints, inclusion and consistency. `waarborg-verify` reads these."""

from base64 import b64encode
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

import strawberry

from domain import accounts, audit
from domain.access import visible_to
from domain.audit import ProvenFact, bundle
from domain.core import cursor
from domain.core.ledger import LedgerRow
from schema.accounts import Account
from schema.core import ids
from schema.core.context import Context, Info
from schema.core.loaders import checked
from schema.core.mutations import AccountId, MutationContext, mutation
from schema.core.roots import mutation_fields, query_fields
from schema.core.scalars import Json, Long
from schema.core.types import from_row, resolver

TreeSize = Annotated[
    Long | None, "Size of the checkpoint to use, in facts; null for the newest checkpoint."
]


@from_row(audit.Checkpoint)
class AuditCheckpoint:
    """Signed statement of the size and root of the company's ledger as a Merkle tree (RFC 6962)."""

    size: Annotated[Long, "Number of facts that the checkpoint covers."]
    note: Annotated[
        str,
        "Checkpoint as a signed note (c2sp.org/tlog-checkpoint). Keep it: it is your proof.",
    ]
    verifier_key: Annotated[
        str,
        "Public key of the signature. Verify with the key that you received by e-mail, not with this one.",
    ]
    signed_at: Annotated[datetime, "Time at which the checkpoint was signed."]

    @resolver(str)
    @staticmethod
    def root_hash(row: strawberry.Parent[audit.Checkpoint]) -> str:
        """Root hash of the tree, in base64."""
        return b64encode(row.root).decode()


@dataclass(frozen=True, slots=True)
class Proven:
    """Facts of one account under one checkpoint."""

    account: str
    tree_size: int
    facts: list[ProvenFact]


@dataclass(frozen=True, slots=True)
class Extension:
    """Proof that one checkpoint continues another."""

    hashes: tuple[bytes, ...]


HeldRow = strawberry.Parent[ProvenFact]


@from_row(ProvenFact)
class AuditFact:
    """Fact as stored in its leaf of the tree, with the proof of inclusion."""

    position: Annotated[Long, "Position of the leaf in the tree, from 0."]
    text: Annotated[
        str,
        "Fact in canonical JSON. The hash of the leaf is SHA-256 over a zero byte and this text.",
    ]

    @resolver(list[str])
    @staticmethod
    def hashes(row: HeldRow) -> list[str]:
        """Audit path (RFC 6962 §2.1.1) from the leaf to the root, in base64."""
        return bundle.encoded(row.hashes)

    @resolver(Json)
    @staticmethod
    def disclosures(row: HeldRow) -> Any:
        """Salt and text for each field that holds a `sha256:…` commitment (`salt` and `words`), unless erased."""
        return bundle.record(row)["disclosures"]


@from_row(Proven)
class AuditFacts:
    """Facts of one account under one checkpoint."""

    account: Annotated[str, "Id of the account, as used in the text of the facts."]
    tree_size: Annotated[Long, "Size of the checkpoint to which the proofs lead."]

    @resolver(list[AuditFact])
    @staticmethod
    def facts(row: strawberry.Parent[Proven]) -> list[ProvenFact]:
        """Facts in the order of their positions."""
        return row.facts


@from_row(Extension)
class AuditConsistency:
    """Proof of consistency (RFC 6962 §2.1.2): the newer checkpoint changed nothing of the older one."""

    @resolver(list[str])
    @staticmethod
    def hashes(row: strawberry.Parent[Extension]) -> list[str]:
        """Hashes of the proof, in base64."""
        return bundle.encoded(row.hashes)


@query_fields
class AuditQuery:
    """Queries of the audit trail."""

    @resolver(AuditCheckpoint | None)
    @staticmethod
    async def audit_checkpoint(info: Info, tree_size: TreeSize = None) -> audit.Checkpoint | None:
        """Checkpoint of the company's audit trail; null when there is none (yet) of that size."""
        ctx: Context = info.context
        async with ctx.sessions() as session:
            return await audit.checkpoint(session, ctx.actor.tenant_id, size=tree_size)

    @resolver(AuditFact | None, work=50)
    @staticmethod
    async def audit_proof(
        info: Info,
        entry_id: Annotated[str, "Fact to prove, by its `cursor` in the ledger."],
        tree_size: TreeSize = None,
    ) -> ProvenFact | None:
        """Proof that a checkpoint includes a fact; null when you may not see the fact or it is not included (yet)."""
        ctx: Context = info.context
        at = cursor.position_of(ctx.secret, ctx.actor.tenant_id, entry_id)
        seq = await ctx.hub.check_cursor(at, argument="entryId")
        async with ctx.sessions() as session:
            under = await audit.checkpoint(session, ctx.actor.tenant_id, size=tree_size)
            if under is None:
                return None
            found = await audit.proven_facts(
                session,
                visible_to(ctx.actor, LedgerRow),
                LedgerRow.seq == seq,
                tenant_id=ctx.actor.tenant_id,
                size=under.size,
                limit=1,
                shown=False,
                reader=ctx.actor,
            )
        return found[0] if found else None

    @resolver(AuditFacts | None, work=500)
    @staticmethod
    async def audit_facts(
        info: Info,
        account_id: Annotated[strawberry.ID, "Account to read the facts of."],
        tree_size: TreeSize = None,
        first: Annotated[int, "Maximum number of facts to return, at most 100."] = 50,
        after: Annotated[
            Long, "Position after which to start; -1 starts with the first fact."
        ] = -1,  # type: ignore[assignment]
    ) -> Proven | None:
        """Facts visible to a client, each with its proof, in the order of the tree; null without a checkpoint."""
        ctx: Context = info.context
        account: accounts.Account | None = None
        row_id = ids.known(account_id, "Account")
        if row_id is not None:
            account = await ctx.get(accounts.Account, row_id)
        async with ctx.sessions() as session:
            under = await audit.checkpoint(session, ctx.actor.tenant_id, size=tree_size)
            if account is None or under is None:
                return None
            facts = await audit.proven_facts(
                session,
                visible_to(ctx.actor, LedgerRow),
                tenant_id=ctx.actor.tenant_id,
                account_id=account.id,
                size=under.size,
                after=after,
                limit=checked(first, "first"),
                reader=ctx.actor,
            )
        return Proven(str(account.id), under.size, facts)

    @resolver(AuditConsistency | None, work=50)
    @staticmethod
    async def audit_consistency(
        info: Info,
        since: Annotated[
            Long,
            strawberry.argument(name="from", description="Size of the older checkpoint, in facts."),
        ],
        to: Annotated[Long, "Size of the newer checkpoint, in facts."],
    ) -> Extension | None:
        """Proof that one checkpoint continues another; null unless both were signed."""
        ctx: Context = info.context
        async with ctx.sessions() as session:
            for size in (since, to):
                if await audit.checkpoint(session, ctx.actor.tenant_id, size=size) is None:
                    await audit.must_not_be_restored(session)
                    return None
            if since > to:
                return None
            hashes = await audit.consistency(session, ctx.actor.tenant_id, since, to)
        return Extension(hashes)


@mutation_fields
class AuditMutation:
    """Mutations of the audit trail."""

    @mutation(Account)
    @staticmethod
    async def request_checkpoint(
        ask: MutationContext,
        account_id: Annotated[AccountId, "Account that receives the checkpoint."],
    ) -> accounts.Account:
        """Sign a new checkpoint and send it by e-mail to the contacts of the account."""
        return await audit.request_checkpoint(ask.tx, account_id)
