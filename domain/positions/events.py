"""Facts that positions prove, by pseudonym and without places; each names the instants of the fixes that prove it."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from domain.core.ledger import Fact


class SiteFenced(Fact):
    """A site has another fence from here on, or none any more; what it was, and what it is.

    Circles in metres around the site, outlines as lat, lon, lat, lon …
    """

    kind: ClassVar[str] = "site.fenced"
    was_radius_m: float | None
    was_outline: list[float] | None
    radius_m: float | None
    outline: list[float] | None


class PositionsRead(Fact):
    """Somebody looked where the account's guards are; for the company only."""

    kind: ClassVar[str] = "account.positions_read"
    internal: bool = True


class PresenceFact(Fact):
    """What presence, of which duty, where; `internal` ones are not the client's business."""

    duty_id: UUID
    site_id: UUID | None
    guard: int
    fixes: list[datetime]
    internal: bool


class GuardArrived(PresenceFact):
    """A guard is inside a site's fence."""

    kind: ClassVar[str] = "guard.arrived"


class Left(PresenceFact):
    """A guard is outside again."""

    kind: ClassVar[str] = "guard.left"


class PresenceLapsed(PresenceFact):
    """From here on nothing proves that a guard is inside: the record has a hole. The guard may be there or not."""

    kind: ClassVar[str] = "guard.presence_lapsed"


class MockBegan(PresenceFact):
    """A device says that its positions are made up; they are stored and prove nothing."""

    kind: ClassVar[str] = "guard.mock_began"


class MockEnded(PresenceFact):
    """A device says again where it really is."""

    kind: ClassVar[str] = "guard.mock_ended"


class GuardStoodStill(PresenceFact):
    """A guard stands still."""

    kind: ClassVar[str] = "guard.stopped"


class Moved(PresenceFact):
    """A guard moves again."""

    kind: ClassVar[str] = "guard.moved"


class FellSilent(PresenceFact):
    """A device on duty is not heard of."""

    kind: ClassVar[str] = "guard.silent"


class HeardAgain(PresenceFact):
    """It is heard of again."""

    kind: ClassVar[str] = "guard.heard"


class Absent(PresenceFact):
    """A guard is expected at a site and is not there."""

    kind: ClassVar[str] = "guard.absent"


class AbsenceEnded(PresenceFact):
    """The guard came, or the duty ended."""

    kind: ClassVar[str] = "guard.absence_ended"


class PresenceRevised(PresenceFact):
    """Late fixes tell it otherwise."""

    kind: ClassVar[str] = "guard.revised"
    presence: str
    was_from_at: datetime
    was_until_at: datetime | None
    from_at: datetime
    until_at: datetime | None


class Retracted(PresenceFact):
    """Late fixes show that it was not so."""

    kind: ClassVar[str] = "guard.retracted"
    presence: str
    was_from_at: datetime
    was_until_at: datetime | None
