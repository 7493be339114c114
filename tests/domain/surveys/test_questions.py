"""Questions that can be asked, and answers that fit them."""

import pytest

from domain import surveys
from domain.core.errors import Refused
from domain.surveys import Choice, GivenAnswer, Question, QuestionKind, ShownIf, Wording

ASK = Wording(nl="Hoe ging het?", en="How was it?")
RECOMMEND = Question(key="recommend", kind=QuestionKind.NPS, words=ASK, is_required=True)
WHY = Question(
    key="why",
    kind=QuestionKind.TEXT,
    words=ASK,
    shown_if=ShownIf(question="recommend", answers=("0", "1", "2", "3", "4", "5", "6")),
)
SHIFTS = tuple(Choice(key=key, label=ASK) for key in ("day", "night"))
SHIFT = Question(key="shift", kind=QuestionKind.SINGLE_CHOICE, words=ASK, choices=SHIFTS)


def test_an_answer_that_another_hides_is_dropped() -> None:
    asked = [RECOMMEND, WHY]
    low = surveys.check_replies(
        asked, {"recommend": GivenAnswer(number=3), "why": GivenAnswer(words="Late.")}
    )
    high = surveys.check_replies(
        asked, {"recommend": GivenAnswer(number=9), "why": GivenAnswer(words="Late.")}
    )
    assert set(low) == {"recommend", "why"}
    assert set(high) == {"recommend"}


@pytest.mark.parametrize(
    ("replies", "says"),
    [
        ({"recommend": GivenAnswer(number=11)}, "from 0 to 10"),
        ({"recommend": GivenAnswer(number=-1)}, "from 0 to 10"),
        ({"recommend": GivenAnswer(words="ten")}, "from 0 to 10"),
        (
            {"recommend": GivenAnswer(number=3), "shift": GivenAnswer(chosen=("day", "night"))},
            "needs one of",
        ),
        (
            {"recommend": GivenAnswer(number=3), "shift": GivenAnswer(chosen=("noon",))},
            "day, night",
        ),
        (
            {"recommend": GivenAnswer(number=3), "why": GivenAnswer(words="a" * 4_001)},
            "4,000 characters",
        ),
        ({"recommend": GivenAnswer(number=3), "why": GivenAnswer(words="a\x00")}, "NUL"),
        ({"shift": GivenAnswer(chosen=("day",))}, "recommend needs an answer"),
        ({"price": GivenAnswer(number=1)}, "no question 'price'"),
    ],
)
def test_an_answer_that_does_not_fit_is_refused(replies: dict[str, GivenAnswer], says: str) -> None:
    with pytest.raises(Refused, match=says):
        surveys.check_replies([RECOMMEND, WHY, SHIFT], replies)


def test_nothing_answered_is_refused() -> None:
    with pytest.raises(Refused, match="at least one"):
        surveys.check_replies([SHIFT], {"shift": GivenAnswer()})


@pytest.mark.parametrize(
    ("questions", "says"),
    [
        ([], "1 to 30"),
        ([RECOMMEND, RECOMMEND], "Two questions"),
        ([WHY, RECOMMEND], "not before it"),
        ([Question(key="Why?", kind=QuestionKind.TEXT, words=ASK)], "lower-case word"),
        ([Question(key="a", kind=QuestionKind.TEXT, words=Wording(nl=" ", en="b"))], "blank"),
        ([Question(key="a", kind=QuestionKind.SINGLE_CHOICE, words=ASK)], "2 to 20 choices"),
        ([Question(key="a", kind=QuestionKind.NPS, words=ASK, choices=SHIFTS)], "only questions"),
        (
            [
                RECOMMEND,
                Question(
                    key="b",
                    kind=QuestionKind.TEXT,
                    words=ASK,
                    shown_if=ShownIf(question="recommend", answers=("11",)),
                ),
            ],
            "does not have",
        ),
    ],
)
def test_questions_that_cannot_be_asked_are_refused(questions: list[Question], says: str) -> None:
    with pytest.raises(Refused, match=says):
        surveys.check_questions(questions)


def test_good_questions_pass() -> None:
    surveys.check_questions([RECOMMEND, WHY, SHIFT])
