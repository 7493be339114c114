"""Facts about advocacy. What people wrote stays in the rows; `internal` facts are not shown to clients."""

from datetime import date, datetime
from typing import Any, ClassVar
from uuid import UUID

from domain.core.ledger import Fact


class ReferralMade(Fact):
    """A client recommended the company to another organisation."""

    kind: ClassVar[str] = "referral.made"
    subject_type: ClassVar[str | None] = "Referral"
    contact_id: UUID | None
    value_cents: int | None
    internal: bool = True


class ReferralMoved(Fact):
    """A referral has another state or value; `won_account_id` is the client that it became."""

    kind: ClassVar[str] = "referral.moved"
    subject_type: ClassVar[str | None] = "Referral"
    before: str
    after: str
    value_cents_before: int | None
    value_cents_after: int | None
    won_account_id: UUID | None
    internal: bool = True


class CaseStudyDrafted(Fact):
    """A case study about a client was written."""

    kind: ClassVar[str] = "case_study.drafted"
    subject_type: ClassVar[str | None] = "CaseStudy"
    text_number: int
    internal: bool = True


class CaseStudyChanged(Fact):
    """The text of a case study was changed: it is a draft again, and a consent to the text before counts no more.

    `before` and `after` hold the state, the number of the text, and the consent; the texts stay in the row.
    """

    kind: ClassVar[str] = "case_study.changed"
    subject_type: ClassVar[str | None] = "CaseStudy"
    before: dict[str, Any]
    after: dict[str, Any]
    internal: bool = True


class CaseStudyOffered(Fact):
    """The client was asked to consent to a text of a case study."""

    kind: ClassVar[str] = "case_study.offered"
    subject_type: ClassVar[str | None] = "CaseStudy"
    text_number: int
    before: str
    after: str


class CaseStudyConsented(Fact):
    """The client consented to a text of a case study, for these channels, until a day."""

    kind: ClassVar[str] = "case_study.consented"
    subject_type: ClassVar[str | None] = "CaseStudy"
    contact_id: UUID | None
    text_number: int
    channels_before: list[str]
    channels_after: list[str]
    until_on: date
    by_client: bool
    before: str
    after: str


class CaseStudyDeclined(Fact):
    """The client does not consent to a case study."""

    kind: ClassVar[str] = "case_study.declined"
    subject_type: ClassVar[str | None] = "CaseStudy"
    before: str
    after: str


class CaseStudyPublished(Fact):
    """A case study is shown from now on, within its consent."""

    kind: ClassVar[str] = "case_study.published"
    subject_type: ClassVar[str | None] = "CaseStudy"
    text_number: int
    before: str
    after: str


class CaseStudyWithdrawn(Fact):
    """A case study is shown nowhere any more."""

    kind: ClassVar[str] = "case_study.withdrawn"
    subject_type: ClassVar[str | None] = "CaseStudy"
    before: str
    after: str


class ReferenceCallRequested(Fact):
    """A contact was asked to tell a prospect about the company."""

    kind: ClassVar[str] = "reference_call.requested"
    subject_type: ClassVar[str | None] = "ReferenceCall"
    contact_id: UUID
    internal: bool = True


class ReferenceCallAgreed(Fact):
    """A contact agreed to a reference call at a time, or to another time."""

    kind: ClassVar[str] = "reference_call.agreed"
    subject_type: ClassVar[str | None] = "ReferenceCall"
    contact_id: UUID
    planned_at_before: datetime | None
    planned_at_after: datetime
    internal: bool = True


class ReferenceCallHeld(Fact):
    """A reference call took place."""

    kind: ClassVar[str] = "reference_call.held"
    subject_type: ClassVar[str | None] = "ReferenceCall"
    contact_id: UUID
    internal: bool = True


class ReferenceCallCancelled(Fact):
    """A reference call does not take place."""

    kind: ClassVar[str] = "reference_call.cancelled"
    subject_type: ClassVar[str | None] = "ReferenceCall"
    contact_id: UUID
    before: str
    after: str
    internal: bool = True


class ChampionNamed(Fact):
    """A contact is a champion of the company, since a day."""

    kind: ClassVar[str] = "champion.named"
    subject_type: ClassVar[str | None] = "Champion"
    contact_id: UUID
    since_on: date
    internal: bool = True


class ChampionEnded(Fact):
    """A contact is a champion no more, for a reason."""

    kind: ClassVar[str] = "champion.ended"
    subject_type: ClassVar[str | None] = "Champion"
    contact_id: UUID
    reason: str
    internal: bool = True
