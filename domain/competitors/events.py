"""Facts about competitors. They are about the company, and internal to it."""

from datetime import date
from typing import Any, ClassVar
from uuid import UUID

from domain.core.ledger import Fact


class CompetitorAdded(Fact):
    """A competitor is watched from now on."""

    kind: ClassVar[str] = "competitor.added"
    subject_type: ClassVar[str | None] = "Competitor"
    after: dict[str, Any]
    internal: bool = True


class CompetitorChanged(Fact):
    """A competitor was renamed, described anew, or is no longer watched."""

    kind: ClassVar[str] = "competitor.changed"
    subject_type: ClassVar[str | None] = "Competitor"
    before: dict[str, Any]
    after: dict[str, Any]
    internal: bool = True


class CompetitorFigureEntered(Fact):
    """Somebody read how many reviews a public page of a competitor has, and their mean rating."""

    kind: ClassVar[str] = "competitor.figure_entered"
    subject_type: ClassVar[str | None] = "Competitor"
    figure_id: UUID
    platform: str
    read_on: date
    reviews: int
    share: float | None
    internal: bool = True
