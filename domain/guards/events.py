"""Facts about guards. They belong to no account, so no client sees them; what they say of people is erasable."""

from typing import ClassVar
from uuid import UUID

from domain.core.ledger import Fact


class GuardProfileSet(Fact):
    """The profile of a guard was made or changed; `before` and `after` hold the values that differ, as JSON text."""

    kind: ClassVar[str] = "guard_profile.set"
    subject_type: ClassVar[str | None] = "GuardProfile"
    personal: ClassVar[frozenset[str]] = frozenset({"before", "after"})
    user_id: UUID
    before: str | None
    after: str | None


class QualificationGranted(Fact):
    """A guard holds a qualification, or holds it until another day; values as JSON text."""

    kind: ClassVar[str] = "qualification.granted"
    subject_type: ClassVar[str | None] = "Qualification"
    personal: ClassVar[frozenset[str]] = frozenset({"before", "after"})
    user_id: UUID
    before: str | None
    after: str | None


class GuardBarred(Fact):
    """A client does not want a guard at its sites from now on."""

    kind: ClassVar[str] = "guard_bar.set"
    subject_type: ClassVar[str | None] = "GuardBar"
    user_id: UUID
    internal: bool = True


class GuardBarLifted(Fact):
    """A guard may work at the sites of a client again."""

    kind: ClassVar[str] = "guard_bar.lifted"
    subject_type: ClassVar[str | None] = "GuardBar"
    user_id: UUID
    internal: bool = True
