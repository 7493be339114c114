"""The page behind the link of a request for a testimonial: write it, decline, or withdraw it. No script, no sign-in.

GET changes nothing, because scanners follow links. A link that we did not sign is 404, before anything is looked up.
"""

from datetime import date
from html import escape
from urllib.parse import parse_qs
from uuid import UUID

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from api.endpoints import request_body
from api.state import AppState
from api.support.client_address import throttle_name
from api.support.errors import HttpRefusal
from api.support.rate_limit import RateLimit
from domain import testimonials
from domain.access import Actor, Tx
from domain.core.db import transaction
from domain.core.errors import Refused
from domain.testimonials import Testimonial, TestimonialChannel, TestimonialState

MOST_BYTES = 64 * 1024
READ_S = 10.0
ONE_LINK = RateLimit(per_s=1 / 10, burst=20)
ONE_ADDRESS = RateLimit(per_s=100, burst=1_000)
_HEADERS = {
    "cache-control": "no-store",
    "x-robots-tag": "noindex",
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self';"
    " base-uri 'none'; frame-ancestors 'none'",
}
WORDS = {
    "nl": {
        "title": "Uw woorden over {company}",
        "words": "Uw tekst",
        "name": "Naam zoals die erbij staat",
        "role": "Functie (mag leeg blijven)",
        "channels": "Waar mag hij staan?",
        "website": "Op websites", "social_media": "Op sociale media",
        "tenders": "In offertes en aanbestedingen",
        "reference_calls": "Anderen mogen mij bellen als referentie",
        "until": "Tot en met",
        "agree": "Ik ben akkoord",
        "give": "Versturen", "decline": "Nee, dank u", "withdraw": "Intrekken",
        "thanks": "Dank u. Met deze link kunt u uw tekst verbeteren of intrekken.",
        "ended": "Uw tekst is gewist en wordt nergens meer getoond.",
        "declined": "Dank u voor uw antwoord; wij vragen het voorlopig niet meer.",
        "wrong": "Vul de tekst, de naam, minstens één plaats en een datum binnen drie jaar in, en geef akkoord.",
    },
    "en": {
        "title": "Your words about {company}",
        "words": "Your text",
        "name": "Name to show with it",
        "role": "Function (may stay empty)",
        "channels": "Where may it be shown?",
        "website": "On websites", "social_media": "On social media",
        "tenders": "In offers and tenders",
        "reference_calls": "Others may call me as a reference",
        "until": "Until and including",
        "agree": "I agree",
        "give": "Send", "decline": "No, thank you", "withdraw": "Withdraw",
        "thanks": "Thank you. With this link you can correct or withdraw your text.",
        "ended": "Your text is erased and shown nowhere any more.",
        "declined": "Thank you for your answer; we will not ask again for now.",
        "wrong": "Fill in the text, the name, at least one place and a day within three years, and agree.",
    },
}  # fmt: skip
_PAGE = """<!doctype html>
<html lang="{language}"><head><meta charset="utf-8"><meta name="robots" content="noindex">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>{title}</title>
<style>body {{ font: 1rem/1.5 system-ui, sans-serif; max-width: 40em; margin: 0 auto; padding: 1em; color: #1f2933 }}
label {{ display: block; margin: 0 0 1em }} textarea, input[type=text], input[type=date] {{ font: inherit; width: 100%;
padding: 0.5em }} textarea {{ min-height: 8em }} fieldset label {{ min-height: 44px; margin: 0 }}
button {{ font: inherit; min-height: 48px; padding: 0.6em 1.4em }} .error {{ color: #8a0018 }}</style></head>
<body><main><h1>{title}</h1>{body}</main></body></html>
"""


def routes() -> list[Route]:
    """One path: the token in it is the contact's."""
    return [Route("/t/{token}", _link, methods=["GET", "POST"])]


async def _link(request: Request) -> Response:
    state: AppState = request.app.state.waarborg
    address = throttle_name(state.proxies.client_of(request.scope))
    wait_s = await state.throttle.wait_s(f"testimonial:client:{address}", 1, ONE_ADDRESS)
    row_id = state.testimonial_links.read(request.path_params["token"])
    if wait_s == 0 and row_id is not None and request.method == "POST":
        wait_s = await state.throttle.wait_s(f"testimonial:link:{row_id}", 1, ONE_LINK)
    if wait_s > 0:
        return Response(status_code=429, headers=_HEADERS | {"retry-after": str(int(wait_s) + 1)})
    found = None if row_id is None else await _found(state, row_id)
    if found is None:
        return Response(status_code=404, headers=_HEADERS)
    row, company = found
    if request.method == "GET":
        return _answer(row, company, _body(state, row, company))
    return await _take(request, state, row, company)


