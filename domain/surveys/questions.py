"""Questions of a questionnaire and the rules of their answers. Pure: no database."""

import re
from collections.abc import Mapping, Sequence
from enum import StrEnum

import msgspec

from domain.core.errors import Code, Refused
from domain.core.text_rules import must_be_line, must_be_text

MOST_QUESTIONS, MOST_CHOICES = 30, 20
LONGEST_WORDS = 4_000
"""Characters of an answer in words."""
_KEY = re.compile(r"[a-z][a-z0-9_]{0,39}")


class QuestionKind(StrEnum):
    """Kind of a question, which decides what an answer can be."""

    RATING = "rating"
    YES_NO = "yes_no"
    NPS = "nps"
    CES = "ces"
    SINGLE_CHOICE = "single_choice"
    MULTIPLE_CHOICE = "multiple_choice"
    TEXT = "text"


SCALES: dict[QuestionKind, range] = {
    QuestionKind.RATING: range(1, 6),
    QuestionKind.YES_NO: range(2),  # 0 no, 1 yes
    QuestionKind.NPS: range(11),
    QuestionKind.CES: range(1, 8),
}
"""Numbers that are answers, by kind; any other number is a code and not a score."""
CHOICES = frozenset({QuestionKind.SINGLE_CHOICE, QuestionKind.MULTIPLE_CHOICE})


class Wording(msgspec.Struct, frozen=True):
    """A text in both languages."""

    nl: str
    en: str

    def of(self, language: str) -> str:
        """Return the text in a language; English when it is neither."""
        return self.nl if language == "nl" else self.en


class Choice(msgspec.Struct, frozen=True):
    """One of the answers that can be chosen."""

    key: str
    label: Wording


class ShownIf(msgspec.Struct, frozen=True):
    """The condition under which a question is asked: an earlier one was answered with one of these.

    Numbers are written as text: `0` for no, `1` for yes, `7` for a seven; choices by their key.
    """

    question: str
    answers: tuple[str, ...]


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """A question, in both languages."""

    key: str
    kind: QuestionKind
    words: Wording
    is_required: bool = False
    choices: tuple[Choice, ...] = ()
    shown_if: ShownIf | None = None


class GivenAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody answered to one question: a number, chosen keys, or words."""

    number: int | None = None
    chosen: tuple[str, ...] = ()
    words: str | None = None

    @property
    def is_empty(self) -> bool:
        """Whether nothing was answered."""
        return self.number is None and not self.chosen and not (self.words or "").strip()

    @property
    def marks(self) -> frozenset[str]:
        """The answer as conditions name it."""
        return frozenset(self.chosen) | ({str(self.number)} if self.number is not None else set())


def check_questions(questions: Sequence[Question]) -> None:
    """Refuse questions that cannot be asked: no or too many, keys twice, missing choices, a bad condition."""
    if not 1 <= len(questions) <= MOST_QUESTIONS:
        raise _refused(f"A questionnaire has 1 to {MOST_QUESTIONS} questions.")
    earlier: dict[str, Question] = {}
    for question in questions:
        if not _KEY.fullmatch(question.key):
            raise _refused(
                f"The key {question.key[:50]!r} must be a lower-case word of letters, digits and _, such as"
                " `friendliness`."
            )
        if question.key in earlier:
            raise _refused(f"Two questions have the key {question.key}.")
        _check_texts(question.words, question.key)
        _check_choices(question)
        if question.shown_if is not None:
            _check_condition(question, question.shown_if, earlier)
        earlier[question.key] = question


def check_replies(
    questions: Sequence[Question], replies: Mapping[str, GivenAnswer]
) -> dict[str, GivenAnswer]:
    """Return the replies to the questions that are asked, in their order; refuse what does not fit.

    A reply to a question that another answer hides is dropped. Empty replies are no answers.
    """
    unknown = sorted(replies.keys() - {question.key for question in questions})
    if unknown:
        raise _refused(f"There is no question {unknown[0][:50]!r}.", "answers")
    kept: dict[str, GivenAnswer] = {}
    for question in questions:
        if not is_asked(question, kept):
            continue
        reply = replies.get(question.key, GivenAnswer())
        if not reply.is_empty:
            _check_reply(question, reply)
            kept[question.key] = reply
        elif question.is_required:
            raise _refused(f"The question {question.key} needs an answer.", "answers")
    if not kept:
        raise _refused("Answer at least one question.", "answers")
    return kept


def is_asked(question: Question, replies: Mapping[str, GivenAnswer]) -> bool:
    """Return whether a question is asked after these replies."""
    if question.shown_if is None:
        return True
    earlier = replies.get(question.shown_if.question)
    return earlier is not None and not earlier.marks.isdisjoint(question.shown_if.answers)


def _check_reply(question: Question, reply: GivenAnswer) -> None:
    scale, key = SCALES.get(question.kind), question.key
    has = (reply.number is not None, bool(reply.chosen), reply.words is not None)
    if scale is not None:
        if has != (True, False, False) or reply.number not in scale:
            raise _refused(f"{key} needs a number from {scale[0]} to {scale[-1]}.", "answers")
    elif question.kind is QuestionKind.TEXT:
        if has != (False, False, True):
            raise _refused(f"{key} needs an answer in words.", "answers")
        must_be_text(reply.words, "answers")
        if len(reply.words or "") > LONGEST_WORDS:
            raise _refused(f"{key} has more than {LONGEST_WORDS:,} characters.", "answers")
    else:
        known = {choice.key for choice in question.choices}
        most = 1 if question.kind is QuestionKind.SINGLE_CHOICE else len(known)
        fits = set(reply.chosen) <= known and len(set(reply.chosen)) == len(reply.chosen) <= most
        if has != (False, True, False) or not fits:
            names = ", ".join(sorted(known))
            raise _refused(f"{key} needs {'one' if most == 1 else 'some'} of: {names}.", "answers")


def _check_texts(wording: Wording, key: str) -> None:
    for text in (wording.nl, wording.en):
        try:
            must_be_line(text, "questions")
        except Refused as refused:
            raise _refused(f"The text of {key} is not usable: {refused}") from refused


def _check_choices(question: Question) -> None:
    keys = [choice.key for choice in question.choices]
    if question.kind not in CHOICES:
        if keys:
            raise _refused(f"{question.key}: only questions of choice have choices.")
        return
    if not 2 <= len(keys) <= MOST_CHOICES:
        raise _refused(f"{question.key} needs 2 to {MOST_CHOICES} choices.")
    if len(set(keys)) < len(keys) or not all(_KEY.fullmatch(key) for key in keys):
        raise _refused(f"{question.key}: every choice needs a key of its own, a lower-case word.")
    for choice in question.choices:
        _check_texts(choice.label, f"{question.key}.{choice.key}")


def _check_condition(
    question: Question, condition: ShownIf, earlier: Mapping[str, Question]
) -> None:
    on = earlier.get(condition.question)
    if on is None:
        raise _refused(
            f"{question.key} depends on {condition.question[:50]!r}, which is not before it."
        )
    if on.kind is QuestionKind.TEXT:
        raise _refused(f"{question.key} cannot depend on the words of {on.key}.")
    scale = SCALES.get(on.kind)
    known = (
        {choice.key for choice in on.choices} if scale is None else {str(each) for each in scale}
    )
    if not condition.answers or not set(condition.answers) <= known:
        raise _refused(
            f"{question.key} depends on answers that {on.key} does not have; it has"
            f" {', '.join(sorted(known))}."
        )


def _refused(message: str, argument: str = "questions") -> Refused:
    return Refused(Code.INVALID, message, argument=argument)
