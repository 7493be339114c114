"""Rows: security companies, their client accounts, sites, contacts, users and API keys."""

from datetime import date, datetime, time
from enum import StrEnum
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    Double,
    ForeignKey,
    Index,
    LargeBinary,
    Text,
    UniqueConstraint,
    Uuid,
    false,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from domain.access import Role
from domain.core.base import Base, Keyed, Owned, Tenanted, Versioned


class Segment(StrEnum):
    """Size class of a client."""

    ENTERPRISE = "enterprise"
    MID_MARKET = "mid_market"
    SMALL_BUSINESS = "small_business"


class Stage(StrEnum):
    """Stage of the relationship with a client."""

    PROSPECT = "prospect"
    ONBOARDING = "onboarding"
    DELIVERY = "delivery"
    GROWTH = "growth"
    RENEWAL = "renewal"
    ADVOCACY = "advocacy"


class ContractType(StrEnum):
    """Way in which a client buys services."""

    SUBSCRIPTION = "subscription"
    PROJECT = "project"
    RETAINER = "retainer"
    TRANSACTIONAL = "transactional"


class Complexity(StrEnum):
    """Complexity of the service for a client."""

    SIMPLE = "simple"
    MODERATE = "moderate"
    COMPLEX = "complex"
    CUSTOM = "custom"


class CadenceTier(StrEnum):
    """Tier that decides how often contact with a client is planned."""

    STRATEGIC = "strategic"
    CORE = "core"
    STANDARD = "standard"


class ServiceTier(StrEnum):
    """Tier of support to which a client is entitled."""

    BASIC = "basic"
    ENHANCED = "enhanced"
    PREMIUM = "premium"


class Channel(StrEnum):
    """Channel by which a contact prefers to receive messages."""

    EMAIL = "email"
    SMS = "sms"
    PUSH = "push"
    CHAT = "chat"
    WEBHOOK = "webhook"


class Tenant(Base, Keyed):
    """A security company."""

    __tablename__ = "tenant"

    name: Mapped[str] = mapped_column(unique=True)
    kvk_number: Mapped[str | None]
    permit_number: Mapped[str | None]  # ND-nummer
    time_zone: Mapped[str] = mapped_column(default="Europe/Amsterdam")
    currency: Mapped[str] = mapped_column(default="EUR")
    demo: Mapped[bool] = mapped_column(
        default=False, server_default=false()
    )  # demonstration data, created by `up`


class Account(Base, Tenanted, Versioned):
    """A client of the security company."""

    __tablename__ = "account"
    __table_args__ = (
        UniqueConstraint("tenant_id", "name"),
        CheckConstraint("kvk_number ~ '^[0-9]{8}$'", name="kvk_number_8_digits"),
        CheckConstraint("strategic_importance BETWEEN 1 AND 5", name="strategic_importance_1_to_5"),
        CheckConstraint("growth_potential BETWEEN 1 AND 5", name="growth_potential_1_to_5"),
        Index(None, "tenant_id", "id"),
    )

    name: Mapped[str]
    kvk_number: Mapped[str | None]
    segment: Mapped[Segment] = mapped_column(default=Segment.MID_MARKET)
    vertical: Mapped[str | None]
    regions: Mapped[list[str]] = mapped_column(
        ARRAY(Text), server_default=text("'{}'"), default=list
    )
    yearly_revenue_cents: Mapped[int | None]
    employees: Mapped[int | None]
    yearly_transactions: Mapped[int | None]
    complexity: Mapped[Complexity] = mapped_column(default=Complexity.SIMPLE)
    contract_type: Mapped[ContractType] = mapped_column(default=ContractType.SUBSCRIPTION)
    growth_potential: Mapped[int] = mapped_column(default=3)
    strategic_importance: Mapped[int] = mapped_column(default=3)
    stage: Mapped[Stage] = mapped_column(default=Stage.ONBOARDING)
    cadence_tier: Mapped[CadenceTier] = mapped_column(default=CadenceTier.STANDARD)
    service_tier: Mapped[ServiceTier] = mapped_column(default=ServiceTier.BASIC)
    time_zone: Mapped[str] = mapped_column(default="Europe/Amsterdam")
    language: Mapped[str] = mapped_column(default="nl")
    currency: Mapped[str] = mapped_column(default="EUR")
    client_since_on: Mapped[date | None]


