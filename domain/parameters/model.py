"""Rows: values of parameters, each valid from an instant until a later row of its level. Rows are never changed."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from domain.core.base import Base, Tenanted
from domain.parameters.definitions import ParameterLevel, ParameterTier, ParameterUnit, Quantity


class ParameterValue(Base, Tenanted):
    """Value of a parameter for the company, a tier, an account or a site; without numbers, the end of a value."""

    __tablename__ = "parameter_value"
    __table_args__ = (
        CheckConstraint("(numbers IS NULL) = (unit IS NULL)", name="value_is_whole"),
        CheckConstraint(
            "level IN ('tenant', 'tier', 'account', 'site') AND (level = 'tier') = (tier IS NOT NULL)"
            " AND (level IN ('account', 'site')) = (account_id IS NOT NULL)"
            " AND (level = 'site') = (site_id IS NOT NULL)",
            name="level_fits",
        ),
        Index(None, "tenant_id", "name", "valid_from"),
    )

    account_id: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"), index=True)
    site_id: Mapped[UUID | None] = mapped_column(ForeignKey("site.id"), index=True)
    tier: Mapped[ParameterTier | None]
    level: Mapped[ParameterLevel]
    name: Mapped[str]
    numbers: Mapped[list[int] | None] = mapped_column(ARRAY(BigInteger))
    unit: Mapped[ParameterUnit | None]
    valid_from: Mapped[datetime]
    set_at: Mapped[datetime]
    set_by: Mapped[str]  # as named in the ledger

    @property
    def quantity(self) -> Quantity | None:
        """The value; None where the row ends the value of its level."""
        if self.numbers is None or self.unit is None:
            return None
        return Quantity(tuple(self.numbers), self.unit)
