"""Facts about dashboards. They are internal to the company: clients do not see them."""

from typing import Any, ClassVar

from domain.core.ledger import Fact


class DashboardSaved(Fact):
    """A dashboard was made or changed; `before` is what it was until then, null for a new one."""

    kind: ClassVar[str] = "dashboard.saved"
    subject_type: ClassVar[str | None] = "Dashboard"
    before: dict[str, Any] | None
    after: dict[str, Any]
    internal: bool = True


class DashboardRemoved(Fact):
    """A dashboard was removed; `before` is what it was."""

    kind: ClassVar[str] = "dashboard.removed"
    subject_type: ClassVar[str | None] = "Dashboard"
    before: dict[str, Any]
    internal: bool = True
