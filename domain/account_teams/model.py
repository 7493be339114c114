"""Rows: members of account teams, from when until when."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from domain.core.base import Base, Owned


class TeamRole(StrEnum):
    """What a member of an account team looks after."""

    ACCOUNT_MANAGER = "account_manager"
    EXECUTIVE_SPONSOR = "executive_sponsor"
    CUSTOMER_SUCCESS = "customer_success"
    PROJECT_MANAGER = "project_manager"
    SALES_SUPPORT = "sales_support"
    TECHNICAL = "technical"
    SUPPORT = "support"
    FINANCE = "finance"
    EXPERT = "expert"


class Raci(StrEnum):
    """Part that a member has in the work of the role."""

    RESPONSIBLE = "responsible"
    ACCOUNTABLE = "accountable"
    CONSULTED = "consulted"
    INFORMED = "informed"


class TeamMember(Base, Owned):
    """A user of the company who has a role for a client; a role has one accountable member at a time."""

    __tablename__ = "team_member"
    __table_args__ = (
        CheckConstraint("left_at >= joined_at", name="left_after_joined"),
        CheckConstraint("(left_at IS NULL) = (left_reason IS NULL)", name="leaving_has_reason"),
        CheckConstraint("deputy_id <> user_id", name="deputy_is_another"),
        Index(
            "uq_team_member_accountable",
            "account_id",
            "role",
            unique=True,
            postgresql_where=text("left_at IS NULL AND raci = 'accountable'"),
        ),
        Index(
            "uq_team_member_once",
            "account_id",
            "user_id",
            "role",
            unique=True,
            postgresql_where=text("left_at IS NULL"),
        ),
    )

    user_id: Mapped[UUID] = mapped_column(ForeignKey("app_user.id"), index=True)
    role: Mapped[TeamRole]
    raci: Mapped[Raci]
    deputy_id: Mapped[UUID | None] = mapped_column(ForeignKey("app_user.id"))
    joined_at: Mapped[datetime]
    left_at: Mapped[datetime | None]
    left_reason: Mapped[str | None]
    successor_id: Mapped[UUID | None] = mapped_column(ForeignKey("app_user.id"))
