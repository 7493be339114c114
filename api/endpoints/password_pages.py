"""Pages on which people set a password, and ask for a letter when they forgot it. They work without JavaScript."""

from html import escape
from typing import Any
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from api.endpoints import request_body
from api.endpoints.auth import requester_of
from api.endpoints.auth_requests import ForgottenAsk
from api.endpoints.password_texts import WORDS
from api.state import AppState
from api.support.accept import accepted
from api.support.errors import HttpRefusal
from domain import credentials
from domain.accounts import Tenant
from domain.core.errors import Refused
from domain.credentials import LONGEST, SHORTEST

MOST_BYTES = 8 * 1024
READ_S = 10.0
_HEADERS = {
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self';"
    " base-uri 'none'; frame-ancestors 'none'",
}
_PAGE = """<!doctype html>
<html lang="{language}"><head><meta charset="utf-8"><meta name="robots" content="noindex">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>{title}</title>
<style>
body {{ font: 16px/1.5 system-ui, sans-serif; color: #1f2933; background: #fff; max-width: 34em; margin: 3em auto;
  padding: 0 1em }}
label {{ display: block; font-weight: 600; margin-top: 1em }}
input {{ font: inherit; width: 100%; padding: 0.5em; border: 1px solid #52606d; box-sizing: border-box }}
button {{ font: inherit; margin-top: 1.5em; padding: 0.6em 1.2em; background: #1f3a5f; color: #fff; border: 0 }}
:focus-visible {{ outline: 3px solid #0b69c7; outline-offset: 2px }}
.error {{ border-left: 4px solid #b00020; padding: 0.5em 1em; color: #8a0018 }}
</style></head>
<body><main><h1>{title}</h1>{body}</main></body></html>
"""


def routes() -> list[Route]:
    """The page behind the link of a letter, and the one that asks for a letter."""
    return [
        Route("/password/{text}", _set, methods=["GET", "POST"]),
        Route("/password", _forgotten, methods=["GET", "POST"]),
    ]


async def _set(request: Request) -> Response:
    """Show the form, because scanners follow links; only sending it uses the link up."""
    state: AppState = request.app.state.waarborg
    text = request.path_params["text"]
    async with state.sessions() as session:
        user = await credentials.invited_user(session, text, at=state.now())
        company = None if user is None else await session.get_one(Tenant, user.tenant_id)
    language = _language(request, None if user is None else user.language)
    words = WORDS[language]
    if user is None or company is None:
        return _page(410, language, words["over_title"], _over(words))
    about = escape(words["about"].format(company=company.name, email=user.email))
    if request.method == "GET":
        return _page(200, language, words["set_title"], _form(words, about))
    password = ""
    try:
        password = _same_twice(await _fields(request), words)
        await state.login.set_by_invitation(text, password, at=state.now())
    except _Wrong as wrong:
        return _page(422, language, words["set_title"], _form(words, about, str(wrong)))
    except Refused as refused:
        error = _weak(words, refused, password)
        return _page(422, language, words["set_title"], _form(words, about, error))
    except HttpRefusal:
        return _page(410, language, words["over_title"], _over(words))
    return _page(200, language, words["done_title"], f"<p>{escape(words['done'])}</p>")


async def _forgotten(request: Request) -> Response:
    state: AppState = request.app.state.waarborg
    language = _language(request, None)
    words = WORDS[language]
    if request.method == "GET":
        return _page(200, language, words["forgotten_title"], _ask(words))
    try:
        given = await _fields(request)
        ask = ForgottenAsk(given.get("email", ""))
        await state.login.forgotten(ask, requester_of(request), at=state.now())
    except _Wrong as wrong:
        return _page(422, language, words["forgotten_title"], _ask(words, str(wrong)))
    except HttpRefusal as denied:
        body = _ask(words, words["too_many"])
        return _page(denied.status, language, words["forgotten_title"], body)
    return _page(200, language, words["sent_title"], f"<p>{escape(words['sent'])}</p>")


class _Wrong(Exception):
    """The form cannot be taken as it is; the text says why, in the reader's language."""


async def _fields(request: Request) -> dict[str, str]:
    """The fields of a form, each once."""
    try:
        body = await request_body.read(request, most=MOST_BYTES, within_s=READ_S)
        fields = parse_qs(body.decode("utf-8"), keep_blank_values=True, max_num_fields=10)
    except HttpRefusal as refusal:
        raise _Wrong(str(refusal)) from None
    except ValueError:
        raise _Wrong("That is no form.") from None
    return {name: values[-1] for name, values in fields.items()}


def _same_twice(given: dict[str, str], words: dict[str, str]) -> str:
    password = given.get("password", "")
    if password != given.get("again", ""):
        raise _Wrong(words["differ"])
    return password


def _weak(words: dict[str, str], refused: Refused, password: str) -> str:
    if not SHORTEST <= len(password) <= LONGEST:
        return words["length"].format(shortest=SHORTEST, longest=LONGEST)
    return words["weak"] if refused.refusal.argument == "password" else refused.refusal.message


def _language(request: Request, known: str | None) -> str:
    """The user's, else the best of the browser's that there is, else Dutch."""
    if known in WORDS:
        return str(known)
    for tag in accepted(request.headers.get("accept-language")):
        if tag[:2] in WORDS:
            return tag[:2]
    return "nl"


def _form(words: dict[str, str], about: str, error: str | None = None) -> str:
    invalid = ' aria-invalid="true"' if error else ""
    return f"""<p>{about}</p>{_error(error)}<form method="post">
<label for="password">{escape(words["password"])}</label>
<input id="password" name="password" type="password" autocomplete="new-password" required minlength="{SHORTEST}"
 maxlength="{LONGEST}" aria-describedby="rule{" error" if error else ""}"{invalid}>
<p id="rule">{escape(words["rule"].format(shortest=SHORTEST))}</p>
<label for="again">{escape(words["again"])}</label>
<input id="again" name="again" type="password" autocomplete="new-password" required>
<button>{escape(words["set"])}</button></form>"""


def _ask(words: dict[str, str], error: str | None = None) -> str:
    return f"""<p>{escape(words["forgotten"])}</p>{_error(error)}<form method="post">
<label for="email">{escape(words["email"])}</label>
<input id="email" name="email" type="email" autocomplete="username" required>
<button>{escape(words["send"])}</button></form>"""


def _over(words: dict[str, str]) -> str:
    return (
        f'<p>{escape(words["over"])}</p><p><a href="/password">{escape(words["ask_again"])}</a></p>'
    )


def _error(error: str | None) -> str:
    return "" if error is None else f'<p class="error" id="error" role="alert">{escape(error)}</p>'


def _page(status: int, language: str, title: str, body: str) -> Response:
    fields: dict[str, Any] = {"language": language, "title": escape(title), "body": body}
    return HTMLResponse(_PAGE.format(**fields), status, headers=_HEADERS)
