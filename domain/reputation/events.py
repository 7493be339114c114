"""Facts about reviews. Those without an account are about reviews that are linked to no client."""

from datetime import date, datetime
from typing import Any, ClassVar
from uuid import UUID

from domain.core.ledger import Fact


class ReviewSourceAdded(Fact):
    """A page, feed or file with reviews is read from now on."""

    kind: ClassVar[str] = "review_source.added"
    subject_type: ClassVar[str | None] = "ReviewSource"
    after: dict[str, Any]


class ReviewSourceChanged(Fact):
    """A source of reviews was changed or stopped; credentials are named, never shown."""

    kind: ClassVar[str] = "review_source.changed"
    subject_type: ClassVar[str | None] = "ReviewSource"
    before: dict[str, Any]
    after: dict[str, Any]


class ReviewReceived(Fact):
    """A review was read for the first time; `share` is its rating from 0 to 1."""

    kind: ClassVar[str] = "review.received"
    subject_type: ClassVar[str | None] = "Review"
    personal: ClassVar[frozenset[str]] = frozenset({"author", "words"})
    source_id: UUID
    share: float
    written_at: datetime
    author: str | None
    words: str | None
    after: dict[str, Any]


class ReviewEdited(Fact):
    """The author changed a review; `before` and `after` hold figures, the words stand apart."""

    kind: ClassVar[str] = "review.edited"
    subject_type: ClassVar[str | None] = "Review"
    personal: ClassVar[frozenset[str]] = frozenset({"words_before", "words_after"})
    source_id: UUID
    share: float
    words_before: str | None
    words_after: str | None
    before: dict[str, Any]
    after: dict[str, Any]


class ReviewReplySeen(Fact):
    """The reply below a review appeared, changed or disappeared at its source."""

    kind: ClassVar[str] = "review.reply_seen"
    subject_type: ClassVar[str | None] = "Review"
    personal: ClassVar[frozenset[str]] = frozenset({"words_before", "words_after"})
    source_id: UUID
    words_before: str | None
    words_after: str | None
    before: datetime | None
    after: datetime | None


class ReviewGone(Fact):
    """A review is no longer at its source: two full reads in a row did not contain it."""

    kind: ClassVar[str] = "review.gone"
    subject_type: ClassVar[str | None] = "Review"
    source_id: UUID
    before: str
    after: str


class ReviewRestored(Fact):
    """A review that was gone is at its source again."""

    kind: ClassVar[str] = "review.restored"
    subject_type: ClassVar[str | None] = "Review"
    source_id: UUID
    before: str
    after: str


class ReviewLinkSuggested(Fact):
    """A review may be by this contact: `score` in thousandths, with its parts. Internal to the company."""

    kind: ClassVar[str] = "review.link_suggested"
    subject_type: ClassVar[str | None] = "Review"
    contact_id: UUID
    score: int
    parts: dict[str, int]
    internal: bool = True


class ReviewLinked(Fact):
    """A review belongs to this client; `state` says whether a person decided, `before` the client until now."""

    kind: ClassVar[str] = "review.linked"
    subject_type: ClassVar[str | None] = "Review"
    source_id: UUID
    share: float
    contact_id: UUID | None
    incident_id: UUID | None
    score: int
    before: str | None
    after: str
    state: str


class ReviewLinkRefused(Fact):
    """A review does not belong to this client, a person says. Internal to the company."""

    kind: ClassVar[str] = "review.link_refused"
    subject_type: ClassVar[str | None] = "Review"
    before: str
    after: str
    internal: bool = True


class ReviewRatingFell(Fact):
    """The share of ratings above 0.5 of a source fell by more than chance explains; shares in millionths.

    `low_ppm` to `high_ppm` is the 95 % interval of the change, `probability_ppm` how often chance alone does this.
    """

    kind: ClassVar[str] = "review_source.rating_fell"
    subject_type: ClassVar[str | None] = "ReviewSource"
    before_ppm: int
    after_ppm: int
    low_ppm: int
    high_ppm: int
    probability_ppm: int
    n_before: int
    n: int
    internal: bool = True


class ReviewRatingRecovered(Fact):
    """The ratings of a source are no longer below those of the year before; `before` is the day on which they fell."""

    kind: ClassVar[str] = "review_source.rating_recovered"
    subject_type: ClassVar[str | None] = "ReviewSource"
    before: date
    internal: bool = True
