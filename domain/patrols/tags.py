"""Issue tags and codes of points, and revoke them."""

import hashlib
import secrets
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select

from domain.access import Right, Tx
from domain.core.base import uuid7
from domain.core.encryption import SecretCipher
from domain.core.errors import Code, Refused
from domain.core.text_rules import must_be_line
from domain.patrols import events
from domain.patrols.model import PatrolPoint, PatrolTag, PointKind
from domain.patrols.sun import KEY_BYTES, TagKeys

_CODE_BYTES = 18
_TAGGED = (PointKind.NFC, PointKind.SIGNED_NFC, PointKind.QR)


@dataclass(frozen=True, slots=True)
class TagDraft:
    """A tag as it is fixed at a point: the UID of a chip, and the keys of a signed one, as hexadecimal digits."""

    uid: str | None = None
    meta_key: str | None = None
    file_key: str | None = None


def digest_of(secret: bytes) -> bytes:
    """Return what is stored of a code or a UID."""
    return hashlib.sha256(secret).digest()


async def issue_tag(
    tx: Tx, vault: SecretCipher, point_id: UUID, draft: TagDraft
) -> tuple[PatrolTag, str | None]:
    """Issue the next tag of a point, which revokes the one before; return the text of a QR code, known only here."""
    tx.actor.must(Right.ROSTER)
    point = await tx.get(PatrolPoint, point_id, "point", argument="pointId", lock=True)
    if point.kind not in _TAGGED:
        raise Refused(Code.INVALID, f"A point of kind {point.kind} has no tag.", argument="pointId")
    if point.kind is PointKind.QR and draft != TagDraft():
        raise Refused(Code.INVALID, "A code is made here: leave uid and keys out.", argument="uid")
    code = secrets.token_urlsafe(_CODE_BYTES) if point.kind is PointKind.QR else None
    tag = PatrolTag(
        id=uuid7(), tenant_id=point.tenant_id, account_id=point.account_id, point_id=point.id,
        digest=digest_of(_uid(point, draft) if code is None else code.encode()), issued_at=tx.at,
    )  # fmt: skip
    keys = _keys(point, draft)
    tag.sealed = None if keys is None else vault.seal(tag.id, keys.meta + keys.file)
    known = await tx.session.scalars(
        select(PatrolTag).where(PatrolTag.point_id == point.id, PatrolTag.revoked_at.is_(None))
    )
    replaced = known.all()
    for each in replaced:
        each.revoked_at = tx.at
    await tx.session.flush()
    taken = select(PatrolTag.id).where(
        PatrolTag.tenant_id == point.tenant_id,
        PatrolTag.digest == tag.digest,
        PatrolTag.revoked_at.is_(None),
    )
    if await tx.session.scalar(taken) is not None:
        raise Refused(
            Code.ALREADY_EXISTS,
            "This chip is in use at another point: revoke it there.",
            argument="uid",
        )
    tx.session.add(tag)
    tx.record(
        events.PatrolTagIssued(
            account_id=tag.account_id, subject_id=tag.id, at=tx.at, point_id=point.id,
            replaces=[str(each.id) for each in replaced],
        )
    )  # fmt: skip
    await tx.session.flush()
    return tag, code


async def revoke_tag(tx: Tx, tag_id: UUID, *, reason: str) -> PatrolTag:
    """Revoke a tag: scans of it from now on prove nothing; a second time is refused."""
    tx.actor.must(Right.ROSTER)
    must_be_line(reason, "reason")
    tag = await tx.get(PatrolTag, tag_id, "tag", lock=True)
    if tag.revoked_at is not None:
        raise Refused(Code.ALREADY_DONE, "This tag was revoked.", argument="id")
    tag.revoked_at = tx.at
    tx.record(
        events.PatrolTagRevoked(
            account_id=tag.account_id, subject_id=tag.id, at=tx.at, point_id=tag.point_id,
            reason=reason,
        )
    )  # fmt: skip
    await tx.session.flush()
    return tag


def keys_of(vault: SecretCipher, tag: PatrolTag) -> TagKeys | None:
    """Return the keys of a signed tag; None for others."""
    if tag.sealed is None:
        return None
    opened = vault.open(tag.id, tag.sealed)
    return TagKeys(opened[:KEY_BYTES], opened[KEY_BYTES:])


def _uid(point: PatrolPoint, draft: TagDraft) -> bytes:
    uid = hexadecimal(draft.uid, "uid")
    if len(uid) not in (4, 7, 10) or (point.kind is PointKind.SIGNED_NFC and len(uid) != 7):
        raise Refused(
            Code.INVALID,
            "The UID of a chip has 4, 7 or 10 bytes, that of a signed tag 7.",
            argument="uid",
        )
    return uid


def _keys(point: PatrolPoint, draft: TagDraft) -> TagKeys | None:
    if point.kind is not PointKind.SIGNED_NFC:
        if draft.meta_key is not None or draft.file_key is not None:
            raise Refused(Code.INVALID, "Only signed tags have keys.", argument="metaKey")
        return None
    keys = TagKeys(hexadecimal(draft.meta_key, "metaKey"), hexadecimal(draft.file_key, "fileKey"))
    for name, key in (("metaKey", keys.meta), ("fileKey", keys.file)):
        if len(key) != KEY_BYTES:
            raise Refused(
                Code.INVALID, f"{name} must be an AES key of 32 hexadecimal digits.", argument=name
            )
    return keys


def hexadecimal(text: str | None, argument: str) -> bytes:
    """Return the bytes of hexadecimal digits, none for no text; refuses what are none."""
    try:
        return bytes.fromhex(text or "")
    except ValueError:
        raise Refused(
            Code.INVALID, f"{argument} must be hexadecimal digits.", argument=argument
        ) from None
