"""Access rules of surveys."""

from domain.access import Right
from domain.access.declarations import AccessRules
from domain.access.rule import Rows, in_company

ACCESS = AccessRules(
    rows={
        "questionnaire": Rows((Right.READ_RELATIONSHIP,), scope=in_company),
        "questionnaire_version": Rows((Right.READ_RELATIONSHIP,), scope=in_company),
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
    },
    facts={Right.READ_RELATIONSHIP: "questionnaire.version_added questionnaire.published"},
    queries={"questionnaires": (), "questionnairePreview": (Right.READ_RELATIONSHIP,)},
    mutations={
        Right.MANAGE_ACCOUNTS: "createQuestionnaire addQuestionnaireVersion"
        " publishQuestionnaireVersion addStandardQuestionnaire",
    },
)
