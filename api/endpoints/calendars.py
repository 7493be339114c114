"""Calendars of shifts behind signed links, as calendar programs read them: no login, no cookies, one resource."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from api.state import AppState
from api.support.client_address import throttle_name
from api.support.rate_limit import RateLimit
from domain import calendar_feeds

ONE_LINK = RateLimit(per_s=1 / 10, burst=30)
"""Reads by one link: some calendar programs ask for every device."""
ONE_ADDRESS = RateLimit(per_s=50, burst=500)
_HEADERS = {"cache-control": "private, no-cache", "x-robots-tag": "noindex"}


def routes() -> list[Route]:
    """One path: the token in it is the link's."""
    return [Route("/calendars/{token}.ics", _calendar, methods=["GET"])]


async def _calendar(request: Request) -> Response:
    """Hand out the calendar; a link that we did not make and a dead one get the same answer."""
    state: AppState = request.app.state.waarborg
    address = throttle_name(state.proxies.client_of(request.scope))
    wait_s = await state.throttle.wait_s(f"calendar:client:{address}", 1, ONE_ADDRESS)
    feed_id = state.calendar_links.read(request.path_params["token"])
    if feed_id is not None and wait_s <= 0:
        wait_s = await state.throttle.wait_s(f"calendar:link:{feed_id}", 1, ONE_LINK)
    if wait_s > 0:
        return Response(status_code=429, headers=_HEADERS | {"retry-after": str(int(wait_s) + 1)})
    found = None
    if feed_id is not None:
        async with state.sessions() as session:
            found = await calendar_feeds.calendar_of(session, feed_id, at=state.now())
    if found is None:
        return Response("No such calendar.", 404, _HEADERS, "text/plain")
    headers = _HEADERS | {"etag": f'"{found.tag}"'}
    if request.headers.get("if-none-match") == headers["etag"]:
        return Response(status_code=304, headers=headers)
    headers["content-disposition"] = 'inline; filename="shifts.ics"'
    return Response(found.content, 200, headers, "text/calendar; charset=utf-8")
