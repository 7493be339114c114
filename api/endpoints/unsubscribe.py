"""The link at the end of optional mail: GET asks, because scanners follow links; POST acts, in one click (RFC 8058)."""

import re
from html import escape

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from api.state import AppState
from domain import messages
from domain.core.db import transaction
from domain.messages import Message

_WORDS = {
    "nl": (
        "Afmelden",
        "Wilt u geen berichten van deze soort meer ontvangen?",
        "Ja, meld mij af",
        "U bent afgemeld. Berichten over uw meldingen en vergoedingen blijft u ontvangen.",
    ),
    "en": (
        "Unsubscribe",
        "Would you rather not get messages of this kind any more?",
        "Yes, unsubscribe me",
        "You are unsubscribed. You will still hear about your tickets and credits.",
    ),
}
_PAGE = """<!doctype html>
<html lang="{language}"><head><meta charset="utf-8"><meta name="robots" content="noindex">
<meta name="viewport" content="width=device-width"><title>{title}</title></head>
<body style="font-family: sans-serif; max-width: 36em; margin: 4em auto; padding: 0 1em">
<h1>{title}</h1><p>{words}</p>{form}</body></html>
"""
_FORM = '<form method="post"><button style="font-size: 1em; padding: 0.5em 1em">{button}</button></form>'
_KEY = re.compile(r"[A-Za-z0-9_-]{10,100}")
_HEADERS = {
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'",
}


def routes() -> list[Route]:
    """One path: the key in it is the reader's."""
    return [Route("/u/{key}", _link, methods=["GET", "POST"])]


async def _link(request: Request) -> Response:
    """Ask, or act: without signing in and without a redirect. An unknown key is 404."""
    state: AppState = request.app.state.waarborg
    key = request.path_params["key"]
    if not _KEY.fullmatch(key):
        return Response(status_code=404, headers=_HEADERS)
    if request.method == "POST":
        async with transaction(state.sessions) as session:
            message = await messages.unsubscribe(session, key, at=state.now())
    else:
        async with state.sessions() as session:
            message = await messages.message_by_key(session, key)
    if message is None:
        return Response(status_code=404, headers=_HEADERS)
    return _page(message, done=request.method == "POST")


def _page(message: Message, *, done: bool) -> Response:
    title, question, button, thanks = _WORDS[message.language]
    page = _PAGE.format(
        language=message.language,
        title=escape(title),
        words=escape(thanks if done else question),
        form="" if done else _FORM.format(button=escape(button)),
    )
    return Response(page, media_type="text/html; charset=utf-8", headers=_HEADERS)
