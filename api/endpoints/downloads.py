"""Documents over plain HTTP with the token of the API: reports, reviews, credit notes, answers to surveys."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import NamedTuple
from uuid import UUID

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from api.endpoints.caller import signed_in
from api.execution.admission import TooMuch
from api.state import AppState
from api.support.errors import HttpRefusal
from domain import business_reviews, invoices, reports, surveys
from domain.access import Actor
from domain.invoices import MEDIA_TYPE, Incomplete, credit_note_pdf, credit_note_xml

COST = 1_000
"""Cost of a document in the caller's budget: typesetting one takes as long as reading a thousand fields."""


class ServedDocument(NamedTuple):
    """A document, ready to be handed out."""

    name: str
    media_type: str
    content: bytes


Fetch = Callable[[AppState, Actor, UUID, str], Awaitable[ServedDocument | None]]


def routes() -> list[Route]:
    """The paths of documents."""
    return [
        Route("/reports/{row_id:uuid}.pdf", _handing_out(_report)),
        Route("/business-reviews/{row_id:uuid}.pdf", _handing_out(_BUSINESS_REVIEW_PDF)),
        Route("/business-reviews/{row_id:uuid}.html", _handing_out(_BUSINESS_REVIEW_HTML)),
        Route("/credit-notes/{row_id:uuid}.pdf", _handing_out(_credit_note_pdf)),
        Route("/credit-notes/{row_id:uuid}.xml", _handing_out(_credit_note_xml)),
        Route("/surveys/{row_id:uuid}.csv", _handing_out(_survey_answers)),
    ]


def _handing_out(fetch: Fetch) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        try:
            file = await _file(request, fetch)
        except HttpRefusal as refusal:
            body = msgspec.json.encode({"errors": [refusal.error]})
            return Response(body, refusal.status, refusal.headers, "application/json")
        return Response(
            file.content,
            media_type=file.media_type,
            headers={
                "content-disposition": f'inline; filename="{file.name}"',
                "cache-control": "private, no-store",
            },
        )

    return endpoint


async def _file(request: Request, fetch: Fetch) -> ServedDocument:
    """Return the document that a request names. Raises `HttpRefusal`."""
    state: AppState = request.app.state.waarborg
    identity = await signed_in(request)
    try:
        await state.gate.spend(identity.actor, COST)
    except TooMuch as much:
        wait = str(much.retry_after_s)
        message = much.errors[0].message
        raise HttpRefusal(429, message, "RATE_LIMITED", retry_after=wait) from None
    language = "nl" if request.query_params.get("language") == "nl" else "en"
    try:
        file = await fetch(state, identity.actor, request.path_params["row_id"], language)
    except Incomplete as incomplete:
        words = f"The e-invoice lacks {', '.join(incomplete.lacks)}."
        raise HttpRefusal(422, words, "INVALID") from None
    if file is None:
        words = "There is no such document, or it is not yours."
        raise HttpRefusal(404, words, "NOT_FOUND")
    return file


async def _report(
    state: AppState, actor: Actor, row_id: UUID, language: str
) -> ServedDocument | None:
    async with state.scoped(actor)() as session:
        found = await reports.document_of(session, actor, row_id)
    if found is None:
        return None
    content, names = found
    made = await asyncio.to_thread(reports.pdf_of, content, names, code=language)
    return ServedDocument(reports.filename(content, language), "application/pdf", made)


def _business_review(
    render: Callable[..., bytes], ending: str, media_type: str
) -> Callable[[AppState, Actor, UUID, str], Awaitable[ServedDocument | None]]:
    """Return what fetches a business review in one format."""

    async def fetch(
        state: AppState, actor: Actor, row_id: UUID, language: str
    ) -> ServedDocument | None:
        async with state.scoped(actor)() as session:
            found = await business_reviews.review_of(session, actor, row_id)
        if found is None:
            return None
        content, texts = found
        made = await asyncio.to_thread(render, content, texts, code=language)
        name = business_reviews.filename(content, language, ending)
        return ServedDocument(name, media_type, made)

    return fetch


_BUSINESS_REVIEW_PDF = _business_review(business_reviews.pdf_of, "pdf", "application/pdf")
_BUSINESS_REVIEW_HTML = _business_review(
    business_reviews.html_of, "html", "text/html; charset=utf-8"
)


async def _credit_note_pdf(
    state: AppState, actor: Actor, row_id: UUID, language: str
) -> ServedDocument | None:
    async with state.scoped(actor)() as session:
        note = await invoices.credit_note(session, actor, row_id)
    if note is None:
        return None
    made = await asyncio.to_thread(credit_note_pdf, note, code=language)
    return ServedDocument(f"{note.number}.pdf", "application/pdf", made)


async def _credit_note_xml(
    state: AppState, actor: Actor, row_id: UUID, _language: str
) -> ServedDocument | None:
    async with state.scoped(actor)() as session:
        note = await invoices.credit_note(session, actor, row_id)
    if note is None:
        return None
    return ServedDocument(f"{note.number}.xml", MEDIA_TYPE, credit_note_xml(note))


async def _survey_answers(
    state: AppState, actor: Actor, row_id: UUID, _language: str
) -> ServedDocument | None:
    async with state.scoped(actor)() as session:
        found = await surveys.csv_of(session, actor, row_id)
    if found is None:
        return None
    _name, lines = found
    return ServedDocument(f"survey-{row_id}.csv", "text/csv; charset=utf-8", lines.encode())
