"""Grade a stored photo as evidence of a row that it is attached to, against the other photos of the company."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ColumnElement, Select, cast, exists, func, literal, or_, select
from sqlalchemy.dialects.postgresql import BIT

from domain import positions
from domain.access import Tx
from domain.accounts.model import Site
from domain.core.ledger import record
from domain.evidence import (
    NEAR_BITS,
    RETRY_WITHIN,
    THUMBNAIL_BITS,
    PhotoFacts,
    Thumbnail,
    grade_photo,
    thresholds_at,
)
from domain.files.events import PhotoGraded, about
from domain.files.model import File, FileState, PhotoEvidence, PhotoTrait
from domain.files.subjects import FileSubject, site_of
from domain.parameters import ParameterScope

RECENT = timedelta(days=90)
"""So long a photo is compared with others that look like it; the same file is found for as long as its row is kept."""


async def grade_photo_of(
    tx: Tx, file_id: UUID, subject_kind: str, subject_id: UUID
) -> PhotoEvidence | None:
    """Grade a photo as evidence of a row, once; None for documents, deleted files, and what was graded before.

    The photos of one company are graded one after the other, so that of two copies the second is always found.
    """
    turn = func.hashtextextended(f"photos of {tx.actor.tenant_id}", 0)
    await tx.session.execute(select(func.pg_advisory_xact_lock(turn)))
    found = (
        await tx.session.execute(
            select(File, PhotoTrait)
            .join(PhotoTrait, PhotoTrait.file_id == File.id)
            .where(
                File.id == file_id,
                File.tenant_id == tx.actor.tenant_id,
                File.state != FileState.DELETED,
                ~exists().where(
                    PhotoEvidence.file_id == file_id, PhotoEvidence.subject_id == subject_id
                ),
            )
        )
    ).one_or_none()
    if found is None:
        return None
    file, traits = found
    subject = FileSubject(subject_kind, subject_id, file.account_id)
    site_id = await site_of(tx.session, subject)
    scope = ParameterScope(file.tenant_id, file.account_id, site_id)
    limits = await thresholds_at(tx.session, scope, file.started_at)
    assessment = grade_photo(await _facts(tx, file, traits, subject, site_id), limits)
    row = PhotoEvidence(
        tenant_id=file.tenant_id,
        account_id=file.account_id,
        file_id=file.id,
        subject_kind=subject_kind,
        subject_id=subject_id,
        grade=assessment.grade,
        verdicts=[str(each) for each in assessment.verdicts],
        findings=[each.plain() for each in assessment.reasons],
        graded_at=tx.at,
    )
    tx.session.add(row)
    fact = PhotoGraded(
        **about(file, tx.at),
        **subject.in_facts(),
        grade=assessment.grade,
        verdicts=list(assessment.verdicts),
        reasons=[each.for_clients.plain() for each in assessment.reasons],
    )
    record(tx.session, tx.actor, fact)
    await tx.session.flush()
    return row


async def _facts(
    tx: Tx, file: File, traits: PhotoTrait, subject: FileSubject, site_id: UUID | None
) -> PhotoFacts:
    uses = _PhotoUses(tx, file, traits, subject)
    has_place = file.taken_lat is not None and file.taken_lon is not None
    return PhotoFacts(
        received_at=file.started_at,
        taken_at=file.taken_at,
        zone_known=traits.zone_known,
        satellite_at=traits.satellite_at,
        stated_at=file.stated_at,
        skew_s=file.clock_skew_s,
        has_place=has_place,
        outside_m=await _outside_m(tx, file, site_id) if has_place else None,
        has_metadata=traits.has_metadata,
        edited=traits.edited,
        thumbnail=_thumbnail(file, traits),
        thumbnail_bits=traits.thumbnail_bits or 0,
        same_files=await uses.same_files(),
        nearest_bits=await uses.nearest_bits(),
        same_metadata=await uses.same_metadata(),
    )


def _thumbnail(file: File, traits: PhotoTrait) -> Thumbnail | None:
    """Return what is known of the camera's small image; None where cameras write none."""
    if file.media_type != "image/jpeg":
        return None
    if not traits.has_thumbnail:
        return Thumbnail.MISSING
    differs = traits.thumbnail_bits is not None and traits.thumbnail_bits > THUMBNAIL_BITS
    return Thumbnail.DIFFERENT if differs else Thumbnail.SAME


