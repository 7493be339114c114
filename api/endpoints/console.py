"""Pages for people: what is running, and GraphiQL. Static files that speak only the public API."""

from functools import cache
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import exists, func, select
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from strawberry.http.ides import get_graphql_ide_html

from api.older_verdicts import ADVICE
from api.state import AppState
from api.support.client_address import is_direct_loopback
from domain.accounts import Account, Reach, Tenant, User

_OWN = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self' ws: wss:; "
    "font-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
# GraphiQL writes style attributes, and its editor runs workers.
_GRAPHIQL = _OWN.replace("style-src 'self'", "style-src 'self' 'unsafe-inline'")
# Strawberry's stock page loads itself from a CDN and starts with an inline script.
_STOCK = "default-src https://unpkg.com 'self' 'unsafe-inline' data:; connect-src 'self' ws: wss: https://unpkg.com"


@cache
def console() -> Path:
    """Return the directory of the static files: in the checkout, or in the wheel."""
    packed = Path(__file__).parents[1] / "_console"
    return packed if packed.exists() else packed.parents[1] / "console"


async def first(request: Request) -> Response:
    """The first page; with what is to be done after an upgrade, while it is."""
    text = (console() / "index.html").read_text()
    if await request.app.state.older_verdicts.there():
        text = text.replace("<main>", f'<main>\n    <p class="hint" role="status">{ADVICE}</p>', 1)
    return _page(text, _OWN)


async def sign_in(_request: Request) -> Response:
    """The page on which people sign in."""
    return _page((console() / "sign-in.html").read_text(), _OWN)


async def access(_request: Request) -> Response:
    """The page on which people see and change how they sign in."""
    return _page((console() / "access.html").read_text(), _OWN)


def ide() -> Response:
    """GraphiQL from the vendored files, else Strawberry's stock page."""
    if (console() / "vendor" / "graphiql.min.js").exists():
        return _page((console() / "graphiql.html").read_text(), _GRAPHIQL)
    stock = get_graphql_ide_html("graphiql")
    return _page(stock, _STOCK)


async def tokens(request: Request) -> Response:
    """A token for each role of the demo companies, to a program of this machine and with nobody in between.

    None at all where a real company is too: a demonstration is not shown beside real clients.
    """
    state: AppState = request.app.state.waarborg
    if not state.settings.demo or not is_direct_loopback(request.scope):
        return Response(status_code=404)
    async with state.sessions() as session:
        if await session.scalar(select(exists().where(Tenant.demo.is_(False)))):
            return Response(status_code=404)
    # One user a tenant and role: the first by address.
    query = (
        select(User, Tenant.name, func.min(Account.name))
        .join(Tenant, Tenant.id == User.tenant_id)
        .outerjoin(Reach, Reach.user_id == User.id)
        .outerjoin(Account, Account.id == Reach.account_id)
        .where(User.disabled_at.is_(None), Tenant.demo)
        .group_by(User.id, Tenant.name)
        .order_by(Tenant.name, User.role, User.email)
        .limit(500)
    )
    found: dict[tuple[str, str], dict[str, Any]] = {}
    async with state.sessions() as session:
        for user, tenant, account in await session.execute(query):
            if (tenant, user.role) not in found:
                token = state.keys.issue(user.id, at=state.now())
                found[tenant, user.role] = {
                    "tenant": tenant,
                    "role": user.role,
                    "user": user.name,
                    "account": account,
                    "token": token,
                }
    body = msgspec.json.encode(list(found.values()))
    return Response(body, headers={"cache-control": "no-store"}, media_type="application/json")


def _page(html: str, policy: str) -> Response:
    headers = {"content-security-policy": policy, "cache-control": "no-cache"}
    return HTMLResponse(html, headers=headers)
