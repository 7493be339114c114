"""Rows: changes of the stage of accounts, which never change."""

from datetime import datetime

from sqlalchemy import Index
from sqlalchemy.orm import Mapped

from domain.accounts.model import Stage
from domain.core.base import Base, Owned


class StageChange(Base, Owned):
    """A change of the stage of an account, with who made it and why."""

    __tablename__ = "stage_change"
    __table_args__ = (Index(None, "account_id", "changed_at"),)

    stage_before: Mapped[Stage]
    stage_after: Mapped[Stage]
    reason: Mapped[str]
    changed_at: Mapped[datetime]
    changed_by: Mapped[str]
