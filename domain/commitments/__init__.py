"""Commitments: what a user of the company promised a client by an instant, kept, late or withdrawn."""

from domain.commitments.actions import finish, hand_over, make, must_be_colleague, withdraw
from domain.commitments.clocks import COMMITMENT
from domain.commitments.model import Commitment, CommitmentKind, CommitmentState
from domain.commitments.watching import DUE, commitments_due, look_at_commitment

__all__ = [
    "COMMITMENT",
    "DUE",
    "Commitment",
    "CommitmentKind",
    "CommitmentState",
    "commitments_due",
    "finish",
    "hand_over",
    "look_at_commitment",
    "make",
    "must_be_colleague",
    "withdraw",
]
