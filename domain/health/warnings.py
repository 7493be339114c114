"""Raise and clear early warnings of an account."""

from uuid import UUID

from sqlalchemy import select

from domain.access import Tx
from domain.accounts.model import Account, CadenceTier, User
from domain.commitments.model import Commitment
from domain.core.base import uuid7
from domain.health.events import WarningCleared, WarningRaised
from domain.health.facts import AccountFacts
from domain.health.model import EarlyWarning
from domain.health.signals import MOST_EVIDENCE
from domain.health.warning_input import OpenWarning, WarningInput
from domain.health.warning_rules import BY_RULE, raised


async def follow_warnings(
    tx: Tx, account: Account, facts: AccountFacts, *, band: int | None
) -> None:
    """Raise the warnings whose condition holds and that are not open, and clear the open ones whose does not."""
    rows = await tx.session.scalars(
        select(EarlyWarning).where(
            EarlyWarning.account_id == account.id, EarlyWarning.cleared_at.is_(None)
        )
    )
    known = {row.rule: row for row in rows}
    given = WarningInput(
        facts,
        band,
        account.cadence_tier in (CadenceTier.STRATEGIC, CadenceTier.CORE),
        [OpenWarning(row.rule, row.raised_at) for row in known.values()],
        await _unowned(tx, account),
    )
    found = raised(given)
    for rule, evidence in found.items():
        if rule in known:
            continue
        row = EarlyWarning(
            id=uuid7(),
            tenant_id=account.tenant_id,
            account_id=account.id,
            rule=rule,
            severity=BY_RULE[rule].severity,
            raised_at=tx.at,
            evidence=evidence[-MOST_EVIDENCE:],
        )
        tx.session.add(row)
        tx.record(
            WarningRaised(
                account_id=account.id,
                subject_id=row.id,
                at=tx.at,
                rule=rule,
                severity=row.severity,
                evidence=row.evidence,
            )
        )
    for rule, row in known.items():
        if rule not in found:
            row.cleared_at = tx.at
            tx.record(
                WarningCleared(
                    account_id=account.id,
                    subject_id=row.id,
                    at=tx.at,
                    rule=rule,
                    raised_at=row.raised_at,
                )
            )
    await tx.session.flush()


async def _unowned(tx: Tx, account: Account) -> frozenset[UUID]:
    """Return the open commitments to a client whose owner can no longer sign in."""
    found = await tx.session.scalars(
        select(Commitment.id)
        .join(User, User.id == Commitment.owner_id)
        .where(
            Commitment.account_id == account.id,
            Commitment.done_at.is_(None),
            Commitment.withdrawn_at.is_(None),
            User.disabled_at.is_not(None),
        )
    )
    return frozenset(found)
