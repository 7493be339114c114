"""Reports as messages: template variables, charts as images, and the report as PDF."""

from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import ClassVar
from uuid import UUID

import msgspec

from domain import documents
from domain.messages import Attachment, Urgency, Variables
from domain.reports.content import Content
from domain.reports.language import LANGUAGES, TEMPLATES, language_of
from domain.reports.periods import Cadence
from domain.reports.reads import ReportNames
from domain.reports.rendering import page_of, short_date
from domain.reports.view_model import ReportPage

PDF, PNG = "application/pdf", "image/png"


class LetterContent(msgspec.Struct, frozen=True):
    """The message in one language; `pictures` are the names of the chart images, in their order."""

    subject: str
    page: ReportPage
    pictures: list[str]
    greeting: str
    attached: str
    reply: str


class ReportLetter(Variables, frozen=True, kw_only=True):
    """Variables of every report's message; `letters` by language."""

    template: ClassVar[str]
    version: ClassVar[int] = 1
    folder: ClassVar[Path] = TEMPLATES
    topic: ClassVar[str | None] = "reports"
    urgency: ClassVar[Urgency] = Urgency.LOW
    email_only: ClassVar[bool] = True

    letters: dict[str, LetterContent]


class DailyReport(ReportLetter, frozen=True, kw_only=True):
    """The daily status report."""

    template: ClassVar[str] = "daily_report"


class WeeklyReview(ReportLetter, frozen=True, kw_only=True):
    """The weekly review."""

    template: ClassVar[str] = "weekly_review"


TEMPLATE: dict[Cadence, type[ReportLetter]] = {
    Cadence.DAILY: DailyReport,
    Cadence.WEEKLY: WeeklyReview,
}


class Letter(msgspec.Struct, frozen=True):
    """A report, ready to be composed; the same content and names give the same bytes."""

    template: type[ReportLetter]
    letters: dict[str, LetterContent]
    attachments: list[Attachment]


def letter_of(
    content: Content, names: ReportNames, *, languages: Iterable[str] = LANGUAGES
) -> Letter:
    """Build the message in these languages; takes up to 100 ms of CPU for each, so call it in a thread."""
    letters: dict[str, LetterContent] = {}
    attachments: list[Attachment] = []
    for code in languages:
        page = page_of(content, names, code=code)
        say = language_of(code, content.zone)
        pictures = [f"chart{number}-{code}" for number, _ in enumerate(page.charts, 1)]
        when = short_date(content, say)
        letters[code] = LetterContent(
            subject=say.say(f"mail.subject_{content.cadence}", headline=page.headline, date=when),
            page=page,
            pictures=pictures,
            greeting=say.say("mail.greeting"),
            attached=say.say("mail.attached"),
            reply=say.say("mail.reply"),
        )
        attachments.extend(
            Attachment(f"{name}.png", PNG, documents.pictures("chart", chart)[0], name, code)
            for name, chart in zip(pictures, page.charts, strict=True)
        )
        pdf = _pdf(content, page)
        attachments.append(Attachment(filename(content, code), PDF, pdf, language=code))
    return Letter(TEMPLATE[content.cadence], letters, attachments)


def intent_of(report_id: UUID) -> str:
    """Return the intent of the messages of a report."""
    return f"report:{report_id}"


def pdf_of(content: Content, names: ReportNames, *, code: str) -> bytes:
    """Render the report as an accessible PDF (PDF/UA-1)."""
    return _pdf(content, page_of(content, names, code=code))


def filename(content: Content, code: str) -> str:
    """Return the file name of the PDF."""
    return f"{stem(content.cadence, content.first_on)}-{code}.pdf"


def stem(cadence: Cadence, first_on: date) -> str:
    """Return `daily-2026-11-14` or `weekly-2026-w46`."""
    if cadence is Cadence.WEEKLY:
        year, week, _ = first_on.isocalendar()
        return f"{cadence}-{year}-w{week:02d}"
    return f"{cadence}-{first_on:%Y-%m-%d}"


def _pdf(content: Content, page: ReportPage) -> bytes:
    return documents.pdf("report", page, at=content.as_of_at, standards=["ua-1"])
