"""Read business reviews with the texts of the rows that they name."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.access import Actor, visible_to
from domain.business_reviews.content import BusinessContent
from domain.business_reviews.model import BusinessReview
from domain.commitments.model import Commitment
from domain.core.base import among
from domain.raid import RaidEntry
from domain.success_plans import SuccessGoal


@dataclass(frozen=True, slots=True)
class BusinessTexts:
    """Texts by id, which people may have had erased: of goals, commitments and entries of the RAID log, and units."""

    words: Mapping[UUID, str]
    units: Mapping[UUID, str]


def stored_content(row: BusinessReview) -> BusinessContent:
    """Return the content of a review."""
    return msgspec.convert(row.content, BusinessContent)


async def texts_of(session: AsyncSession, content: BusinessContent) -> BusinessTexts:
    """Return the texts of the rows that a content names, with three SELECTs."""
    deeds = [each.commitment_id for each in (*content.done, *content.coming)]
    words: dict[UUID, str] = {}
    units: dict[UUID, str] = {}
    for model, wanted in (
        (Commitment, deeds),
        (RaidEntry, [each.raid_id for each in content.entries]),
    ):
        rows = await session.execute(select(model.id, model.words).where(among(model.id, wanted)))
        words |= {row[0]: row[1] for row in rows}
    goal_ids = [each.goal_id for each in content.goals]
    goals = await session.execute(
        select(SuccessGoal.id, SuccessGoal.title, SuccessGoal.unit).where(
            among(SuccessGoal.id, goal_ids)
        )
    )
    for goal_id, title, unit in goals:
        words[goal_id] = title
        units[goal_id] = unit or ""
    return BusinessTexts(words, units)


async def review_of(
    session: AsyncSession, actor: Actor, review_id: UUID
) -> tuple[BusinessContent, BusinessTexts] | None:
    """Return the content and texts of a review; None when it is not visible to the actor."""
    row = await session.scalar(
        select(BusinessReview).where(
            BusinessReview.id == review_id, visible_to(actor, BusinessReview)
        )
    )
    if row is None:
        return None
    content = stored_content(row)
    return content, await texts_of(session, content)
