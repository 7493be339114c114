"""The public showcase of a company: its approved testimonials as JSON to embed, and as a page with structured data.

It is read for each request and may be kept for two seconds: what was withdrawn is gone everywhere within five.
"""

from html import escape
from uuid import UUID

import msgspec
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from api.state import AppState
from api.support.client_address import throttle_name
from api.support.rate_limit import RateLimit
from domain import testimonials
from domain.testimonials import STATEMENT, ShownTestimonial

KEPT_S = 2
ONE_ADDRESS = RateLimit(per_s=50, burst=500)
_HEADERS = {
    "cache-control": f"public, max-age={KEPT_S}, must-revalidate",
    "access-control-allow-origin": "*",
    "x-content-type-options": "nosniff",
}
_POLICY = {
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
}
_PAGE = """<!doctype html>
<html lang="nl"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{company}</title><script type="application/ld+json">{data}</script>
<style>body {{ font: 1rem/1.5 system-ui, sans-serif; max-width: 40em; margin: 0 auto; padding: 1em; color: #1f2933 }}
blockquote {{ margin: 0 0 1.5em; white-space: pre-line }} footer {{ font-size: 0.875rem }}</style></head>
<body><main><h1>{company}</h1>{quotes}</main><footer><p lang="nl">{nl}</p><p lang="en">{en}</p></footer></body></html>
"""


def routes() -> list[Route]:
    """Two forms of one showcase, by the id of the company."""
    return [
        Route("/showcase/{tenant_id:uuid}.json", _json, methods=["GET"]),
        Route("/showcase/{tenant_id:uuid}", _page, methods=["GET"]),
    ]


async def _json(request: Request) -> Response:
    found = await _shown(request)
    if isinstance(found, Response):
        return found
    company, shown = found
    body = {
        "company": company,
        "statement": STATEMENT,
        "testimonials": [each._asdict() for each in shown],
        "structuredData": testimonials.structured_data(company, shown),
    }
    return Response(msgspec.json.encode(body), media_type="application/json", headers=_HEADERS)


async def _page(request: Request) -> Response:
    found = await _shown(request)
    if isinstance(found, Response):
        return found
    company, shown = found
    data = msgspec.json.encode(testimonials.structured_data(company, shown)).decode()
    page = _PAGE.format(
        company=escape(company),
        data=data.replace("<", "\\u003c"),  # a text cannot end the element
        quotes="".join(map(_quote, shown)),
        **STATEMENT,
    )
    return HTMLResponse(page, headers=_HEADERS | _POLICY)


async def _shown(request: Request) -> tuple[str, list[ShownTestimonial]] | Response:
    state: AppState = request.app.state.waarborg
    address = throttle_name(state.proxies.client_of(request.scope))
    wait_s = await state.throttle.wait_s(f"showcase:client:{address}", 1, ONE_ADDRESS)
    if wait_s > 0:
        return Response(status_code=429, headers={"retry-after": str(int(wait_s) + 1)})
    tenant_id: UUID = request.path_params["tenant_id"]
    async with state.sessions() as session:
        found = await testimonials.showcase(session, tenant_id, at=state.now())
    return Response(status_code=404, headers=_HEADERS) if found is None else found


def _quote(each: ShownTestimonial) -> str:
    by = each.name if each.role is None else f"{each.name}, {each.role}"
    return (
        f'<blockquote lang="{each.language}"><p>{escape(each.words)}</p>'
        f"<footer>{escape(by)}, {each.given_on}</footer></blockquote>"
    )
