"""Rows: clock facts as packed columns, one segment per promise term and month, and how far an account is sealed."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, LargeBinary, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from domain.core.base import Base, Owned


class Sealing(Base):
    """How far an account is sealed: incidents opened before `until_at`, facts up to `upto_seq`.

    An incident with a later fact is read from the ledger again, so a segment is never wrong, only incomplete.
    """

    __tablename__ = "sealing"

    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"), primary_key=True)
    tenant_id: Mapped[UUID] = mapped_column(ForeignKey("tenant.id"), index=True)
    until_at: Mapped[datetime]
    upto_seq: Mapped[int]
    sealed_at: Mapped[datetime]


class EventSegment(Base, Owned):
    """The clock events of one promise term about the incidents opened in one UTC month, in reading order.

    Little-endian columns: `ts` i64 µs and `code` u8 (kind | priority << 4) per event, and `value` f32 where the term
    measures values; `counts` i32 events, `incidents` 16-byte ids and `site_of` i32 rows of `sites` per incident,
    incidents by id; `sites` different 16-byte ids.
    """

    __tablename__ = "column_segment"
    __table_args__ = (
        UniqueConstraint("term_id", "month_on"),
        CheckConstraint(
            "length(ts) = 8 * events AND length(code) = events AND length(value) IN (0, 4 * events)",
            name="event_columns",
        ),
        CheckConstraint(
            "length(counts) = 4 * units AND length(incidents) = 16 * units AND length(site_of) = 4 * units",
            name="unit_columns",
        ),
    )

    term_id: Mapped[UUID] = mapped_column(ForeignKey("promise_term.id"))
    month_on: Mapped[date]
    events: Mapped[int]
    units: Mapped[int]
    ts: Mapped[bytes] = mapped_column(LargeBinary)
    code: Mapped[bytes] = mapped_column(LargeBinary)
    value: Mapped[bytes] = mapped_column(LargeBinary)
    counts: Mapped[bytes] = mapped_column(LargeBinary)
    incidents: Mapped[bytes] = mapped_column(LargeBinary)
    site_of: Mapped[bytes] = mapped_column(LargeBinary)
    sites: Mapped[bytes] = mapped_column(LargeBinary)
