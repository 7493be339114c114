"""Facts about feedback. Fractions are in millionths; no word of a text stands in a fact."""

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from domain.core.ledger import Fact


class SentimentRead(Fact):
    """The sentiment of a text was read, with its method and weights; there is none about anonymous answers."""

    kind: ClassVar[str] = "sentiment.read"
    subject_type: ClassVar[str | None] = "TextSentiment"
    text_kind: str
    response_id: UUID | None
    review_id: UUID | None
    update_id: UUID | None
    written_at: datetime
    polarity: int
    label: str
    label_before: str | None
    method: str
    head: str
    taxonomy: str
    themes: list[str]
    score: int | None
    disagrees: bool
    internal: bool = True


class SentimentCorrected(Fact):
    """A person corrected the label or the themes of a text; `before` and `after` hold both."""

    kind: ClassVar[str] = "sentiment.corrected"
    subject_type: ClassVar[str | None] = "TextSentiment"
    written_at: datetime
    polarity: int
    before: dict[str, Any]
    after: dict[str, Any]
    disagrees: bool
    internal: bool = True


class ThemeWordsRevised(Fact):
    """The company's words of a theme changed, for texts that are read from `effective_at` on."""

    kind: ClassVar[str] = "theme_words.revised"
    subject_type: ClassVar[str | None] = "ThemeTaxonomy"
    theme: str
    number: int
    effective_at: datetime
    before: list[str]
    after: list[str]
    internal: bool = True


class SentimentHeadTrained(Fact):
    """Weights were trained on the company's own scored texts; `is_used` says whether they read texts from now on."""

    kind: ClassVar[str] = "sentiment_head.trained"
    subject_type: ClassVar[str | None] = "SentimentHead"
    method: str
    before: str
    after: str
    texts: int
    is_used: bool
    internal: bool = True
