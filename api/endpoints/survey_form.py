"""The form of a survey as HTML, and what a sent form holds. A fieldset a question, native controls, no script."""

from collections.abc import Mapping, Sequence
from html import escape
from urllib.parse import parse_qs
from zoneinfo import ZoneInfo

from babel.dates import format_date

from api.endpoints.survey_texts import WORDS
from domain.surveys import (
    LONGEST_WORDS,
    MOST_CHOICES,
    MOST_QUESTIONS,
    SCALES,
    GivenAnswer,
    OpenSurvey,
    Question,
    QuestionKind,
)

_PAGE = """<!doctype html>
<html lang="{language}"><head><meta charset="utf-8"><meta name="robots" content="noindex">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>{title} – {company}</title>
<style>
* {{ box-sizing: border-box }}
body {{ font: 1rem/1.5 system-ui, sans-serif; color: #1f2933; background: #fff; max-width: 40em; margin: 0 auto;
  padding: 1em }}
h1 {{ font-size: 1.5rem; line-height: 1.25 }}
fieldset, .question {{ border: 1px solid #52606d; border-radius: 6px; margin: 0 0 1.25em;
  padding: 0.75em 1em; min-width: 0 }}
legend, .words {{ font-weight: 600; padding: 0 0.25em }}
.scale {{ display: flex; flex-wrap: wrap; gap: 0.5em }}
.ends {{ display: flex; justify-content: space-between; gap: 1em; font-size: 0.875rem; color: #3e4c59;
  margin: 0.25em 0 0 }}
.choice {{ display: flex; align-items: center; gap: 0.5em; min-height: 44px; min-width: 44px; padding: 0.25em 0.6em;
  border: 1px solid #52606d; border-radius: 6px }}
.list .choice {{ margin-bottom: 0.5em }}
input[type=radio], input[type=checkbox] {{ width: 1.25em; height: 1.25em; accent-color: #1f3a5f }}
textarea {{ font: inherit; width: 100%; min-height: 7em; padding: 0.5em; border: 1px solid #52606d;
  border-radius: 6px }}
button {{ font: inherit; min-height: 48px; padding: 0.6em 1.4em; background: #1f3a5f; color: #fff; border: 0;
  border-radius: 6px; width: 100% }}
@media (min-width: 40em) {{ button {{ width: auto }} }}
a {{ color: #0b4f9c; display: inline-block; padding: 0.5em 0 }}
:focus-visible {{ outline: 3px solid #0b69c7; outline-offset: 2px }}
.hint {{ font-size: 0.875rem; color: #3e4c59; margin: 0.25em 0 }}
.error {{ border-left: 4px solid #b00020; padding: 0.5em 1em; color: #8a0018 }}
</style></head>
<body><main><p>{company}</p><h1>{title}</h1>
{body}</main></body></html>
"""
_ENDS = {QuestionKind.RATING: "rating", QuestionKind.NPS: "nps", QuestionKind.CES: "ces"}
_NOTHING = ""


def page(language: str, found: OpenSurvey | None, body: str, title: str | None = None) -> str:
    """Return a whole page; `body` is HTML, the title is text."""
    heading = title or ("" if found is None else found.version.title.of(language))
    company = "Waarborg" if found is None else found.company
    return _PAGE.format(
        language=language, title=escape(heading), company=escape(company), body=body
    )


def form(
    found: OpenSurvey,
    language: str,
    filled: Mapping[str, GivenAnswer],
    error: str | None = None,
) -> str:
    """Return the form with what is filled in, and the reason why it could not be stored."""
    words = WORDS[language]
    zone = ZoneInfo("Europe/Amsterdam")
    closes_at = found.invitation.closes_at or found.invitation.decided_at
    day = format_date(closes_at.astimezone(zone).date(), "long", locale=language)
    until = words["until_anonymous" if found.survey.is_anonymous else "until"].format(day=day)
    alert = "" if error is None else f'<p class="error" role="alert">{escape(error)}</p>'
    questions = found.version.questions
    parts = [
        _question(each, questions, language, filled.get(each.key, GivenAnswer()))
        for each in questions
    ]
    send = words["save" if found.answers else "send"]
    other = words["other_language"]
    return (
        f"<p>{escape(until)}</p>{alert}"
        f'<p><a href="?language={other}" lang="{other}" hreflang="{other}">{words["other"]}</a></p>'
        f'<form method="post" action="?language={language}">{"".join(parts)}'
        f"<button>{escape(send)}</button></form>"
    )


def fields_of(body: bytes) -> dict[str, list[str]]:
    """Read a sent form. Raises `ValueError` for what is none, or has more fields than a survey can have."""
    most = MOST_QUESTIONS * (MOST_CHOICES + 1)
    return parse_qs(
        body.decode("utf-8"), keep_blank_values=True, max_num_fields=most, errors="strict"
    )


