"""Sessions: begin, renew and end them."""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from domain.access import Actor, Right, Tx, managed_users
from domain.accounts import User
from domain.core.errors import Code, Refused
from domain.core.ledger import record
from domain.credentials.actor_names import as_user
from domain.credentials.events import SignedIn, SignedOut
from domain.credentials.model import EndedBy, RefreshToken, SignIn
from domain.credentials.reads import sign_in_of
from domain.credentials.rules import (
    ABSOLUTE,
    GRACE,
    IDLE,
    Requester,
    Secret,
    new_salt,
    new_secret,
    sha256_of,
    successor_of,
)

LONGEST_AGENT = 300


class Renewed(NamedTuple):
    """A renewed session: its user, and the next refresh token."""

    user_id: UUID
    sign_in_id: UUID
    refresh_token: str


async def begin(
    session: AsyncSession,
    user: User,
    requester: Requester | None = None,
    *,
    method: str = "password",
    at: datetime,
) -> Renewed:
    """Begin a session of a user, after the password or other proof was checked."""
    requester = requester or Requester()
    sign_in = SignIn(
        tenant_id=user.tenant_id,
        user_id=user.id,
        started_at=at,
        renewed_at=at,
        seen_at=at,
        method=method,
        address=requester.address[:100],
        user_agent=requester.user_agent[:LONGEST_AGENT] or None,
    )
    session.add(sign_in)
    await session.flush()
    fact = SignedIn(
        account_id=None, subject_id=user.id, at=at, sign_in_id=sign_in.id, method=method
    )
    record(session, as_user(user.tenant_id, user.id), fact)
    secret = new_secret("wr")
    await _issue(session, sign_in, secret, at)
    return Renewed(sign_in.user_id, sign_in.id, secret.text)


async def renew(
    session: AsyncSession, presented: str, requester: Requester | None = None, *, at: datetime
) -> Renewed | None:
    """Return the next refresh token for this one; None when it is invalid.

    A client that lost the response gets the same next token again: within 30 s, as long as that one was not used. Any
    other second use ends the session: either the owner or a thief has used the token, and this request comes from the
    other. The caller commits also when the result is None.
    """
    requester = requester or Requester()
    sign_in = await sign_in_of(session, presented)
    if sign_in is None or sign_in.ended_at is not None:
        return None
    token = await session.get_one(RefreshToken, sha256_of(presented), populate_existing=True)
    if token.used_at is not None:
        again = await _again(session, token, presented, requester, at)
        if again is None:
            end_one(session, sign_in, EndedBy.REUSE, at)
            return None
        return Renewed(sign_in.user_id, sign_in.id, again)
    if at >= min(token.issued_at + IDLE, sign_in.started_at + ABSOLUTE):
        return None
    user = await session.get(User, sign_in.user_id)
    if user is None or user.disabled_at is not None:
        return None
    token.used_at, token.used_by, token.successor_salt = at, requester.fingerprint, new_salt()
    sign_in.renewed_at = sign_in.seen_at = at
    sign_in.address = requester.address[:100]
    secret = successor_of(presented, token.successor_salt)
    await _issue(session, sign_in, secret, at)
    return Renewed(sign_in.user_id, sign_in.id, secret.text)


async def _again(
    session: AsyncSession,
    token: RefreshToken,
    presented: str,
    requester: Requester,
    at: datetime,
) -> str | None:
    """Return the successor given before, to the same client within 30 s; else None."""
    if token.used_at is None or token.successor_salt is None or at > token.used_at + GRACE:
        return None
    if token.used_by != requester.fingerprint:
        return None
    successor = successor_of(presented, token.successor_salt)
    given = await session.get(RefreshToken, successor.sha256, populate_existing=True)
    return successor.text if given is not None and given.used_at is None else None


async def strengthen(session: AsyncSession, sign_in_id: UUID | None, method: str) -> None:
    """Record that a second factor was set up in this session; no effect without a session."""
    if sign_in_id is not None:
        await session.execute(
            update(SignIn)
            .where(SignIn.id == sign_in_id, SignIn.method == "password")
            .values(method=method)
            .execution_options(synchronize_session=False)
        )


async def end(session: AsyncSession, presented: str, *, at: datetime) -> None:
    """Sign out with a refresh token; an invalid one is ignored."""
    sign_in = await sign_in_of(session, presented)
    if sign_in is not None and sign_in.ended_at is None:
        end_one(session, sign_in, EndedBy.USER, at)


async def end_session(tx: Tx, sign_in_id: UUID) -> SignIn:
    """End a session: one's own, or one of a user whom the actor manages; a second call has no effect."""
    sign_in = await tx.session.scalar(
        select(SignIn)
        .where(SignIn.id == sign_in_id, SignIn.tenant_id == tx.actor.tenant_id)
        .with_for_update()
    )
    own = sign_in is not None and tx.actor.subject == f"user:{sign_in.user_id}"
    if sign_in is not None and not own:
        managed = select(User.id).where(User.id == sign_in.user_id, managed_users(tx.actor, User))
        if not tx.actor.may(Right.MANAGE_ACCESS) or await tx.session.scalar(managed) is None:
            sign_in = None
    if sign_in is None:
        raise Refused(Code.NOT_FOUND, "No such session.", argument="id")
    if sign_in.ended_at is None:
        end_one(tx.session, sign_in, EndedBy.USER if own else EndedBy.MANAGER, tx.at, tx.actor)
        await tx.session.flush()
    return sign_in


async def end_all(tx: Tx, user: User, by: EndedBy) -> None:
    """End every session of a user, as done by `tx.actor`."""
    going_on = await tx.session.scalars(
        select(SignIn).where(SignIn.user_id == user.id, SignIn.ended_at.is_(None)).with_for_update()
    )
    for sign_in in going_on:
        end_one(tx.session, sign_in, by, tx.at, tx.actor)


def end_one(
    session: AsyncSession, sign_in: SignIn, by: EndedBy, at: datetime, actor: Actor | None = None
) -> None:
    """End this session and record that `actor` or the user ended it."""
    sign_in.ended_at, sign_in.ended_by = at, by
    fact = SignedOut(
        account_id=None, subject_id=sign_in.user_id, at=at, sign_in_id=sign_in.id, ended_by=by
    )
    record(session, actor or as_user(sign_in.tenant_id, sign_in.user_id), fact)


async def _issue(session: AsyncSession, sign_in: SignIn, secret: Secret, at: datetime) -> None:
    session.add(
        RefreshToken(
            secret_sha256=secret.sha256,
            tenant_id=sign_in.tenant_id,
            sign_in_id=sign_in.id,
            issued_at=at,
        )
    )
    await session.flush()
