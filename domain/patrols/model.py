"""Rows: routes with their points and tags, rounds with the visits that they expect, and scans by guards."""

from datetime import date, datetime, time
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from domain.core.base import JSON, Base, Owned, Tenanted, Versioned
from domain.evidence import Grade


class PatrolOrder(StrEnum):
    """Order in which a round visits its points."""

    ANY = "any"
    FIXED = "fixed"


class PointKind(StrEnum):
    """What proves that a guard was at a point."""

    NFC = "nfc"
    SIGNED_NFC = "signed_nfc"
    QR = "qr"
    GPS = "gps"
    PHOTO = "photo"
    QUESTION = "question"


class RoundState(StrEnum):
    """How far a round is, from planned to ended."""

    PLANNED = "planned"
    OPEN = "open"
    ENDED = "ended"
    CANCELLED = "cancelled"


class ScanReason(StrEnum):
    """Reason for the grade of a scan."""

    SIGNED_TAG = "signed_tag"
    STATIC_TAG = "static_tag"
    CODE = "code"
    STATEMENT = "statement"  # a position, a photo or an answer, without anything on the spot
    FIX_INSIDE = "fix_inside"
    NO_FIX = "no_fix"
    STALE_FIX = "stale_fix"
    FIX_OUTSIDE = "fix_outside"
    MOCK_FIX = "mock_fix"
    CLOCK_SKEW = "clock_skew"
    SIGNATURE_WRONG = "signature_wrong"
    COUNTER_REPEATED = "counter_repeated"
    TAG_UNKNOWN = "tag_unknown"
    TAG_REVOKED = "tag_revoked"
    TWO_PLACES = "two_places"
    PHOTO_REUSED = "photo_reused"
    NO_PROOF = "no_proof"
    MANUAL = "manual"


class PatrolRoute(Base, Owned, Versioned):
    """Points at a site that guards visit in rounds, on the days of an RFC 5545 rule, within a window of local time.

    The window is cut into as many slots as there are rounds. A fixed round begins with its slot, a random one somewhere
    in it.
    """

    __tablename__ = "patrol_route"
    __table_args__ = (
        CheckConstraint("rounds BETWEEN 1 AND 48", name="rounds_1_to_48"),
        CheckConstraint("round_minutes BETWEEN 1 AND 1440", name="round_within_day"),
        CheckConstraint("ends_on >= starts_on", name="ends_after_starts"),
    )

    site_id: Mapped[UUID] = mapped_column(ForeignKey("site.id"), index=True)
    name: Mapped[str]
    service: Mapped[str]  # by which an agreement can promise it
    ordering: Mapped[PatrolOrder] = mapped_column(default=PatrolOrder.ANY)
    rule: Mapped[str]
    starts_on: Mapped[date]
    ends_on: Mapped[date | None]
    local_start: Mapped[time]
    local_end: Mapped[time]  # on the next day unless it is after the start
    rounds: Mapped[int] = mapped_column(default=1)
    round_minutes: Mapped[int]
    is_random: Mapped[bool] = mapped_column(default=False)
    lowest_grade: Mapped[Grade] = mapped_column(default=Grade.C)  # a scan below it does not count
    least_minutes: Mapped[int] = mapped_column(default=0)  # a whole round that is faster is noted
    late_minutes: Mapped[int] = mapped_column(default=15)  # how long after its end a scan is late


class PatrolPoint(Base, Owned):
    """A point of a route. It never changes."""

    __tablename__ = "patrol_point"
    __table_args__ = (
        UniqueConstraint("route_id", "place"),
        CheckConstraint("(lat IS NULL) = (lon IS NULL)", name="place_is_whole"),
    )

    route_id: Mapped[UUID] = mapped_column(ForeignKey("patrol_route.id"))
    place: Mapped[int]  # from 1; the order of a route with a fixed one
    name: Mapped[str]
    kind: Mapped[PointKind]
    lat: Mapped[float | None]
    lon: Mapped[float | None]
    radius_m: Mapped[int] = mapped_column(default=30)
    due_minutes: Mapped[int | None]  # after the start of the round; none: by its end
    question: Mapped[str | None]


class PatrolTag(Base, Owned):
    """A tag or code at a point, which proves scans until it is revoked. Only a digest of its secret is stored."""

    __tablename__ = "patrol_tag"
    __table_args__ = (
        Index(
            "uq_patrol_tag_in_use",
            "tenant_id",
            "digest",
            unique=True,
            postgresql_where=text("revoked_at IS NULL"),
        ),
    )

    point_id: Mapped[UUID] = mapped_column(ForeignKey("patrol_point.id"), index=True)
    digest: Mapped[bytes]  # SHA-256 of the code or the UID
    sealed: Mapped[bytes | None]  # encrypted keys of a signed tag
    issued_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]


