"""Clocks of survey responses: each rating that stands when the survey closes is measured; four and five are kept."""

from domain.agreements.model import PromiseKind
from domain.evaluator.kernels.codes import EventKind, PromiseClass
from domain.promises import ClockRule, FactRole, UnitClocks
from domain.surveys.questions import SCALES, QuestionKind
from domain.surveys.scores import POSITIVE

RESPONSE = "survey_response"
"""The kind of unit that is the answers of one respondent."""
CLOCKS = UnitClocks(
    unit_kind=RESPONSE,
    subject_type="SurveyResponse",
    rules={
        PromiseKind.CLIENT_SATISFIED: ClockRule(
            PromiseClass.POINT,
            {"survey.rated": FactRole(EventKind.MEASURE, value_field="value")},
            prioritised=False,
            pass_mark=float(POSITIVE[QuestionKind.RATING]),
            full_mark=float(SCALES[QuestionKind.RATING][-1]),
        ),
    },
)
