"""Surveys: what clients are asked, and scores with their uncertainty."""

from domain.surveys.questions import (
    SCALES,
    Choice,
    GivenAnswer,
    Question,
    QuestionKind,
    ShownIf,
    Wording,
    check_questions,
    check_replies,
    is_asked,
)
from domain.surveys.scores import (
    Estimate,
    IntervalMethod,
    ScoreKind,
    SurveyScore,
    Tally,
    change,
    positive_share,
    score,
    share,
    tally_of,
)

__all__ = [
    "SCALES",
    "Choice",
    "Estimate",
    "GivenAnswer",
    "IntervalMethod",
    "Question",
    "QuestionKind",
    "ScoreKind",
    "ShownIf",
    "SurveyScore",
    "Tally",
    "Wording",
    "change",
    "check_questions",
    "check_replies",
    "is_asked",
    "positive_share",
    "score",
    "share",
    "tally_of",
]
