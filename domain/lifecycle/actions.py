"""Move accounts from stage to stage, if what the stage needs is there."""

from uuid import UUID

from sqlalchemy import or_, select

from domain import advocacy
from domain.access import Right, Tx
from domain.accounts.model import Account, Site, Stage
from domain.agreements.model import Agreement, Terms
from domain.core.base import uuid7
from domain.core.errors import Code, Refused, must_be_current
from domain.core.text_rules import must_be_text
from domain.health import AccountHealth, Observation, ObservationKind
from domain.lifecycle.events import StageChanged
from domain.lifecycle.model import StageChange
from domain.lifecycle.rules import StageEvidence, lacking


async def move(
    tx: Tx, account_id: UUID, *, stage: Stage, reason: str, expected_version: int | None = None
) -> Account:
    """Move an account to another stage; refused with what it lacks."""
    tx.actor.must(Right.MANAGE_ACCOUNTS)
    must_be_text(reason, "reason")
    account = await tx.get(Account, account_id, "account", lock=True)
    must_be_current(account.version, expected_version)
    if account.stage is stage:
        raise Refused(Code.ALREADY_DONE, "The account is in this stage.", argument="stage")
    words = lacking(account.stage, stage, await _evidence(tx, account))
    if words is not None:
        raise Refused(Code.INVALID, words, argument="stage")
    before, account.stage = account.stage, stage
    tx.session.add(
        StageChange(
            id=uuid7(),
            tenant_id=account.tenant_id,
            account_id=account.id,
            stage_before=before,
            stage_after=stage,
            reason=reason,
            changed_at=tx.at,
            changed_by=tx.actor.subject,
        )
    )
    tx.record(
        StageChanged(
            account_id=account.id, subject_id=account.id, at=tx.at,
            before=before, after=stage, reason=reason,
        )
    )  # fmt: skip
    await tx.session.flush()
    return account


async def _evidence(tx: Tx, account: Account) -> StageEvidence:
    running = list(
        await tx.session.scalars(
            select(Agreement).where(
                Agreement.account_id == account.id,
                or_(Agreement.ended_at.is_(None), Agreement.ended_at > tx.at),
            )
        )
    )
    in_force = await tx.session.scalar(
        select(Terms.id)
        .where(
            Terms.agreement_id.in_([each.id for each in running]), Terms.in_force.contains(tx.at)
        )
        .limit(1)
    )
    site = await tx.session.scalar(select(Site.id).where(Site.account_id == account.id).limit(1))
    band = await tx.session.scalar(
        select(AccountHealth.band).where(AccountHealth.account_id == account.id)
    )
    consent = await tx.session.scalar(
        select(Observation.value)
        .where(
            Observation.account_id == account.id,
            Observation.kind == ObservationKind.REFERENCE_CONSENT,
            Observation.withdrawn_at.is_(None),
        )
        .order_by(Observation.at.desc(), Observation.id.desc())
        .limit(1)
    )
    notice = [each.notice_by for each in running if each.notice_by is not None]
    return StageEvidence(
        today=tx.at.date(),
        has_agreement=bool(running),
        has_terms_in_force=in_force is not None,
        has_site=site is not None,
        band=band,
        notice_by=min(notice, default=None),
        agrees_to_be_named=consent == 1
        or await advocacy.agrees_to_be_named(tx.session, account.id, at=tx.at),
    )
