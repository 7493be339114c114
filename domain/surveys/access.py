"""Access rules of surveys: who is asked and what was answered is for those who read the relationship."""

from typing import Any

from sqlalchemy import ColumnElement, and_

from domain.access import Actor, Right
from domain.access.declarations import AccessRules
from domain.access.rule import Rows, in_accounts, in_company


def _with_names(actor: Actor, model: Any) -> ColumnElement[bool]:
    """Select the answers of accessible accounts that are not anonymous."""
    return and_(in_accounts(actor, model), model.is_anonymous.is_(False))


ACCESS = AccessRules(
    rows={
        **{
            table: Rows((Right.READ_RELATIONSHIP,), "the own company", in_company)
            for table in ("questionnaire", "questionnaire_version", "survey")
        },
        **{
            table: Rows((Right.READ_RELATIONSHIP,))
            for table in ("survey_wave", "survey_invitation")
        },
        **{
            table: Rows(
                (Right.READ_RELATIONSHIP,),
                "accessible accounts, without anonymous ones",
                _with_names,
            )
            for table in ("survey_response", "survey_answer")
        },
    },
    fields={
        "Questionnaire": {None: "id name createdAt versions published"},
        "QuestionnaireVersion": {
            None: "id number titleNl titleEn createdAt publishedAt questions questionnaire"
        },
        "SurveyQuestion": {None: "key kind wordsNl wordsEn isRequired choices shownIf"},
        "SurveyChoice": {None: "key labelNl labelEn"},
        "SurveyCondition": {None: "question answers"},
        "SurveyPreview": {None: "title language questions"},
        "PreviewedQuestion": {None: "key kind words isRequired choices isAsked"},
        "PreviewedChoice": {None: "key label"},
        "Survey": {
            None: "id name trigger purpose audience delaySeconds openDays oneIn isAnonymous isActive createdAt version"
            " questionnaire"
        },
        "SurveyWave": {None: "id name dueAt decidedAt contacts asked survey account incident"},
        "SurveyInvitation": {
            None: "id purpose decidedAt skipped closesAt remindedAt isAnswered survey wave contact"
        },
        "SurveyResponse": {
            None: "id language answeredAt changedAt weight answers survey questionnaireVersion account contact site"
            " incident"
        },
        "SurveyAnswer": {None: "question kind number chosen words themes"},
        "FoundSurveyTheme": {None: "theme words"},
        "AnsweredSurvey": {None: "answeredAt account"},
        "SurveyEstimate": {None: "value low high"},
        "SurveyScore": {None: "kind n nEffective excluded estimate method fewest tooFew"},
        "SurveyQuestionScore": {None: "question kind score change wordsNl wordsEn"},
        "SurveyScores": {None: "asked undeliverable answered responseRate questions"},
        "FeedEvent": {Right.READ_QUALITY: "surveyScores"},
        "SurveyMonth": {None: "monthOn score change"},
    },
    facts={
        Right.READ_RELATIONSHIP: "questionnaire.version_added questionnaire.published survey.added survey.changed"
        " survey.asked survey.skipped survey.withdrawn survey.answered survey.corrected survey.rated"
    },
    queries={
        **dict.fromkeys(("questionnaires", "surveys", "surveyWaves", "surveyInvitations"), ()),
        "surveyResponses": (),
        "questionnairePreview": (Right.READ_RELATIONSHIP,),
        "surveyScores": (Right.READ_QUALITY,),
        "surveyTrend": (Right.READ_QUALITY,),
    },
    subscriptions={"surveyEvents": (Right.READ_LEDGER, Right.READ_RELATIONSHIP)},
    downloads={"/surveys/{id}.csv": (Right.READ_RELATIONSHIP,)},
    mutations={
        Right.MANAGE_ACCOUNTS: "createQuestionnaire addQuestionnaireVersion"
        " publishQuestionnaireVersion addStandardQuestionnaire addSurvey changeSurvey",
        Right.FOLLOW_UP: "answerSurvey",
    },
)
