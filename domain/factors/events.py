"""Facts about second factors."""

from typing import ClassVar
from uuid import UUID

from domain.core.ledger import Fact


class FactorAdded(Fact):
    """A user added a second factor: `totp` or `passkey`."""

    kind: ClassVar[str] = "user.factor_added"
    subject_type: ClassVar[str | None] = "User"
    factor: str
    passkey_id: UUID | None = None


class FactorRemoved(Fact):
    """A second factor of a user was removed; `all` when a user who manages the user removed every one."""

    kind: ClassVar[str] = "user.factor_removed"
    subject_type: ClassVar[str | None] = "User"
    factor: str
    passkey_id: UUID | None = None


class RecoveryCodesMade(Fact):
    """A user created new recovery codes; the earlier ones, if `replaced`, are invalid."""

    kind: ClassVar[str] = "user.recovery_codes_made"
    subject_type: ClassVar[str | None] = "User"
    count: int
    replaced: bool = False


class RecoveryCodeUsed(Fact):
    """A user signed in with a recovery code."""

    kind: ClassVar[str] = "user.recovery_code_used"
    subject_type: ClassVar[str | None] = "User"
    left: int
