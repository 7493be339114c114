"""Add and change competitors, and enter the figures of their public pages."""

from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from domain.access import Right, Tx
from domain.competitors.events import (
    CompetitorAdded,
    CompetitorChanged,
    CompetitorFigureEntered,
)
from domain.competitors.model import Competitor, CompetitorFigure
from domain.core.base import uuid7
from domain.core.bounds import must_be_day
from domain.core.changes import values_of
from domain.core.errors import Code, Refused, must_be_current
from domain.core.text_rules import must_be_line, must_be_text
from domain.reputation import ReviewSourceKind

_SHOWN = ("name", "note")
MOST_REVIEWS = 10_000_000


async def add(tx: Tx, *, name: str, note: str | None = None) -> Competitor:
    """Watch a competitor from now on."""
    tx.actor.must(Right.MANAGE_ACCOUNTS)
    must_be_line(name, "name")
    must_be_text(note, "note")
    await _must_be_new(tx, name)
    row = Competitor(
        id=uuid7(), tenant_id=tx.actor.tenant_id, name=name, note=note, created_at=tx.at
    )
    tx.session.add(row)
    after = values_of(row, _SHOWN)
    tx.record(CompetitorAdded(account_id=None, subject_id=row.id, at=tx.at, after=after))
    await tx.session.flush()
    return row


async def change(
    tx: Tx,
    competitor_id: UUID,
    *,
    is_watched: bool | None = None,
    expected_version: int | None = None,
    **changes: Any,
) -> Competitor:
    """Rename or describe a competitor, or stop watching it; a note of None is cleared."""
    tx.actor.must(Right.MANAGE_ACCOUNTS)
    row = await tx.get(Competitor, competitor_id, "competitor", lock=True)
    must_be_current(row.version, expected_version)
    must_be_line(changes.get("name"), "name")
    must_be_text(changes.get("note"), "note")
    if is_watched is not None and is_watched == (row.ended_at is not None):
        changes["ended_at"] = None if is_watched else tx.at
    changed = {
        key: value
        for key, value in changes.items()
        if value != getattr(row, key) and not (key == "name" and value is None)
    }
    if "name" in changed:
        await _must_be_new(tx, changed["name"])
    if not changed:
        return row
    before = values_of(row, changed)
    for key, value in changed.items():
        setattr(row, key, value)
    tx.record(
        CompetitorChanged(
            account_id=None,
            subject_id=row.id,
            at=tx.at,
            before=before,
            after=values_of(row, changed),
        )
    )
    await tx.session.flush()
    return row


async def enter_figure(
    tx: Tx,
    competitor_id: UUID,
    *,
    platform: ReviewSourceKind,
    read_on: date,
    reviews: int,
    share: float | None,
    url: str,
) -> CompetitorFigure:
    """Enter what a public page of a competitor showed on a day; one figure a page and day."""
    tx.actor.must(Right.MANAGE_ACCOUNTS)
    must_be_line(url, "url")
    must_be_day(read_on, "readOn", tx.at)
    if read_on > tx.at.date():
        raise Refused(Code.INVALID, "readOn must not be in the future.", argument="readOn")
    if not 0 <= reviews <= MOST_REVIEWS:
        raise Refused(
            Code.INVALID, f"reviews must be from 0 to {MOST_REVIEWS:,}.", argument="reviews"
        )
    if share is not None and not 0 <= share <= 1:
        raise Refused(Code.INVALID, "share must be from 0 to 1.", argument="share")
    row = await tx.get(Competitor, competitor_id, "competitor", argument="competitorId")
    figure: CompetitorFigure | None = await tx.session.scalar(
        insert(CompetitorFigure)
        .values(
            id=uuid7(),
            tenant_id=row.tenant_id,
            competitor_id=row.id,
            platform=platform,
            read_on=read_on,
            reviews=reviews,
            share=share,
            url=url,
            entered_at=tx.at,
            entered_by=tx.actor.subject,
        )
        .on_conflict_do_nothing()
        .returning(CompetitorFigure)
    )
    if figure is None:
        raise Refused(Code.ALREADY_EXISTS, "The page has a figure of this day.", argument="readOn")
    tx.record(
        CompetitorFigureEntered(
            account_id=None,
            subject_id=row.id,
            at=tx.at,
            figure_id=figure.id,
            platform=str(platform),
            read_on=read_on,
            reviews=reviews,
            share=share,
        )
    )
    await tx.session.flush()
    return figure


async def _must_be_new(tx: Tx, name: str) -> None:
    known = select(Competitor.id).where(
        Competitor.tenant_id == tx.actor.tenant_id, Competitor.name == name
    )
    if await tx.session.scalar(known) is not None:
        raise Refused(Code.ALREADY_EXISTS, "Another competitor has this name.", argument="name")
