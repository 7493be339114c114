"""Surveys: what clients are asked, who is asked when, their answers, and scores with their uncertainty."""

from domain.surveys.answers import OpenSurvey, answer, open_survey
from domain.surveys.export import csv_of
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
from domain.surveys.people import person_of
from domain.surveys.privacy import forget, responses_of
from domain.surveys.programme import add_survey, change_survey
from domain.surveys.questionnaires import (
    add_standard,
    add_version,
    create_questionnaire,
    publish,
    published,
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
from domain.surveys.reads import (
    SCORE_FACTS,
    MeasuredSurveys,
    ScoredMonth,
    ScoredQuestion,
    ScoreScope,
    measured,
    months,
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
from domain.surveys.themes import FoundTheme, Theme, themes_of
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
    "SCORE_FACTS",
    "Audience",
    "Choice",
    "Estimate",
    "FoundTheme",
    "GivenAnswer",
    "IntervalMethod",
    "MeasuredSurveys",
    "OpenSurvey",
    "Question",
    "QuestionKind",
    "Questionnaire",
    "QuestionnaireVersion",
    "ScoreKind",
    "ScoreScope",
    "ScoredMonth",
    "ScoredQuestion",
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
    "Theme",
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
    "csv_of",
    "decide_wave",
    "due_waves",
    "forget",
    "is_asked",
    "measured",
    "months",
    "open_survey",
    "person_of",
    "plan_after_incident",
    "plan_periods",
    "positive_share",
    "publish",
    "published",
    "remind",
    "responses_of",
    "score",
    "share",
    "tally_of",
    "themes_of",
    "to_remind",
]
