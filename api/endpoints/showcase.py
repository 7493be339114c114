"""The public showcase of a company: testimonials and case studies as JSON to embed, and as a page with structured data.

It is read for each request and may be kept for two seconds: what was withdrawn is gone everywhere within five.
"""

from html import escape
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from api.state import AppState
from api.support.client_address import throttle_name
from api.support.rate_limit import RateLimit
from domain import advocacy, testimonials
from domain.advocacy import ShownCaseStudy
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
blockquote, article p {{ margin: 0 0 1.5em; white-space: pre-line }} footer {{ font-size: 0.875rem }}</style></head>
<body><main><h1>{company}</h1>{quotes}{studies}</main>
<footer><p lang="nl">{nl}</p><p lang="en">{en}</p></footer></body></html>
"""


class Showcase(NamedTuple):
    """What a company shows."""

    company: str
    quotes: list[ShownTestimonial]
    studies: list[ShownCaseStudy]

    def structured(self) -> dict[str, Any]:
        """Return schema.org's description of it."""
        data = testimonials.structured_data(self.company, self.quotes)
        if self.studies:
            data["subjectOf"] = [
                advocacy.structured_study(self.company, each) for each in self.studies
            ]
        return data


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
    body = {
        "company": found.company,
        "statement": STATEMENT,
        "testimonials": [each._asdict() for each in found.quotes],
        "caseStudies": [each._asdict() for each in found.studies],
        "structuredData": found.structured(),
    }
    return Response(msgspec.json.encode(body), media_type="application/json", headers=_HEADERS)


async def _page(request: Request) -> Response:
    found = await _shown(request)
    if isinstance(found, Response):
        return found
    data = msgspec.json.encode(found.structured()).decode()
    page = _PAGE.format(
        company=escape(found.company),
        data=data.replace("<", "\\u003c"),  # a text cannot end the element
        quotes="".join(map(_quote, found.quotes)),
        studies="".join(map(_study, found.studies)),
        **STATEMENT,
    )
    return HTMLResponse(page, headers=_HEADERS | _POLICY)


async def _shown(request: Request) -> Showcase | Response:
    state: AppState = request.app.state.waarborg
    address = throttle_name(state.proxies.client_of(request.scope))
    wait_s = await state.throttle.wait_s(f"showcase:client:{address}", 1, ONE_ADDRESS)
    if wait_s > 0:
        return Response(status_code=429, headers={"retry-after": str(int(wait_s) + 1)})
    tenant_id: UUID = request.path_params["tenant_id"]
    async with state.sessions() as session:
        quotes = await testimonials.showcase(session, tenant_id, at=state.now())
        studies = await advocacy.published_studies(session, tenant_id, at=state.now())
    found = quotes or studies
    if found is None:
        return Response(status_code=404, headers=_HEADERS)
    return Showcase(found[0], quotes[1] if quotes else [], studies[1] if studies else [])


def _quote(each: ShownTestimonial) -> str:
    by = each.name if each.role is None else f"{each.name}, {each.role}"
    return (
        f'<blockquote lang="{each.language}"><p>{escape(each.words)}</p>'
        f"<footer>{escape(by)}, {each.given_on}</footer></blockquote>"
    )


def _study(each: ShownCaseStudy) -> str:
    return (
        f'<article lang="{each.language}"><h2>{escape(each.title)}</h2><p>{escape(each.words)}</p>'
        f"<footer>{escape(each.client)}, {each.published_on}</footer></article>"
    )
