"""The standard questionnaire: four questions that every company can ask from the first day."""

from domain.surveys.questions import Question, QuestionKind, Wording

NAME = "Standard"
TITLE = Wording(nl="Hoe tevreden bent u over ons?", en="How satisfied are you with us?")
QUESTIONS = (
    Question(
        key="experience",
        kind=QuestionKind.RATING,
        words=Wording(
            nl="Hoe beoordeelt u uw ervaring met onze ondersteuning?",
            en="How would you rate your support experience?",
        ),
        is_required=True,
    ),
    Question(
        key="resolved",
        kind=QuestionKind.YES_NO,
        words=Wording(
            nl="Is uw probleem naar tevredenheid opgelost?",
            en="Was your issue resolved to your satisfaction?",
        ),
    ),
    Question(
        key="recommend",
        kind=QuestionKind.NPS,
        words=Wording(
            nl="Hoe waarschijnlijk is het dat u onze diensten aanbeveelt?",
            en="How likely are you to recommend our services?",
        ),
    ),
    Question(
        key="improve",
        kind=QuestionKind.TEXT,
        words=Wording(nl="Wat kunnen wij verbeteren?", en="What could we improve?"),
    ),
)
