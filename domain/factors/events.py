"""Facts about second factors."""

from typing import ClassVar
from uuid import UUID

from domain.core.ledger import Fact


class FactorAdded(Fact):
    """A user has another second factor: `totp` or `passkey`."""

    kind: ClassVar[str] = "user.factor_added"
    factor: str
    passkey_id: UUID | None = None


class FactorRemoved(Fact):
    """A user has a second factor less; `all` when who manages the user removed every one."""

    kind: ClassVar[str] = "user.factor_removed"
    factor: str
    passkey_id: UUID | None = None


class RecoveryCodesMade(Fact):
    """A user has new recovery codes; the ones before, if `replaced`, are good for nothing."""

    kind: ClassVar[str] = "user.recovery_codes_made"
    count: int
    replaced: bool = False


class RecoveryCodeUsed(Fact):
    """A user signed in with a recovery code."""

    kind: ClassVar[str] = "user.recovery_code_used"
    left: int