def given_by(
    questions: Sequence[Question], fields: Mapping[str, Sequence[str]]
) -> dict[str, GivenAnswer]:
    """Return the answers in a form; other fields are ignored, and what is no number never fits."""
    found: dict[str, GivenAnswer] = {}
    for question in questions:
        values = [each for each in fields.get(question.key, ()) if each != _NOTHING]
        if not values:
            continue
        if question.kind in SCALES:
            text = values[-1]
            is_number = text.isascii() and text.isdigit() and len(text) < 4
            found[question.key] = GivenAnswer(number=int(text) if is_number else -1)
        elif question.kind is QuestionKind.TEXT:
            found[question.key] = GivenAnswer(words=values[-1].replace("\r\n", "\n").strip())
        else:
            found[question.key] = GivenAnswer(chosen=tuple(dict.fromkeys(values)))
    return found


def _question(
    question: Question, questions: Sequence[Question], language: str, filled: GivenAnswer
) -> str:
    words = WORDS[language]
    text = escape(question.words.of(language))
    if question.is_required:
        text += f' <span class="hint">({words["required"]})</span>'
    condition = _condition(question, questions, language)
    if question.kind is QuestionKind.TEXT:
        area = (
            f'<textarea id="{question.key}" name="{question.key}" maxlength="{LONGEST_WORDS}" lang="{language}"'
            f' aria-describedby="{question.key}-hint"{_required(question)}>{escape(filled.words or "")}</textarea>'
        )
        return (
            f'<div class="question"><label class="words" for="{question.key}">{text}</label>{condition}'
            f'<p class="hint" id="{question.key}-hint">{words["words_hint"]}</p>{area}</div>'
        )
    controls = _controls(question, language, filled)
    return f"<fieldset><legend>{text}</legend>{condition}{controls}</fieldset>"


def _condition(question: Question, questions: Sequence[Question], language: str) -> str:
    """Say when a question counts: without a script all are shown, and those that are not asked are dropped."""
    if question.shown_if is None:
        return ""
    on = next(each for each in questions if each.key == question.shown_if.question)
    labels = {choice.key: choice.label.of(language) for choice in on.choices}
    if on.kind is QuestionKind.YES_NO:
        labels = {"1": WORDS[language]["yes"], "0": WORDS[language]["no"]}
    answers = ", ".join(labels.get(each, each) for each in question.shown_if.answers)
    text = WORDS[language]["only_if"].format(question=on.words.of(language), answers=answers)
    return f'<p class="hint">{escape(text)}</p>'


def _controls(question: Question, language: str, filled: GivenAnswer) -> str:
    words = WORDS[language]
    if question.kind is QuestionKind.MULTIPLE_CHOICE:
        boxes = [
            _control(
                "checkbox", question.key, one.key, one.label.of(language), one.key in filled.chosen
            )
            for one in question.choices
        ]
        return f'<div class="list">{"".join(boxes)}</div>'
    if question.kind is QuestionKind.SINGLE_CHOICE:
        options = [(one.key, one.label.of(language)) for one in question.choices]
        value = filled.chosen[0] if filled.chosen else ""
    elif question.kind is QuestionKind.YES_NO:
        options = [("1", words["yes"]), ("0", words["no"])]
        value = "" if filled.number is None else str(filled.number)
    else:
        options = [(str(each), str(each)) for each in SCALES[question.kind]]
        value = "" if filled.number is None else str(filled.number)
    required = _required(question)
    radios = [
        _control("radio", question.key, key, label, key == value, required)
        for key, label in options
    ]
    if not question.is_required:
        radios.append(_control("radio", question.key, _NOTHING, words["no_answer"], value == ""))
    name = "list" if question.kind is QuestionKind.SINGLE_CHOICE else "scale"
    shown = f'<div class="{name}">{"".join(radios)}</div>'
    ends = _ENDS.get(question.kind)
    if ends is None:
        return shown
    low, high = words[f"{ends}_low"], words[f"{ends}_high"]
    return f'{shown}<p class="ends"><span>{low}</span><span>{high}</span></p>'


def _control(
    kind: str, name: str, value: str, label: str, is_chosen: bool, required: str = ""
) -> str:
    checked = " checked" if is_chosen else ""
    return (
        f'<label class="choice"><input type="{kind}" name="{name}" value="{escape(value)}"{checked}{required}>'
        f" {escape(label)}</label>"
    )


def _required(question: Question) -> str:
    """Return the attribute for a question that is always asked and must be answered."""
    return " required" if question.is_required and question.shown_if is None else ""
