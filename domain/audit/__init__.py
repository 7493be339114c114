"""Proofs of the audit trail: a Merkle tree over each company's ledger, signed checkpoints, and bundles for clients."""

from domain.audit.actions import (
    behind,
    due,
    grow,
    publish,
    request_checkpoint,
    sign,
    unpublished,
)
from domain.audit.model import Checkpoint, Leaf
from domain.audit.reads import (
    Damaged,
    Held,
    checkpoint,
    consistency,
    held,
    must_not_be_restored,
    published_sizes,
)
from domain.audit.rules import leaf_text, origin_of, week_of
from domain.audit.signed_note import Signer

__all__ = [
    "Checkpoint",
    "Damaged",
    "Held",
    "Leaf",
    "Signer",
    "behind",
    "checkpoint",
    "consistency",
    "due",
    "grow",
    "held",
    "leaf_text",
    "must_not_be_restored",
    "origin_of",
    "publish",
    "published_sizes",
    "request_checkpoint",
    "sign",
    "unpublished",
    "week_of",
]
