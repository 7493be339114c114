"""The page behind the link of a shift offer: GET shows it and changes nothing (scanners follow links); POST accepts.

It works without JavaScript. Every link that we did not sign gets the same page, before anything is looked up.
"""

from datetime import datetime
from html import escape
from zoneinfo import ZoneInfo

from babel.dates import format_datetime
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from api.endpoints.offer_texts import WORDS
from api.endpoints.survey_form import page
from api.state import AppState
from api.support.accept import accepted
from api.support.client_address import throttle_name
from api.support.rate_limit import RateLimit
from domain import replacements
from domain.accounts.model import Account, Tenant, User
from domain.core.db import transaction
from domain.core.errors import Code, Refused
from domain.replacements import OfferState, ShiftOffer

ONE_ADDRESS = RateLimit(per_s=100, burst=1_000)
"""Requests of one address, behind which a whole company may be."""
_HEADERS = {
    "cache-control": "no-store",
    "x-robots-tag": "noindex",
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self';"
    " base-uri 'none'; frame-ancestors 'none'",
}


def routes() -> list[Route]:
    """One path: the token in it is the guard's."""
    return [Route("/o/{token}", _link, methods=["GET", "POST"])]


async def _link(request: Request) -> Response:
    state: AppState = request.app.state.waarborg
    address = throttle_name(state.proxies.client_of(request.scope))
    wait_s = await state.throttle.wait_s(f"offer:client:{address}", 1, ONE_ADDRESS)
    if wait_s > 0:
        more = {"retry-after": str(int(wait_s) + 1)}
        return _say(request, None, 429, "too_many", more=more)
    offer_id = state.offer_links.read(request.path_params["token"])
    if offer_id is None:
        return _say(request, None, 404, "unknown")
    async with state.sessions() as session:
        offer = await session.get(ShiftOffer, offer_id)
        if offer is None:
            return _say(request, None, 404, "unknown")
        user = await session.get_one(User, offer.user_id)
        zone = (await session.get_one(Account, offer.account_id)).time_zone
        company = (await session.get_one(Tenant, offer.tenant_id)).name
    if offer.state is OfferState.ACCEPTED:
        return _say(request, user.language, 200, "done")
    if offer.state is not OfferState.OPEN or offer.until_at <= state.now():
        return _say(request, user.language, 410, "taken")
    if request.method == "GET":
        return _offer(request, user.language, offer, zone, company)
    try:
        async with transaction(state.sessions) as session:
            await replacements.accept_by_link(session, offer_id, at=state.now())
    except Refused as refused:
        if refused.refusal.code is Code.ALREADY_DONE:
            return _say(request, user.language, 410, "taken")
        return _say(request, user.language, 409, "refused")
    return _say(request, user.language, 200, "done")


def _offer(
    request: Request, language: str | None, offer: ShiftOffer, zone: str, company: str
) -> Response:
    known = _language(request, language)
    words = WORDS[known]
    when = words["when"].format(
        from_at=_time(offer.from_at, zone, known), until_at=_time(offer.until_at, zone, known)
    )
    lines = [f"{offer.post_name}, {offer.site_name}", when]
    if offer.travel_minutes is not None:
        lines.append(words["travel"].format(minutes=offer.travel_minutes))
    lines.append(words["explain"])
    text = "".join(f"<p>{escape(line)}</p>" for line in lines)
    form = f'<form method="post"><button>{escape(words["accept"])}</button></form>'
    title = f"{words['title']} – {company}"
    return HTMLResponse(page(known, None, text + form, title), headers=_HEADERS)


def _time(at: datetime, zone: str, language: str) -> str:
    return format_datetime(at, "EEEE d MMMM HH:mm", tzinfo=ZoneInfo(zone), locale=language)


def _say(
    request: Request,
    language: str | None,
    status: int,
    text: str,
    *,
    more: dict[str, str] | None = None,
) -> Response:
    known = _language(request, language)
    words = WORDS[known]
    body = page(known, None, f"<p>{escape(words[text])}</p>", words[f"{text}_title"])
    return HTMLResponse(body, status, headers=_HEADERS | (more or {}))


def _language(request: Request, known: str | None) -> str:
    """The reader's, else the browser's, else Dutch."""
    for tag in (known or "", *accepted(request.headers.get("accept-language"))):
        if tag[:2] in WORDS:
            return tag[:2]
    return "nl"
