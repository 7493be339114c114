"""Facts about patrols. Clients read those of rounds that began; guards are not named, only what was found."""

from datetime import date, datetime, time
from typing import Any, ClassVar
from uuid import UUID

from domain.core.ledger import Fact


class PatrolRouteAdded(Fact):
    """A site has another route; `points` are the names of its points in their order."""

    kind: ClassVar[str] = "patrol_route.added"
    subject_type: ClassVar[str | None] = "PatrolRoute"
    site_id: UUID
    name: str
    service: str
    ordering: str
    rule: str
    starts_on: date
    ends_on: date | None
    local_start: time
    local_end: time
    rounds: int
    round_minutes: int
    is_random: bool
    lowest_grade: str
    least_minutes: int
    late_minutes: int
    points: list[dict[str, Any]]
    internal: bool = True


class PatrolRouteEnded(Fact):
    """A route has another last day; rounds that are planned already stay."""

    kind: ClassVar[str] = "patrol_route.ended"
    subject_type: ClassVar[str | None] = "PatrolRoute"
    before: date | None
    after: date | None
    internal: bool = True


class PatrolTagIssued(Fact):
    """A point has another tag or code; `replaces` are the tags that it revoked."""

    kind: ClassVar[str] = "patrol_tag.issued"
    subject_type: ClassVar[str | None] = "PatrolTag"
    point_id: UUID
    replaces: list[str]
    internal: bool = True


class PatrolTagRevoked(Fact):
    """A tag or code proves nothing from now on."""

    kind: ClassVar[str] = "patrol_tag.revoked"
    subject_type: ClassVar[str | None] = "PatrolTag"
    personal: ClassVar[frozenset[str]] = frozenset({"reason"})
    point_id: UUID
    reason: str
    internal: bool = True


class PatrolRoundsPlanned(Fact):
    """Rounds of a route were planned for a period; when they begin is not told before they do."""

    kind: ClassVar[str] = "patrol_route.planned"
    subject_type: ClassVar[str | None] = "PatrolRoute"
    first_on: date
    last_on: date
    count: int


class PatrolDrawn(Fact):
    """The starts of a day's rounds were drawn; `commitment` is the SHA-256 of the key that decides them.

    Round n begins HMAC-SHA-256(key, "<on_day>|<n>") modulo (slot − round + 1) seconds after its slot; the slots divide
    the window evenly.
    """

    kind: ClassVar[str] = "patrol_route.drawn"
    subject_type: ClassVar[str | None] = "PatrolRoute"
    on_day: date
    commitment: str
    window_from_at: datetime
    window_until_at: datetime
    rounds: int
    round_s: int


class PatrolDrawRevealed(Fact):
    """The key of a day's rounds, after the last of them; `key` is hexadecimal."""

    kind: ClassVar[str] = "patrol_route.draw_revealed"
    subject_type: ClassVar[str | None] = "PatrolRoute"
    on_day: date
    key: str


class PatrolRoundOpened(Fact):
    """A round began: its points are due."""

    kind: ClassVar[str] = "patrol_round.opened"
    subject_type: ClassVar[str | None] = "PatrolRound"
    route_id: UUID
    site_id: UUID
    on_day: date
    number: int
    from_at: datetime
    due_at: datetime


class PatrolRoundCompleted(Fact):
    """Every point of a round was visited, the last one at the time of the fact."""

    kind: ClassVar[str] = "patrol_round.completed"
    subject_type: ClassVar[str | None] = "PatrolRound"


class PatrolRoundWithdrawn(Fact):
    """A round was not completed then, by what was uploaded later; `just_before` is a microsecond before that."""

    kind: ClassVar[str] = "patrol_round.withdrawn"
    subject_type: ClassVar[str | None] = "PatrolRound"
    was_at: datetime
    just_before: datetime


class PatrolRoundReassessed(Fact):
    """A round is judged again after a completion was withdrawn."""

    kind: ClassVar[str] = "patrol_round.reassessed"
    subject_type: ClassVar[str | None] = "PatrolRound"
    was_at: datetime


class PatrolRoundEnded(Fact):
    """The time of a round is over, also for late scans."""

    kind: ClassVar[str] = "patrol_round.ended"
    subject_type: ClassVar[str | None] = "PatrolRound"
    points: int
    visited: int
    missed: int
    is_too_fast: bool


class PatrolRoundCancelled(Fact):
    """A round was cancelled before it began."""

    kind: ClassVar[str] = "patrol_round.cancelled"
    subject_type: ClassVar[str | None] = "PatrolRound"
    personal: ClassVar[frozenset[str]] = frozenset({"reason"})
    reason: str
    internal: bool = True


class PatrolVisitExpected(Fact):
    """A point has to be visited by `due_at`."""

    kind: ClassVar[str] = "patrol_visit.expected"
    subject_type: ClassVar[str | None] = "PatrolVisit"
    round_id: UUID
    point_id: UUID
    due_at: datetime


class PatrolVisitMade(Fact):
    """A scan proves a visit, at the time of the fact."""

    kind: ClassVar[str] = "patrol_visit.made"
    subject_type: ClassVar[str | None] = "PatrolVisit"
    round_id: UUID
    point_id: UUID
    scan_id: UUID
    grade: str
    is_late: bool
    is_out_of_order: bool


class PatrolVisitWithdrawn(Fact):
    """A scan no longer proves a visit, by what was uploaded later; `just_before` is a microsecond before it."""

    kind: ClassVar[str] = "patrol_visit.withdrawn"
    subject_type: ClassVar[str | None] = "PatrolVisit"
    scan_id: UUID
    was_at: datetime
    just_before: datetime


class PatrolVisitReassessed(Fact):
    """A visit is judged again after a scan was withdrawn."""

    kind: ClassVar[str] = "patrol_visit.reassessed"
    subject_type: ClassVar[str | None] = "PatrolVisit"
    was_at: datetime


class PatrolVisitMissed(Fact):
    """No scan that counts proves a visit, although its time is over."""

    kind: ClassVar[str] = "patrol_visit.missed"
    subject_type: ClassVar[str | None] = "PatrolVisit"
    round_id: UUID
    point_id: UUID


class PatrolVisitFound(Fact):
    """A visit was not missed after all: its scan was uploaded later."""

    kind: ClassVar[str] = "patrol_visit.found"
    subject_type: ClassVar[str | None] = "PatrolVisit"
    was_missed_at: datetime


class PatrolScansUploaded(Fact):
    """A guard's device sent scans; counts of stored, known and refused ones."""

    kind: ClassVar[str] = "patrol_upload.received"
    subject_type: ClassVar[str | None] = "PatrolUpload"
    accepted: int
    duplicates: int
    refused: int
    skew_ms: int


class PatrolScanGraded(Fact):
    """A scan has another grade because of scans that were uploaded later."""

    kind: ClassVar[str] = "patrol_scan.regraded"
    subject_type: ClassVar[str | None] = "PatrolScan"
    before: str
    after: str
    reasons: list[str]
    internal: bool = True
