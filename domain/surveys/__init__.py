"""Surveys: what clients are asked, and scores with their uncertainty."""

from domain.surveys.model import Questionnaire, QuestionnaireVersion
from domain.surveys.questionnaires import (
    add_standard,
    add_version,
    create_questionnaire,
    publish,
    published,
)
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
    "Questionnaire",
    "QuestionnaireVersion",
    "ScoreKind",
    "ShownIf",
    "SurveyScore",
    "Tally",
    "Wording",
    "add_standard",
    "add_version",
    "change",
    "check_questions",
    "check_replies",
    "create_questionnaire",
    "is_asked",
    "positive_share",
    "publish",
    "published",
    "score",
    "share",
    "tally_of",
]
