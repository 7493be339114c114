"""Facts that positions prove, with pseudonyms and without coordinates; each names the times of its fixes."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from domain.core.ledger import Fact


class SiteFenced(Fact):
    """The geofence of a site was set or removed; with the geofence before and after.

    Circles in metres around the site, outlines as lat, lon, lat, lon …
    """

    kind: ClassVar[str] = "site.fenced"
    subject_type: ClassVar[str | None] = "Site"
    was_radius_m: float | None
    was_outline: list[float] | None
    radius_m: float | None
    outline: list[float] | None


class PositionsRead(Fact):
    """Somebody viewed the positions of the account's guards; for the company only."""

    kind: ClassVar[str] = "account.positions_read"
    subject_type: ClassVar[str | None] = "Account"
    internal: bool = True


class PresenceFact(Fact):
    """Fields of every fact about presence: the row, the duty and the site; clients do not see `internal` ones."""

    subject_type: ClassVar[str | None] = "Presence"
    duty_id: UUID
    site_id: UUID | None
    guard: int
    fixes: list[datetime]
    internal: bool


class GuardArrived(PresenceFact):
    """A guard is inside a site's geofence."""

    kind: ClassVar[str] = "guard.arrived"


class GuardLeft(PresenceFact):
    """A guard is outside a site's geofence."""

    kind: ClassVar[str] = "guard.left"


class PresenceLapsed(PresenceFact):
    """From now on no fix proves that a guard is inside: the record has a gap. The guard may be present or not."""

    kind: ClassVar[str] = "guard.presence_lapsed"


class MockBegan(PresenceFact):
    """A device reports that its positions are mocked; they are stored and prove nothing."""

    kind: ClassVar[str] = "guard.mock_began"


class MockEnded(PresenceFact):
    """A device reports real positions again."""

    kind: ClassVar[str] = "guard.mock_ended"


class GuardStoodStill(PresenceFact):
    """A guard stands still."""

    kind: ClassVar[str] = "guard.stopped"


class Moved(PresenceFact):
    """A guard moves after standing still."""

    kind: ClassVar[str] = "guard.moved"


class FellSilent(PresenceFact):
    """A device on duty sends nothing."""

    kind: ClassVar[str] = "guard.silent"


class HeardAgain(PresenceFact):
    """A silent device sends positions again."""

    kind: ClassVar[str] = "guard.heard"


class Absent(PresenceFact):
    """A guard is expected at a site and is not present."""

    kind: ClassVar[str] = "guard.absent"


class AbsenceEnded(PresenceFact):
    """The absent guard arrived, or the duty ended."""

    kind: ClassVar[str] = "guard.absence_ended"


class PresenceRevised(PresenceFact):
    """Late fixes changed the times of a presence."""

    kind: ClassVar[str] = "guard.revised"
    presence: str
    was_from_at: datetime
    was_until_at: datetime | None
    from_at: datetime
    until_at: datetime | None


class Retracted(PresenceFact):
    """Late fixes show that the presence did not happen."""

    kind: ClassVar[str] = "guard.retracted"
    presence: str
    was_from_at: datetime
    was_until_at: datetime | None
