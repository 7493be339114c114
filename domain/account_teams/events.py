"""Facts about account teams."""

from typing import ClassVar
from uuid import UUID

from domain.core.ledger import Fact


class TeamMemberJoined(Fact):
    """A user of the company has a role for a client from now on."""

    kind: ClassVar[str] = "team_member.joined"
    subject_type: ClassVar[str | None] = "TeamMember"
    user_id: UUID
    role: str
    raci: str
    deputy_id: UUID | None
    internal: bool = True


class TeamMemberLeft(Fact):
    """A user of the company no longer has the role; the successor, if one is named, joined in the same instant."""

    kind: ClassVar[str] = "team_member.left"
    subject_type: ClassVar[str | None] = "TeamMember"
    personal: ClassVar[frozenset[str]] = frozenset({"left_reason"})
    user_id: UUID
    role: str
    raci: str
    left_reason: str
    successor_id: UUID | None
    internal: bool = True
