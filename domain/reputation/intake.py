"""Take in reviews as they were read: append versions, and keep the latest one as the review's state.

The result is the same for any order and any number of repeats of the same readings, as far as the source says when a
review was changed; where it does not, the later reading is the newer one.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from domain.access import Tx
from domain.core.base import among, uuid7
from domain.core.changes import values_of
from domain.reputation.events import (
    ReviewEdited,
    ReviewGone,
    ReviewReceived,
    ReviewReplySeen,
    ReviewRestored,
)
from domain.reputation.model import Review, ReviewSource, ReviewVersion
from domain.reputation.rules import FAR, FORGOTTEN, ReadReview, ReviewState, content_digest

_COPIED = (
    *("rating", "stated_rating", "author", "place", "title", "words", "language", "recommends"),
    *("verification", "verified_by", "reference", "url", "reply_words", "replied_at", "changed_at"),
)
_FIGURES = ("rating", "stated_rating", "share", "state", "verification", "changed_at")


@dataclass(slots=True)
class Taken:
    """What a batch of readings brought: new reviews, edited ones, late versions, and repeats."""

    received: int = 0
    edited: int = 0
    late: int = 0
    repeated: int = 0


async def take_in(
    tx: Tx,
    source_id: UUID,
    reviews: Sequence[ReadReview],
    *,
    read_at: datetime,
    also_seen: Collection[str] = (),
) -> Taken:
    """Store what was read of a source from `read_at` on; a repeat changes nothing but when it was last seen.

    `also_seen` are ids of entries that could not be understood: their reviews are not gone.
    """
    source = await tx.get(
        ReviewSource, source_id, "source of reviews", argument="sourceId", lock=True
    )
    taken = Taken()
    known = await _known(tx, source, [*(each.external_id for each in reviews), *also_seen])
    digests = await _digests(tx, known)
    for name in also_seen:
        if name in known:
            _see(tx, known[name], read_at)
    for read in reviews:
        review = known.get(read.external_id)
        if review is None:
            review = known[read.external_id] = _receive(tx, source, read, read_at)
            digests[review.id] = {read.digest}
            taken.received += 1
            continue
        _see(tx, review, read_at)
        seen = digests[review.id]
        if read.digest == review.digest or (
            read.changed_at is not None and _is_old(review, read, seen)
        ):
            taken.repeated += 1
            continue
        seen.add(read.digest)
        review.version_count += 1
        tx.session.add(_version(review, read, read_at))
        stored = content_digest(values_of(review, _COPIED))
        is_edit = stored != read.text_digest and review.digest != FORGOTTEN
        if is_edit and not review.was_edited:
            review.was_edited = True
            review.state = (
                ReviewState.GONE if review.state is ReviewState.GONE else ReviewState.EDITED
            )
        if _is_late(review, read):
            taken.late += 1
        else:
            _move(tx, review, read, is_edit=is_edit)
            taken.edited += 1
    latest = [each.changed_at or each.written_at for each in reviews]
    if latest:
        source.changed_until = max(
            latest + ([source.changed_until] if source.changed_until else [])
        )
    await tx.session.flush()
    return taken


async def end_full_read(tx: Tx, source_id: UUID, *, read_at: datetime) -> int:
    """Count a complete read of everything that began at `read_at`; return how many reviews are gone since.

    A review that was not in it is missed; after two in a row it is gone. Ending a read twice counts it once.
    """
    source = await tx.get(
        ReviewSource, source_id, "source of reviews", argument="sourceId", lock=True
    )
    if source.full_read_at is not None and read_at <= source.full_read_at:
        return 0
    source.full_read_at = source.read_at = read_at
    missing = await tx.session.scalars(
        select(Review)
        .where(
            Review.source_id == source.id,
            Review.seen_at < read_at,
            Review.received_at < read_at,
            Review.state != ReviewState.GONE,
        )
        .order_by(Review.id)
        .with_for_update()
    )
    gone = 0
    for review in missing:
        review.misses += 1
        if review.misses >= FAR:
            _set_state(tx, review, ReviewState.GONE)
            gone += 1
    await tx.session.flush()
    return gone


async def _known(tx: Tx, source: ReviewSource, names: list[str]) -> dict[str, Review]:
    rows = await tx.session.scalars(
        select(Review)
        .where(
            Review.source_id == source.id,
            among(Review.external_id, names),
        )
        .order_by(Review.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return {row.external_id: row for row in rows}


async def _digests(tx: Tx, known: dict[str, Review]) -> dict[UUID, set[bytes]]:
    found: dict[UUID, set[bytes]] = {row.id: set() for row in known.values()}
    rows = await tx.session.execute(
        select(ReviewVersion.review_id, ReviewVersion.digest).where(
            among(ReviewVersion.review_id, list(found))
        )
    )
    for review_id, digest in rows:
        found[review_id].add(digest)
    return found


def _is_old(review: Review, read: ReadReview, seen: set[bytes]) -> bool:
    """Return whether this very version is stored; one that is as new as the current one came back to what it was."""
    return read.digest in seen and read.changed_at != review.changed_at


def _is_late(review: Review, read: ReadReview) -> bool:
    if read.changed_at is None or review.changed_at is None:
        return False
    return read.changed_at < review.changed_at


def _receive(tx: Tx, source: ReviewSource, read: ReadReview, read_at: datetime) -> Review:
    review = Review(
        id=uuid7(),
        tenant_id=source.tenant_id,
        source_id=source.id,
        external_id=read.external_id,
        state=ReviewState.LIVE,
        scale_low=read.scale.low,
        scale_high=read.scale.high,
        share=read.share,
        written_at=read.written_at,
        received_at=tx.at,
        seen_at=read_at,
        misses=0,
        digest=read.digest,
        version_count=1,
        was_edited=False,
        **{name: getattr(read, name) for name in _COPIED},
    )
    tx.session.add(review)
    tx.session.add(_version(review, read, read_at))
    tx.record(
        ReviewReceived(
            account_id=None,
            subject_id=review.id,
            at=tx.at,
            source_id=source.id,
            share=review.share,
            written_at=read.written_at,
            author=read.author,
            words=_words(read.title, read.words),
            after=values_of(review, _FIGURES),
        )
    )
    return review


def _version(review: Review, read: ReadReview, read_at: datetime) -> ReviewVersion:
    return ReviewVersion(
        id=uuid7(),
        tenant_id=review.tenant_id,
        account_id=review.account_id,
        review_id=review.id,
        number=review.version_count,
        digest=read.digest,
        read_at=read_at,
        changed_at=read.changed_at,
        rating=read.rating,
        stated_rating=read.stated_rating,
        author=read.author,
        title=read.title,
        words=read.words,
        language=read.language,
        verification=read.verification,
        reply_words=read.reply_words,
        replied_at=read.replied_at,
        raw=read.raw,
    )


def _see(tx: Tx, review: Review, read_at: datetime) -> None:
    """Note that a read contained the review: a missed one is missed no more, and a gone one is there again."""
    if read_at < review.seen_at:
        return
    review.seen_at, review.misses = read_at, 0
    if (
        review.state is ReviewState.GONE
        and review.gone_at is not None
        and read_at >= review.gone_at
    ):
        _set_state(tx, review, ReviewState.EDITED if review.was_edited else ReviewState.LIVE)


def _move(tx: Tx, review: Review, read: ReadReview, *, is_edit: bool) -> None:
    """Make a newer reading the review's state, and record what changed: the review, or the reply below it."""
    before = values_of(review, _FIGURES)
    words = _words(review.title, review.words)
    reply, replied_at = review.reply_words, review.replied_at
    for name in _COPIED:
        setattr(review, name, getattr(read, name))
    review.share, review.digest = read.share, read.digest
    review.words_unread = review.words_unread or words != _words(read.title, read.words)
    review.scale_low, review.scale_high = read.scale
    if is_edit:
        tx.record(
            ReviewEdited(
                account_id=review.account_id,
                subject_id=review.id,
                at=tx.at,
                source_id=review.source_id,
                share=review.share,
                words_before=words,
                words_after=_words(read.title, read.words),
                before=before,
                after=values_of(review, _FIGURES),
            )
        )
    if (reply, replied_at) != (read.reply_words, read.replied_at):
        tx.record(
            ReviewReplySeen(
                account_id=review.account_id,
                subject_id=review.id,
                at=tx.at,
                source_id=review.source_id,
                words_before=reply,
                words_after=read.reply_words,
                before=replied_at,
                after=read.replied_at,
            )
        )


def _set_state(tx: Tx, review: Review, state: ReviewState) -> None:
    before, review.state = review.state, state
    review.gone_at = tx.at if state is ReviewState.GONE else None
    kind = ReviewGone if state is ReviewState.GONE else ReviewRestored
    tx.record(
        kind(
            account_id=review.account_id,
            subject_id=review.id,
            at=tx.at,
            source_id=review.source_id,
            before=str(before),
            after=str(state),
        )
    )


def _words(title: str | None, words: str | None) -> str | None:
    return "\n".join(part for part in (title, words) if part) or None
