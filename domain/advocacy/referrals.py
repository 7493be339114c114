"""Record referrals by clients, and follow them until they are won or lost."""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import select

from domain.access import Right, Tx
from domain.accounts.model import Account
from domain.advocacy.events import ReferralMade, ReferralMoved
from domain.advocacy.model import Referral, ReferralState
from domain.advocacy.people import contact_of
from domain.advocacy.rules import must_follow
from domain.core.base import uuid7
from domain.core.bounds import must_be_cents, must_be_instant
from domain.core.errors import Code, Refused, must_be_current
from domain.core.text_rules import must_be_line, must_be_text


class ReferralMove(NamedTuple):
    """The state that follows, with the client that a won referral became, or why it was lost."""

    state: ReferralState
    won_account_id: UUID | None = None
    reason: str | None = None
    value_cents: int | None = None


async def make_referral(
    tx: Tx,
    account_id: UUID,
    *,
    prospect: str,
    contact_id: UUID | None = None,
    value_cents: int | None = None,
    note: str | None = None,
    referred_at: datetime | None = None,
) -> Referral:
    """Record that a client recommended the company to another organisation."""
    tx.actor.must(Right.MANAGE_ACCOUNTS)
    account = await tx.get(Account, account_id, "account", argument="accountId")
    if contact_id is not None:
        await contact_of(tx, contact_id, account.id)
    must_be_line(prospect, "prospect")
    must_be_text(note, "note")
    must_be_cents(value_cents, "valueCents")
    must_be_instant(referred_at, "referredAt", tx.at)
    at = referred_at or tx.at
    if at > tx.at:
        raise Refused(Code.TIME_REVERSED, "A referral cannot be made later.", argument="referredAt")
    row = Referral(
        id=uuid7(),
        tenant_id=account.tenant_id,
        account_id=account.id,
        contact_id=contact_id,
        prospect=prospect,
        note=note,
        state=ReferralState.RECEIVED,
        value_cents=value_cents,
        referred_at=at,
        moved_at=tx.at,
    )
    tx.session.add(row)
    tx.record(
        ReferralMade(
            account_id=account.id,
            subject_id=row.id,
            at=at,
            contact_id=contact_id,
            value_cents=value_cents,
        )
    )
    await tx.session.flush()
    return row


async def move_referral(
    tx: Tx, referral_id: UUID, move: ReferralMove, *, expected_version: int | None = None
) -> Referral:
    """Give a referral the state that follows; a won one names its client, a lost one the reason."""
    tx.actor.must(Right.MANAGE_ACCOUNTS)
    row = await tx.get(Referral, referral_id, "referral", lock=True)
    must_be_current(row.version, expected_version)
    refusal = must_follow(row.state, move.state)
    if refusal is not None:
        raise Refused(Code.INVALID, refusal, argument="state")
    must_be_cents(move.value_cents, "valueCents")
    must_be_text(move.reason, "reason")
    _must_have(move.state, ReferralState.WON, move.won_account_id, "wonAccountId")
    _must_have(move.state, ReferralState.LOST, move.reason, "reason")
    if move.won_account_id is not None:
        await _must_be_new(tx, row, move.won_account_id)
    before, value_before = row.state, row.value_cents
    row.state, row.moved_at = move.state, tx.at
    row.reason, row.won_account_id = move.reason, move.won_account_id
    if move.value_cents is not None:
        row.value_cents = move.value_cents
    tx.record(
        ReferralMoved(
            account_id=row.account_id,
            subject_id=row.id,
            at=tx.at,
            before=before,
            after=row.state,
            value_cents_before=value_before,
            value_cents_after=row.value_cents,
            won_account_id=row.won_account_id,
        )
    )
    await tx.session.flush()
    return row


def _must_have(state: ReferralState, wanted: ReferralState, given: object, argument: str) -> None:
    if (state is wanted) != (given is not None):
        rule = "is needed for" if state is wanted else "is given only for"
        raise Refused(
            Code.INVALID, f"{argument} {rule} a referral that is {wanted}.", argument=argument
        )


async def _must_be_new(tx: Tx, row: Referral, won_account_id: UUID) -> None:
    """Refuse the referring client itself, and a client that another referral became."""
    won = await tx.get(Account, won_account_id, "account", argument="wonAccountId", lock=True)
    if won.id == row.account_id:
        raise Refused(Code.INVALID, "A client does not refer itself.", argument="wonAccountId")
    known = select(Referral.id).where(Referral.won_account_id == won.id)
    if await tx.session.scalar(known) is not None:
        raise Refused(
            Code.ALREADY_EXISTS, "Another referral became this client.", argument="wonAccountId"
        )
