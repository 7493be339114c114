"""Proofs of the audit trail: a Merkle tree over each company's ledger, signed checkpoints, and bundles for clients."""

from domain.audit.actions import (
    append,
    companies_behind,
    due,
    publish,
    request_checkpoint,
    sign,
    unpublished,
)
from domain.audit.model import Checkpoint, Leaf
from domain.audit.notices import tell_checkpoint
from domain.audit.reads import (
    ProvenFact,
    TreeCorrupt,
    checkpoint,
    consistency,
    must_not_be_restored,
    proven_facts,
    published_sizes,
)
from domain.audit.rules import leaf_text, origin_of, week_of
from domain.audit.signed_note import Signer

__all__ = [
    "Checkpoint",
    "Leaf",
    "ProvenFact",
    "Signer",
    "TreeCorrupt",
    "append",
    "checkpoint",
    "companies_behind",
    "consistency",
    "due",
    "leaf_text",
    "must_not_be_restored",
    "origin_of",
    "proven_facts",
    "publish",
    "published_sizes",
    "request_checkpoint",
    "sign",
    "tell_checkpoint",
    "unpublished",
    "week_of",
]