class Site(Base, Owned, Versioned):
    """A site that the company guards for a client."""

    __tablename__ = "site"
    __table_args__ = (
        UniqueConstraint("account_id", "name"),
        CheckConstraint("lat BETWEEN -90 AND 90", name="lat_degrees"),
        CheckConstraint("lon BETWEEN -180 AND 180", name="lon_degrees"),
        CheckConstraint("fence_radius_m BETWEEN 10 AND 50000", name="fence_radius_m_sane"),
        CheckConstraint("(merged_into_id IS NULL) = (merged_at IS NULL)", name="merged_is_dated"),
    )

    name: Mapped[str]
    street: Mapped[str | None]
    postcode: Mapped[str | None]
    city: Mapped[str | None]
    country: Mapped[str] = mapped_column(default="NL")
    lat: Mapped[float | None]
    lon: Mapped[float | None]
    services: Mapped[list[str]] = mapped_column(
        ARRAY(Text), server_default=text("'{}'"), default=list
    )
    fence_radius_m: Mapped[float | None] = mapped_column(Double)  # around lat, lon
    fence_outline: Mapped[list[float] | None] = mapped_column(ARRAY(Double))  # lat, lon, lat, lon …
    merged_into_id: Mapped[UUID | None] = mapped_column(ForeignKey("site.id"), index=True)
    merged_at: Mapped[datetime | None]


class Contact(Base, Owned, Versioned):
    """A person on the client's side, with communication preferences."""

    __tablename__ = "contact"
    __table_args__ = (
        UniqueConstraint("account_id", "email"),
        CheckConstraint("language IN ('nl', 'en')", name="language_known"),
        CheckConstraint("decision_power BETWEEN 1 AND 5", name="decision_power_1_to_5"),
        CheckConstraint(
            "relationship_strength BETWEEN 1 AND 5", name="relationship_strength_1_to_5"
        ),
        CheckConstraint("(merged_into_id IS NULL) = (merged_at IS NULL)", name="merged_is_dated"),
    )

    name: Mapped[str]
    email: Mapped[str | None]
    phone: Mapped[str | None]
    role: Mapped[str]
    seniority: Mapped[str | None]
    decision_power: Mapped[int] = mapped_column(default=3)
    relationship_strength: Mapped[int] = mapped_column(default=3)
    last_contact_at: Mapped[datetime | None]
    internal_owner_id: Mapped[UUID | None] = mapped_column(ForeignKey("app_user.id"))
    channel: Mapped[Channel] = mapped_column(default=Channel.EMAIL)
    language: Mapped[str] = mapped_column(default="nl")
    tone: Mapped[str | None]
    time_zone: Mapped[str] = mapped_column(default="Europe/Amsterdam")
    cultural_notes: Mapped[str | None]
    quiet_from: Mapped[time | None]
    quiet_until: Mapped[time | None]
    wants_service_messages: Mapped[bool] = mapped_column(default=True)
    merged_into_id: Mapped[UUID | None] = mapped_column(ForeignKey("contact.id"), index=True)
    merged_at: Mapped[datetime | None]


class User(Base, Tenanted, Versioned):
    """A user who can sign in: staff of the company, or of a client."""

    __tablename__ = "app_user"
    __table_args__ = (
        CheckConstraint("language IN ('nl', 'en')", name="language_known"),
        Index(None, "email"),
    )

    email: Mapped[str]
    name: Mapped[str]
    role: Mapped[Role]
    language: Mapped[str | None]  # language of messages and pages; null: the company's
    disabled_at: Mapped[datetime | None]


class Reach(Base):
    """An account that a user is limited to; client users have at least one, staff without rows can access all."""

    __tablename__ = "user_reach"

    user_id: Mapped[UUID] = mapped_column(ForeignKey("app_user.id"), primary_key=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"), primary_key=True)
    tenant_id: Mapped[UUID] = mapped_column(ForeignKey("tenant.id"), index=True)


class ApiKey(Base, Tenanted):
    """A partner system's key: only its SHA-256 is kept, the key itself is shown once."""

    __tablename__ = "api_key"
    __table_args__ = (UniqueConstraint("prefix"),)

    name: Mapped[str]
    prefix: Mapped[str]
    secret_sha256: Mapped[bytes] = mapped_column(LargeBinary)
    role: Mapped[Role] = mapped_column(default=Role.PARTNER)
    account_ids: Mapped[list[UUID] | None] = mapped_column(ARRAY(Uuid()))  # null: all
    scopes: Mapped[list[str] | None] = mapped_column(ARRAY(Text))  # null: all rights of the role
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]
