"""Reviews of a made-up platform: sources, readings of reviews, and what became of them."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import select

from domain import reputation
from domain.access import Actor, Tx
from domain.core.db import Sessions, transaction
from domain.core.encryption import SecretCipher
from domain.core.ledger import LedgerRow
from domain.reputation import (
    RatingScale,
    ReadReview,
    Review,
    ReviewSource,
    ReviewSourceKind,
    ReviewVersion,
    Taken,
)
from tests.build import T0

VAULT = SecretCipher(bytes(32))
FIVE = RatingScale(1, 5)
MINUTE = timedelta(minutes=1)


def system(tenant_id: UUID) -> Actor:
    """The software of a company."""
    return Actor.system(tenant_id, "test")


async def source(
    make: Sessions, tenant_id: UUID, kind: ReviewSourceKind = ReviewSourceKind.FILE, **more: Any
) -> ReviewSource:
    """A source of reviews."""
    name = f"Source {uuid4().hex[:8]}"
    more = {"name": name, "location": "Utrecht", "loopback": True, **more}
    vault = more.pop("vault", VAULT)
    async with transaction(make) as session:
        tx = Tx(session, system(tenant_id), more.pop("at", T0))
        return await reputation.add_source(tx, vault, kind=kind, **more)


def read(external_id: str = "r1", **more: Any) -> ReadReview:
    """A review as it was read."""
    given: dict[str, Any] = {
        "external_id": external_id, "rating": 4.0, "scale": FIVE, "author": "An Jansen",
        "words": "Prima geholpen", "written_at": T0, "changed_at": T0,
    }  # fmt: skip
    return ReadReview(**given | more)


async def take(
    make: Sessions, found: ReviewSource, *reviews: ReadReview, at: datetime = T0
) -> Taken:
    """Take in what one page held."""
    async with transaction(make) as session:
        tx = Tx(session, system(found.tenant_id), at)
        return await reputation.take_in(tx, found.id, reviews, read_at=at)


async def end_read(make: Sessions, found: ReviewSource, at: datetime) -> int:
    """End a full read that began then."""
    async with transaction(make) as session:
        tx = Tx(session, system(found.tenant_id), at)
        return await reputation.end_full_read(tx, found.id, read_at=at)


async def stored(make: Sessions, found: ReviewSource) -> dict[str, Review]:
    """The reviews of a source, by their ids there."""
    async with make() as session:
        rows = await session.scalars(select(Review).where(Review.source_id == found.id))
        return {row.external_id: row for row in rows}


async def versions(make: Sessions, found: ReviewSource) -> dict[str, set[tuple[Any, ...]]]:
    """What was stored of each version, without the order of arrival."""
    async with make() as session:
        rows = await session.execute(
            select(Review.external_id, ReviewVersion)
            .join(ReviewVersion, ReviewVersion.review_id == Review.id)
            .where(Review.source_id == found.id)
        )
        by_id: dict[str, set[tuple[Any, ...]]] = {}
        for name, row in rows:
            content = (row.changed_at, row.rating, row.words, row.reply_words, row.digest)
            by_id.setdefault(name, set()).add(content)
        return by_id


async def facts(make: Sessions, found: ReviewSource, prefix: str = "review.") -> list[LedgerRow]:
    """The facts about reviews of a company, in order."""
    async with make() as session:
        rows = await session.scalars(
            select(LedgerRow)
            .where(LedgerRow.tenant_id == found.tenant_id, LedgerRow.kind.startswith(prefix))
            .order_by(LedgerRow.id)
        )
        return list(rows)
