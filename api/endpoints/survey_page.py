"""The page behind the link of a survey: GET shows it and changes nothing, because scanners follow links; POST answers.

It works without JavaScript. Every link that we did not sign gets the same page, before anything is looked up.
"""

from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from urllib.parse import parse_qs
from uuid import UUID

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from api.endpoints import request_body
from api.endpoints.survey_form import fields_of, form, given_by, page
from api.endpoints.survey_texts import LANGUAGES, WORDS
from api.state import AppState
from api.support.accept import accepted
from api.support.client_address import throttle_name
from api.support.errors import HttpRefusal
from api.support.rate_limit import RateLimit
from domain import surveys
from domain.core.db import transaction
from domain.core.errors import Refused
from domain.surveys import GivenAnswer, OpenSurvey

MOST_BYTES = 128 * 1024
READ_S = 10.0
ONE_LINK = RateLimit(per_s=1 / 10, burst=20)
"""Answers by one link: a person who corrects, not a program."""
ONE_ADDRESS = RateLimit(per_s=100, burst=1_000)
"""Requests of one address, behind which a whole company may be."""
_HEADERS = {
    "cache-control": "no-store",
    "x-robots-tag": "noindex",
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self';"
    " base-uri 'none'; frame-ancestors 'none'",
}


def routes() -> list[Route]:
    """One path: the token in it is the respondent's."""
    return [Route("/s/{token}", _link, methods=["GET", "POST"])]


async def _link(request: Request) -> Response:
    state: AppState = request.app.state.waarborg
    address = throttle_name(state.proxies.client_of(request.scope))
    wait_s = await state.throttle.wait_s(f"survey:client:{address}", 1, ONE_ADDRESS)
    if wait_s > 0:
        return _told(request, 429, "too_many", wait_s)
    invitation_id = state.survey_links.read(request.path_params["token"])
    if invitation_id is None:
        return _told(request, 404, "unknown")
    if request.method == "GET":
        async with state.sessions() as session:
            found = await surveys.open_survey(session, invitation_id)
        return _shown(request, found, state.now())
    wait_s = await state.throttle.wait_s(f"survey:link:{invitation_id}", 1, ONE_LINK)
    if wait_s > 0:
        return _told(request, 429, "too_many", wait_s)
    return await _take(request, state, invitation_id)


def _shown(request: Request, found: OpenSurvey | None, at: datetime) -> Response:
    """Show the form, or why there is none to fill in any more."""
    if found is None:
        return _told(request, 404, "unknown")
    language = _language(request, found.language)
    if found.is_over(at):
        return _over(language, found)
    filled = found.answers or _filled_in(request, found)
    return _answer(page(language, found, form(found, language, filled)))


def _over(language: str, found: OpenSurvey) -> Response:
    text = "done_anonymous" if found.survey.is_anonymous else "over"
    return _message(200 if found.invitation.is_answered else 410, language, text, found)


async def _take(request: Request, state: AppState, invitation_id: UUID) -> Response:
    """Store what the form holds; show the form again with the reason when it cannot be stored."""
    fields = None  # read before the transaction begins: who sends slowly holds no lock
    with suppress(HttpRefusal, ValueError):
        fields = fields_of(await request_body.read(request, most=MOST_BYTES, within_s=READ_S))
    at = state.now()
    async with transaction(state.sessions) as session:
        found = await surveys.open_survey(session, invitation_id, lock=True)
        if found is None or fields is None or found.is_over(at):
            return _untaken(request, found, at)
        language = _language(request, found.language)
        given = given_by(found.version.questions, fields)
        try:
            await surveys.answer_opened(session, found, given, at=at, language=language)
        except Refused:  # what was given does not fit; nothing was written
            wrong = WORDS[language]["missing"]
            return _answer(page(language, found, form(found, language, given, wrong)), 422)
    done = "done_anonymous" if found.survey.is_anonymous else "done"
    return _message(200, language, done, found, again=not found.survey.is_anonymous)


def _untaken(request: Request, found: OpenSurvey | None, at: datetime) -> Response:
    """Say why nothing was taken: no such survey, one that is over, or a form that cannot be read."""
    if found is None or found.is_over(at):
        return _shown(request, found, at)
    language = _language(request, found.language)
    reason = WORDS[language]["no_form"]
    return _answer(page(language, found, form(found, language, {}, reason)), 422)


def _filled_in(request: Request, found: OpenSurvey) -> dict[str, GivenAnswer]:
    """Return the answer that a link of the letter names: it is filled in, and stored only when the form is sent."""
    return given_by(found.version.questions, _named(request.query_params))


def _named(given: Mapping[str, str]) -> dict[str, list[str]]:
    return {key: [value] for key, value in given.items() if key != "language"}


def _language(request: Request, known: str | None) -> str:
    """The one that was chosen on the page, else the respondent's, else the browser's, else Dutch."""
    chosen = parse_qs(request.url.query).get("language", [""])[-1]
    for tag in (chosen, known or "", *accepted(request.headers.get("accept-language"))):
        if tag[:2] in LANGUAGES:
            return tag[:2]
    return "nl"


def _message(
    status: int, language: str, text: str, found: OpenSurvey, *, again: bool = False
) -> Response:
    words = WORDS[language]
    body = f"<p>{words[text]}</p>"
    if again:
        body += f'<p><a href="?language={language}">{words["correct"]}</a></p>'
    return _answer(page(language, found, body, title=words[f"{text}_title"]), status)


def _told(request: Request, status: int, text: str, wait_s: float = 0) -> Response:
    """Answer without a survey: the same for every link that is not ours."""
    language = _language(request, None)
    words = WORDS[language]
    more = {"retry-after": str(int(wait_s) + 1)} if wait_s else {}
    body = page(language, None, f"<p>{words[text]}</p>", title=words[f"{text}_title"])
    return HTMLResponse(body, status, headers=_HEADERS | more)


def _answer(body: str, status: int = 200) -> Response:
    return HTMLResponse(body, status, headers=_HEADERS)
