"""Surveys: what clients are asked, who is asked when, their answers, and scores with their uncertainty."""

from domain.surveys.answers import OpenSurvey, answer, open_survey
from domain.surveys.fatigue import SkipReason, SurveyPurpose
from domain.surveys.letters import SurveyLetter
from domain.surveys.links import SurveyLinks
from domain.surveys.model import (
    Questionnaire,
    QuestionnaireVersion,
    Survey,
    SurveyAnswer,
    SurveyInvitation,
    SurveyResponse,
    SurveyWave,
)
from domain.surveys.privacy import forget, responses_of
from domain.surveys.programme import add_survey, change_survey
from domain.surveys.questionnaires import (
    add_standard,
    add_version,
    create_questionnaire,
    publish,
)
from domain.surveys.questions import (
    LONGEST_WORDS,
    MOST_CHOICES,
    MOST_QUESTIONS,
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
from domain.surveys.reminders import remind, to_remind
from domain.surveys.rules import Audience, Trigger
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
from domain.surveys.waves import (
    PART,
    accounts_to_survey,
    decide_wave,
    due_waves,
    plan_after_incident,
    plan_periods,
)

__all__ = [
    "LONGEST_WORDS",
    "MOST_CHOICES",
    "MOST_QUESTIONS",
    "PART",
    "SCALES",
    "Audience",
    "Choice",
    "Estimate",
    "GivenAnswer",
    "IntervalMethod",
    "OpenSurvey",
    "Question",
    "QuestionKind",
    "Questionnaire",
    "QuestionnaireVersion",
    "ScoreKind",
    "ShownIf",
    "SkipReason",
    "Survey",
    "SurveyAnswer",
    "SurveyInvitation",
    "SurveyLetter",
    "SurveyLinks",
    "SurveyPurpose",
    "SurveyResponse",
    "SurveyScore",
    "SurveyWave",
    "Tally",
    "Trigger",
    "Wording",
    "accounts_to_survey",
    "add_standard",
    "add_survey",
    "add_version",
    "answer",
    "change",
    "change_survey",
    "check_questions",
    "check_replies",
    "create_questionnaire",
    "decide_wave",
    "due_waves",
    "forget",
    "is_asked",
    "open_survey",
    "plan_after_incident",
    "plan_periods",
    "positive_share",
    "publish",
    "remind",
    "responses_of",
    "score",
    "share",
    "tally_of",
    "to_remind",
]