class PatrolRound(Base, Owned):
    """One round of a route, with the period in which it is due."""

    __tablename__ = "patrol_round"
    __table_args__ = (
        UniqueConstraint("route_id", "on_day", "number"),
        CheckConstraint("until_at > from_at", name="until_after_from"),
        Index(None, "site_id", "from_at"),
        Index(None, "tenant_id", "from_at"),
        Index(
            "ix_patrol_round_due",
            "tenant_id",
            "look_at",
            postgresql_where=text("look_at IS NOT NULL"),
        ),
    )

    route_id: Mapped[UUID] = mapped_column(ForeignKey("patrol_route.id"))
    site_id: Mapped[UUID] = mapped_column(ForeignKey("site.id"))
    on_day: Mapped[date]  # the local day on which its window begins
    number: Mapped[int]  # within the day, from 1
    state: Mapped[RoundState] = mapped_column(default=RoundState.PLANNED)
    from_at: Mapped[datetime]
    until_at: Mapped[datetime]
    points: Mapped[int]  # number of points to visit
    visited: Mapped[int] = mapped_column(default=0)
    missed: Mapped[int] = mapped_column(default=0)
    completed_at: Mapped[datetime | None]  # when the last point was visited
    is_too_fast: Mapped[bool] = mapped_column(default=False)
    look_at: Mapped[datetime | None]  # when the system looks at it next


class PatrolDraw(Base, Owned):
    """The key by which the rounds of one day begin at random; nobody reads it before it is revealed in the ledger."""

    __tablename__ = "patrol_draw"
    __table_args__ = (UniqueConstraint("route_id", "on_day"),)

    route_id: Mapped[UUID] = mapped_column(ForeignKey("patrol_route.id"))
    on_day: Mapped[date]
    key: Mapped[bytes]
    until_at: Mapped[datetime]  # the end of the window
    revealed_at: Mapped[datetime | None]


class PatrolVisit(Base, Owned):
    """A point that a round has to visit, and the scan that proves it."""

    __tablename__ = "patrol_visit"
    __table_args__ = (UniqueConstraint("round_id", "point_id"),)

    round_id: Mapped[UUID] = mapped_column(ForeignKey("patrol_round.id"))
    point_id: Mapped[UUID] = mapped_column(ForeignKey("patrol_point.id"), index=True)
    place: Mapped[int]
    due_at: Mapped[datetime]
    made_at: Mapped[datetime | None]
    scan_id: Mapped[UUID | None] = mapped_column(ForeignKey("patrol_scan.id"))
    grade: Mapped[Grade | None]
    is_late: Mapped[bool] = mapped_column(default=False)
    is_out_of_order: Mapped[bool] = mapped_column(default=False)
    missed_at: Mapped[datetime | None]


class PatrolUpload(Base, Tenanted):
    """Scans that a guard's device sent together, and how far its clock was from ours then."""

    __tablename__ = "patrol_upload"

    user_id: Mapped[UUID] = mapped_column(ForeignKey("app_user.id"), index=True)
    device: Mapped[str]
    received_at: Mapped[datetime]
    skew_ms: Mapped[int]  # our clock minus the device's
    accepted: Mapped[int]
    duplicates: Mapped[int]
    refused: Mapped[list[JSON]] = mapped_column(JSONB, default=list)


class PatrolScan(Base, Owned):
    """A guard's scan of a point, with its grade. Positions are not kept, only the distance from the point."""

    __tablename__ = "patrol_scan"
    __table_args__ = (
        UniqueConstraint("user_id", "device", "sequence"),
        Index(None, "point_id", "device_at"),
        Index(None, "user_id", "device", "device_at"),
        Index(None, "tag_id", "counter"),
        Index(None, "tenant_id", "photo_sha256"),
    )

    point_id: Mapped[UUID] = mapped_column(ForeignKey("patrol_point.id"))
    round_id: Mapped[UUID | None] = mapped_column(ForeignKey("patrol_round.id"), index=True)
    tag_id: Mapped[UUID | None] = mapped_column(ForeignKey("patrol_tag.id"))
    upload_id: Mapped[UUID] = mapped_column(ForeignKey("patrol_upload.id"))
    user_id: Mapped[UUID] = mapped_column(ForeignKey("app_user.id"))
    device: Mapped[str]
    sequence: Mapped[int]
    device_at: Mapped[datetime]  # by the clock of the device
    received_at: Mapped[datetime]
    skew_ms: Mapped[int]
    distance_m: Mapped[int | None]  # from the edge of the point; negative: inside
    accuracy_m: Mapped[int | None]
    counter: Mapped[int | None]
    photo_sha256: Mapped[str | None]
    answer: Mapped[str | None]
    own_grade: Mapped[Grade]  # by the scan alone
    own_reasons: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list)
    grade: Mapped[Grade]  # also by what other scans say against it
    reasons: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list)
