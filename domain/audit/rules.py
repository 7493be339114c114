"""Rules: the content of a leaf, the numbering of a client's facts, the names of trees, and the week of a checkpoint."""

import hashlib
import hmac
from datetime import datetime, timedelta
from typing import Any, Protocol
from uuid import UUID

import msgspec

from domain.core.erasable_text import PREFIX

PUBLISHED_AFTER = timedelta(hours=6)
"""A week's checkpoint is sent from Monday 06:00 UTC on: in the morning in the Netherlands."""


class LeafColumns(Protocol):
    """The columns of a ledger entry that its leaf covers."""

    id: int
    tenant_id: UUID
    account_id: UUID | None
    kind: str
    subject_id: UUID
    at: datetime
    recorded_at: datetime
    origin: Any
    actor: str
    body: dict[str, Any]
    trace_id: str | None
    once_key: str | None


def actor_salt(secret: bytes, fact_id: int) -> bytes:
    """Derive the salt with which the leaf of a fact commits to its actor."""
    return hmac.digest(secret, str(fact_id).encode(), "sha256")


def leaf_text(fact: LeafColumns, nth: int | None, salt: bytes | None) -> bytes:
    """Format a fact as canonical JSON: sorted keys, UTC times, no spaces.

    Its number in the whole ledger is left out, because it counts the facts of other companies too; its position in the
    tree gives the order. `nth` counts the facts that the account's clients see, so that they notice a missing one. With
    a salt the text commits to the actor: clients read it, and an id that is the same for all clients would identify a
    person.
    """
    actor = (
        fact.actor
        if salt is None
        else PREFIX + hashlib.sha256(salt + fact.actor.encode()).hexdigest()
    )
    content = {
        "v": 1 if salt is None else 2,
        "tenant": fact.tenant_id,
        "account": fact.account_id,
        "nth": nth,
        "kind": fact.kind,
        "subject": fact.subject_id,
        "at": fact.at,
        "recorded_at": fact.recorded_at,
        "origin": fact.origin,
        "actor": actor,
        "body": fact.body,
        "trace": fact.trace_id,
        "once": fact.once_key,
    }
    return msgspec.json.encode(content, order="deterministic")


def origin_of(origin: str, tenant_id: UUID) -> str:
    """Return the name of a company's tree, which its checkpoints begin with and its key is called."""
    return f"{origin}/{tenant_id}"


def week_of(at: datetime) -> str:
    """Return the week whose checkpoint is sent at this time."""
    year, week, _day = (at - PUBLISHED_AFTER).isocalendar()
    return f"{year}-W{week:02d}"