async def _take(request: Request, state: AppState, row: Testimonial, company: str) -> Response:
    """Store what the form holds; show the form again when it cannot be stored."""
    words = WORDS[row.language]
    try:
        body = await request_body.read(request, most=MOST_BYTES, within_s=READ_S)
        fields = parse_qs(body.decode(), keep_blank_values=True, max_num_fields=50)
    except (HttpRefusal, ValueError):
        return _answer(row, company, _form(state, row, company, words["wrong"]), 422)
    given = {key: values[-1].strip() for key, values in fields.items()}
    try:
        async with transaction(state.sessions) as session:
            tx = Tx(session, Actor.system(row.tenant_id, "testimonials"), state.now())
            if given.get("action") in {"decline", "withdraw"}:
                await testimonials.decline(tx, row.id)
            else:
                _must_agree(given)
                await testimonials.give(
                    tx,
                    row.id,
                    words=given.get("words", ""),
                    shown_name=given.get("name", ""),
                    shown_role=given.get("role") or None,
                    channels=[TestimonialChannel(each) for each in fields.get("channel", [])],
                    until_on=date.fromisoformat(given.get("until", "")),
                    language=row.language,
                )
    except (Refused, ValueError):
        return _answer(row, company, _form(state, row, company, words["wrong"]), 422)
    found = await _found(state, row.id)
    if found is None:
        return Response(status_code=404, headers=_HEADERS)
    return _answer(*found, _body(state, *found))


def _must_agree(given: dict[str, str]) -> None:
    if given.get("agree") != "yes":
        raise ValueError("no consent")


async def _found(state: AppState, row_id: UUID) -> tuple[Testimonial, str] | None:
    async with state.sessions() as session:
        return await testimonials.by_link(session, row_id)


def _body(state: AppState, row: Testimonial, company: str) -> str:
    words = WORDS[row.language]
    if row.state is TestimonialState.WITHDRAWN:
        return f"<p>{words['ended']}</p>"
    if row.state is TestimonialState.DECLINED:
        return f"<p>{words['declined']}</p>"
    thanks = "" if row.state is TestimonialState.REQUESTED else f"<p>{words['thanks']}</p>"
    return thanks + _form(state, row, company)


def _form(state: AppState, row: Testimonial, company: str, error: str = "") -> str:
    words, today = WORDS[row.language], state.now().date()
    consent = testimonials.CONSENT[testimonials.CONSENT_VERSION][row.language]
    until = row.until_on or testimonials.usual_day(today)
    boxes = "".join(
        f'<label><input type="checkbox" name="channel" value="{each}"'
        f"{' checked' if each in row.channels else ''}> {words[each]}</label>"
        for each in TestimonialChannel
    )
    no = "decline" if row.state is TestimonialState.REQUESTED else "withdraw"
    return (
        (f'<p class="error" role="alert">{error}</p>' if error else "")
        + '<form method="post">'
        + f'<label>{words["words"]}<textarea name="words" maxlength="2000" required>'
        + f"{escape(row.words or '')}</textarea></label>"
        + f'<label>{words["name"]}<input type="text" name="name" maxlength="300" required'
        + f' value="{escape(row.shown_name or "")}"></label>'
        + f'<label>{words["role"]}<input type="text" name="role" maxlength="300"'
        + f' value="{escape(row.shown_role or "")}"></label>'
        + f"<fieldset><legend>{words['channels']}</legend>{boxes}</fieldset>"
        + f'<label>{words["until"]}<input type="date" name="until" value="{until}" min="{today}"'
        + f' max="{testimonials.latest_day(today)}" required></label>'
        + f"<p>{escape(consent.format(company=company))}</p>"
        + f'<label><input type="checkbox" name="agree" value="yes" required> {words["agree"]}</label>'
        + f"<button>{words['give']}</button></form>"
        + f'<form method="post"><input type="hidden" name="action" value="{no}">'
        + f"<button>{words[no]}</button></form>"
    )


def _answer(row: Testimonial, company: str, body: str, status: int = 200) -> Response:
    title = WORDS[row.language]["title"].format(company=company)
    page = _PAGE.format(language=row.language, title=escape(title), body=body)
    return HTMLResponse(page, status, headers=_HEADERS)
