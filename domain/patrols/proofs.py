"""Find the point of a scan, and what its tag, code or statement amounts to."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from domain.access import Tx
from domain.core.base import among
from domain.core.encryption import SecretCipher
from domain.core.errors import Code, Refused
from domain.patrols.model import PatrolPoint, PatrolTag, PointKind, ScanReason
from domain.patrols.sun import read_tap
from domain.patrols.tags import digest_of, hexadecimal, keys_of


@dataclass(frozen=True, slots=True)
class ClaimedPosition:
    """Where a device says it was."""

    lat: float
    lon: float
    at: datetime
    accuracy_m: float | None = None
    is_mock: bool = False


@dataclass(frozen=True, slots=True)
class ScanDraft:
    """A scan as a device sends it: the point, or what identifies it, with its proof."""

    sequence: int
    at: datetime
    point_id: UUID | None = None
    code: str | None = None  # of a QR code
    uid: str | None = None  # of a chip, hexadecimal
    picc: str | None = None  # of a signed tag's message, hexadecimal
    mac: str | None = None
    position: ClaimedPosition | None = None
    photo_sha256: str | None = None
    answer: str | None = None
    is_manual: bool = False


@dataclass(frozen=True, slots=True)
class FoundProof:
    """The point of a scan with its proof; `proof` is None where there is none."""

    point: PatrolPoint
    proof: ScanReason | None
    tag: PatrolTag | None = None
    counter: int | None = None


@dataclass
class ProofDesk:
    """Points and tags that scans of one upload may refer to."""

    vault: SecretCipher
    points: dict[UUID, PatrolPoint] = field(default_factory=dict)
    by_digest: dict[bytes, PatrolTag] = field(default_factory=dict)
    by_point: dict[UUID, list[PatrolTag]] = field(default_factory=dict)

    @classmethod
    async def of(cls, tx: Tx, vault: SecretCipher, scans: Sequence[ScanDraft]) -> "ProofDesk":
        """Load what the scans refer to, within the actor's accounts."""
        desk = cls(vault)
        digests = [each for each in map(_digest, scans) if each is not None]
        point_ids = {each.point_id for each in scans if each.point_id is not None}
        tags = await tx.session.scalars(
            select(PatrolTag)
            .where(
                among(PatrolTag.digest, digests) | among(PatrolTag.point_id, point_ids),
                tx.actor.scope(PatrolTag),
            )
            .order_by(PatrolTag.issued_at, PatrolTag.id)
        )
        for tag in tags:
            in_use = desk.by_digest.get(tag.digest)
            if in_use is None or in_use.revoked_at is not None:
                desk.by_digest[tag.digest] = tag
            desk.by_point.setdefault(tag.point_id, []).insert(0, tag)
            point_ids.add(tag.point_id)
        points = await tx.session.scalars(
            select(PatrolPoint).where(among(PatrolPoint.id, point_ids), tx.actor.scope(PatrolPoint))
        )
        desk.points = {point.id: point for point in points}
        return desk

    def find(self, scan: ScanDraft) -> FoundProof:
        """Return the point and the proof of a scan; refuses one that names no known point."""
        digest = _digest(scan)
        tag = None if digest is None else self.by_digest.get(digest)
        point = self.points.get(scan.point_id if tag is None else tag.point_id)  # type: ignore[arg-type]
        if point is None:
            raise Refused(
                Code.NOT_FOUND,
                "The scan names no point: give pointId, or the code or UID of a tag in use.",
                argument="scans",
            )
        if scan.picc is not None and point.kind is PointKind.SIGNED_NFC:
            return self._tap(scan, point)
        if digest is not None:
            return FoundProof(point, _of_tag(point, tag, scan), tag)
        return FoundProof(point, _statement(point, scan))

    def _tap(self, scan: ScanDraft, point: PatrolPoint) -> FoundProof:
        picc, mac = hexadecimal(scan.picc, "scans"), hexadecimal(scan.mac, "scans")
        for tag in self.by_point.get(point.id, ()):
            keys = keys_of(self.vault, tag)
            tap = None if keys is None else read_tap(keys, picc, mac)
            if tap is not None and digest_of(tap.uid) == tag.digest:
                is_over = tag.revoked_at is not None and scan.at >= tag.revoked_at
                proof = ScanReason.TAG_REVOKED if is_over else ScanReason.SIGNED_TAG
                return FoundProof(point, proof, tag, tap.counter)
        return FoundProof(point, ScanReason.SIGNATURE_WRONG)


def _of_tag(point: PatrolPoint, tag: PatrolTag | None, scan: ScanDraft) -> ScanReason | None:
    if tag is None:
        return ScanReason.TAG_UNKNOWN
    if tag.revoked_at is not None and scan.at >= tag.revoked_at:
        return ScanReason.TAG_REVOKED
    if point.kind is PointKind.SIGNED_NFC:
        return ScanReason.SIGNATURE_WRONG  # the UID of a signed tag alone can be copied
    return ScanReason.CODE if point.kind is PointKind.QR else ScanReason.STATIC_TAG


def _statement(point: PatrolPoint, scan: ScanDraft) -> ScanReason | None:
    """Return what a scan without tag or code amounts to."""
    is_said = {
        PointKind.GPS: scan.position is not None,
        PointKind.PHOTO: scan.photo_sha256 is not None,
        PointKind.QUESTION: bool(scan.answer and scan.answer.strip()),
    }
    return ScanReason.STATEMENT if is_said.get(point.kind, False) else None


def _digest(scan: ScanDraft) -> bytes | None:
    """Return the digest of a code or UID; None without one, or for what is no UID."""
    if scan.code is not None:
        return digest_of(scan.code.encode())
    if scan.uid is None:
        return None
    try:
        return digest_of(bytes.fromhex(scan.uid))
    except ValueError:
        return digest_of(scan.uid.encode())