async def _outside_m(tx: Tx, file: File, site_id: UUID | None) -> float | None:
    """Return how far outside the geofence of the row's site a photo was taken; None without a geofence."""
    site = None if site_id is None else await tx.session.get(Site, site_id)
    if site is None:
        return None
    fence = positions.fence_of(site.lat, site.lon, site.fence_radius_m, site.fence_outline)
    if fence is None or file.taken_lat is None or file.taken_lon is None:
        return None
    return float(fence.distance_m(file.taken_lat, file.taken_lon))


class _PhotoUses:
    """Finds other uses of a photo in the company, among those that were graded before."""

    def __init__(self, tx: Tx, file: File, traits: PhotoTrait, subject: FileSubject) -> None:
        self._tx, self._file, self._traits, self._subject = tx, file, traits, subject

    async def same_files(self) -> int:
        """Count the uses of the same bytes: for other rows, and earlier ones for the same row."""
        query = (
            select(func.count())
            .select_from(PhotoEvidence)
            .join(File, File.id == PhotoEvidence.file_id)
            .where(
                File.tenant_id == self._file.tenant_id,
                File.sha256 == self._file.sha256,
                or_(
                    self._elsewhere(),
                    PhotoEvidence.graded_at < self._tx.at - RETRY_WITHIN,
                ),
            )
        )
        return await self._tx.session.scalar(query) or 0

    async def nearest_bits(self) -> int | None:
        """Return how many bits the most similar recent photo of another row differs in, if it is nearly the same."""
        if self._traits.difference_hash is None:
            return None
        bits = _bits(self._traits.difference_hash)
        since = self._tx.at - RECENT
        query = self._others(self._elsewhere(), bits <= NEAR_BITS, PhotoTrait.stored_at > since)
        found: int | None = await self._tx.session.scalar(query.with_only_columns(func.min(bits)))
        return found

    async def same_metadata(self) -> int:
        """Count images with the same camera data that show something else.

        A camera that writes no fractions of a second may take two photos of one row in the same second.
        """
        if self._traits.stamp is None:
            return 0
        where: list[ColumnElement[bool]] = [PhotoTrait.stamp == self._traits.stamp]
        if not self._traits.stamp_is_exact:
            where.append(self._elsewhere())
        if self._traits.difference_hash is not None:
            bits = _bits(self._traits.difference_hash)
            where.append(or_(PhotoTrait.difference_hash.is_(None), bits > NEAR_BITS))
        query = self._others(*where).with_only_columns(func.count(PhotoTrait.file_id.distinct()))
        return await self._tx.session.scalar(query) or 0

    def _elsewhere(self) -> ColumnElement[bool]:
        found: ColumnElement[bool] = PhotoEvidence.subject_id != self._subject.id
        return found

    def _others(self, *where: ColumnElement[bool]) -> Select[Any]:
        """Select graded photos of the company with other bytes."""
        return (
            select(PhotoTrait.file_id)
            .join(PhotoEvidence, PhotoEvidence.file_id == PhotoTrait.file_id)
            .join(File, File.id == PhotoTrait.file_id)
            .where(
                PhotoTrait.tenant_id == self._file.tenant_id,
                File.id != self._file.id,
                File.sha256 != self._file.sha256,
                *where,
            )
        )


def _bits(difference_hash: int) -> ColumnElement[int]:
    """Return the number of bits in which a stored hash differs from this one."""
    other = PhotoTrait.difference_hash.bitwise_xor(literal(difference_hash, BigInteger))
    found: ColumnElement[int] = func.bit_count(cast(other, BIT(64)))
    return found
