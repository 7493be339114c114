"""Facts about parameters. They are internal to the company: clients do not see them."""

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from domain.core.ledger import Fact


class ParameterSet(Fact):
    """A parameter has another value from an instant on; `before` is the value of the same level until then."""

    kind: ClassVar[str] = "parameter.set"
    subject_type: ClassVar[str | None] = "ParameterValue"
    name: str
    level: str
    tier: str | None
    site_id: UUID | None
    valid_from: datetime
    before: dict[str, Any] | None
    after: dict[str, Any]
    internal: bool = True


class ParameterReset(Fact):
    """A level has no value of a parameter from an instant on; `before` is the value until then."""

    kind: ClassVar[str] = "parameter.reset"
    subject_type: ClassVar[str | None] = "ParameterValue"
    name: str
    level: str
    tier: str | None
    site_id: UUID | None
    valid_from: datetime
    before: dict[str, Any]
    after: dict[str, Any] | None = None
    internal: bool = True
