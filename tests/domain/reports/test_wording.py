"""What a report says, in both languages, for good days, bad days and empty ones."""

import re
import tomllib
from datetime import UTC, date, datetime, time, timedelta
from io import BytesIO
from pathlib import Path
from string import Formatter
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest
from pypdf import PdfReader

import domain.reports
from domain.agreements import Priority, PromiseKind, TicketKind
from domain.documents import language
from domain.reports.content import (
    Content,
    Grant,
    IncidentDates,
    Note,
    Part,
    Proactive,
    ReportedState,
)
from domain.reports.letter import letter_of, pdf_of
from domain.reports.periods import Cadence, Period, period_from
from domain.reports.reads import IncidentName, ReportNames
from domain.reports.rendering import page_of
from domain.reports.statistics import content_of

TEMPLATES = Path(domain.reports.__file__).parent / "templates"
DAY = date(2026, 3, 2)
SITE = uuid4()
MINUTE = 60_000_000
LANGUAGES = pytest.mark.parametrize("code", ["nl", "en"])


def period(cadence: Cadence = Cadence.DAILY) -> Period:
    return period_from(cadence, DAY, zone="Europe/Amsterdam", at=time(8))


def part(
    stand: ReportedState, *, at: datetime | None = None, ticket: UUID | None = None, **fields: Any
) -> Part:
    noon = datetime(2026, 3, 2, 12, tzinfo=UTC)
    decided = stand in {ReportedState.KEPT, ReportedState.LATE}
    values: dict[str, Any] = {
        "incident_id": ticket or uuid4(), "site_id": SITE, "kind": PromiseKind.FIRST_RESPONSE,
        "stand": stand, "is_open": not decided, "started_at": noon - timedelta(hours=2),
        "due_at": noon - timedelta(hours=1), "decided_at": (at or noon) if decided else None,
        "elapsed_us": (70 if stand is ReportedState.LATE else 20) * MINUTE, "target_us": 60 * MINUTE,
        "objective_ppm": 990_000,
    }  # fmt: skip
    return Part(**(values | fields))


def content(cadence: Cadence = Cadence.DAILY, **given: Any) -> Content:
    nothing: dict[str, Any] = {
        "parts": [], "incidents": [], "grants": [], "notes": [], "planned": [],
        "proactive": Proactive(0, 0),
    }  # fmt: skip
    return content_of(period(cadence), zone="Europe/Amsterdam", currency="EUR", **(nothing | given))


def names(*tickets: UUID, summary: str = "Alarm in de hal") -> ReportNames:
    known = {
        each: IncidentName("AB12", summary, "Terminal", TicketKind.ALARM, Priority.HIGH)
        for each in tickets
    }
    return ReportNames("Noorderlicht", "Haven", known, {SITE: "Terminal"})


def words(page: Any) -> str:
    return msgspec.json.encode(page).decode()


@pytest.mark.parametrize(
    ("kept", "late", "said", "tone"),
    [
        (14, 1, {"nl": "14 van de 15 afspraken nagekomen", "en": "14 of 15 promises kept"}, "fair"),
        (15, 0, {"nl": "Alle 15 afspraken nagekomen", "en": "All 15 promises kept"}, "good"),
        (1, 0, {"nl": "De enige afspraak is nagekomen", "en": "The only promise was kept"}, "good"),
        (0, 2, {"nl": "Geen van de 2 afspraken nagekomen", "en": "None of 2 promises kept"}, "bad"),
        (9, 1, {"nl": "9 van de 10 afspraken nagekomen", "en": "9 of 10 promises kept"}, "bad"),
    ],
)
def test_the_headline_is_the_promises_kept(
    kept: int, late: int, said: dict[str, str], tone: str
) -> None:
    parts = [part(ReportedState.KEPT) for _ in range(kept)] + [
        part(ReportedState.LATE) for _ in range(late)
    ]
    for code, headline in said.items():
        page = page_of(content(parts=parts), names(), code=code)
        assert (page.headline, page.tone) == (headline, tone)


@LANGUAGES
def test_a_quiet_day_is_called_quiet_only_when_nothing_was_open_either(code: str) -> None:
    quiet = page_of(content(), names(), code=code)
    ticket = uuid4()
    earlier = IncidentDates(ticket, SITE, datetime(2026, 2, 20, tzinfo=UTC), None, is_ours=True)
    waiting = page_of(content(incidents=[earlier]), names(ticket), code=code)
    assert "rustige" in quiet.headline or "quiet" in quiet.headline
    assert not quiet.charts
    assert "rustige" not in waiting.headline
    assert "quiet" not in waiting.headline
    assert "1" in waiting.lead


@LANGUAGES
def test_late_and_endangered_promises_are_named_with_their_figures(code: str) -> None:
    late, risk = uuid4(), uuid4()
    due = datetime(2026, 3, 3, 9, 30, tzinfo=UTC)
    page = page_of(
        content(
            parts=[
                part(ReportedState.LATE, ticket=late),
                part(ReportedState.AT_RISK, ticket=risk, due_at=due, elapsed_us=45 * MINUTE),
            ],
            grants=[
                Grant(late, PromiseKind.FIRST_RESPONSE, 12_550, "EUR",
                      datetime(2026, 3, 2, 13, tzinfo=UTC))
            ],
        ),
        names(late, risk),
        code=code,
    )  # fmt: skip
    said = words(page)
    assert "AB12 – Alarm in de hal" in said
    assert "10 min" in said
    assert "15 min" in said
    assert "10:30" in said
    assert ("€ 125,50" if code == "nl" else "€125.50") in said.replace("\N{NO-BREAK SPACE}", " ")


@LANGUAGES
def test_a_share_is_cut_never_rounded_up_to_a_hundred(code: str) -> None:
    parts = [part(ReportedState.KEPT) for _ in range(2999)] + [part(ReportedState.LATE)]
    page = page_of(content(parts=parts), names(), code=code)
    assert page.tiles[0].value.startswith("99,9" if code == "nl" else "99.9")


def test_what_is_outside_the_day_does_not_count_in_it() -> None:
    inside = period()
    parts = [
        part(ReportedState.KEPT, at=inside.from_at),
        part(ReportedState.KEPT, at=inside.until_at),  # the next day's
        part(ReportedState.LATE, at=inside.from_at - timedelta(microseconds=1)),  # the day before's
    ]
    found = content(parts=parts)
    assert (found.figures.kept, found.figures.late) == (1, 0)
    assert (found.before.kept, found.before.late) == (0, 1)
    assert [(day.kept, day.late) for day in found.days[-2:]] == [(0, 1), (1, 0)]


@LANGUAGES
def test_a_week_is_set_beside_the_week_before(code: str) -> None:
    before = datetime(2026, 2, 25, 12, tzinfo=UTC)
    parts = [
        part(ReportedState.KEPT),
        part(ReportedState.KEPT, at=before),
        part(ReportedState.LATE, at=before),
    ]
    page = page_of(
        content(Cadence.WEEKLY, parts=parts, proactive=Proactive(4, 3)), names(), code=code
    )
    rows = {row[0]: row[1:] for row in page.sections[0].rows}
    kept = rows["Afspraken nagekomen" if code == "nl" else "Promises kept"]
    assert kept == ["1", "1", "0"]
    assert next(iter(rows.values()))[2].startswith("+50")
    assert "3" in page.sections[0].note
    assert "75" in page.sections[0].note


@LANGUAGES
def test_every_kind_of_note_has_a_sentence(code: str) -> None:
    at, ticket = datetime(2026, 3, 2, 12, tzinfo=UTC), uuid4()
    notes = [
        Note("incident.reopened", at, ticket),
        Note("incident.prioritised", at, ticket, {"priority": "critical"}),
        Note("promise.revised", at, ticket, {"was": "late", "now": "kept", "promise": "arrival"}),
        Note("budget.burning", at, None, {"left": 1, "n": 400}),
        Note("budget.burning", at, None, {"left": -2, "n": 400}),
        Note("agreement.amended", at),
        Note("agreement.ended", at),
    ]
    planned = [
        Note("incident.due_agreed", at, ticket),
        Note("terms.in_force", at, None, {"reference": "A-1"}),
        Note("agreement.ended", at, None, {"reference": "A-1"}),
    ]
    page = page_of(content(notes=notes, planned=planned), names(ticket), code=code)
    told = [row[1] for section in page.sections[-2:] for row in section.rows]
    assert len(told) == len(set(told)) == len(notes) + len(planned)


@pytest.mark.parametrize("cadence", list(Cadence))
def test_the_same_report_is_the_same_bytes_and_an_accessible_pdf(cadence: Cadence) -> None:
    ticket = uuid4()
    told = content(
        cadence, parts=[part(ReportedState.LATE, ticket=ticket), part(ReportedState.KEPT)]
    )
    first = pdf_of(told, names(ticket), code="nl")
    assert first == pdf_of(told, names(ticket), code="nl")
    reader = PdfReader(BytesIO(first))
    assert str(reader.root_object["/Lang"]) == "nl"
    metadata = reader.xmp_metadata
    assert metadata is not None
    assert b"pdfuaid" in metadata.stream.get_data()
    assert "1 van de 2 afspraken nagekomen" in reader.pages[0].extract_text()


def test_long_dutch_words_stay_on_the_page() -> None:
    ticket = uuid4()
    long = "Arbeidsongeschiktheidsverzekeringsmaatschappijgebouwontruimingsinstallatiestoring"
    told = content(parts=[part(ReportedState.LATE, ticket=ticket)])
    reader = PdfReader(BytesIO(pdf_of(told, names(ticket, summary=long), code="nl")))
    edges: list[float] = []

    def see(text: str, _cm: Any, tm: Any, _font: Any, size: float) -> None:
        if text.strip():
            edges.append(tm[4])

    reader.pages[0].extract_text(visitor_text=see)
    assert max(edges) < float(reader.pages[0].mediabox.width) - 56


def test_a_letter_has_a_picture_for_each_chart_and_a_pdf_in_each_language() -> None:
    ticket = uuid4()
    opened = IncidentDates(ticket, SITE, period().from_at, None, is_ours=True)
    letter = letter_of(
        content(Cadence.WEEKLY, parts=[part(ReportedState.KEPT)], incidents=[opened]), names(ticket)
    )
    files = [(file.language, file.media_type, file.content_id) for file in letter.attachments]
    assert files == [
        (code, kind, name)
        for code in ("nl", "en")
        for kind, name in (
            ("image/png", f"chart1-{code}"),
            ("image/png", f"chart2-{code}"),
            ("application/pdf", None),
        )
    ]
    assert all(len(file.content) > 1000 for file in letter.attachments)


def test_both_languages_have_the_same_words_with_the_same_holes() -> None:
    def holes(text: str) -> set[str]:
        return {name for _, name, _, _ in Formatter().parse(text) if name}

    def shape(code: str) -> dict[str, Any]:
        told = tomllib.loads((TEMPLATES / f"words.{code}.toml").read_text())
        return {
            f"{section}.{name}": {form: holes(text) for form, text in said.items()}
            if isinstance(said, dict)
            else holes(said)
            for section, entries in told.items()
            if isinstance(entries, dict)
            for name, said in entries.items()
        }

    assert shape("nl") == shape("en")


def test_every_word_is_used() -> None:
    files = [*TEMPLATES.parent.glob("*.py"), Path(language.__file__)]
    source = "".join(path.read_text() for path in files)
    quoted = set(re.findall(r"[\"'][a-z_]+\.[a-z_]+[\"']", source))
    told = tomllib.loads((TEMPLATES / "words.nl.toml").read_text())
    built = {"title", "kind", "priority", "figure"}  # by the name of a member
    unused = [
        f"{section}.{name}"
        for section, entries in told.items()
        if isinstance(entries, dict) and section not in built
        for name in entries
        if not {f'"{section}.{name}"', f"'{section}.{name}'"} & quoted
    ]
    assert set(unused) <= {
        "mail.subject_daily", "mail.subject_weekly", "section.opened", "section.open", "section.actions",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("cadence", "first_on", "inside", "outside"),
    [
        (
            Cadence.WEEKLY,  # a week of 167 hours
            date(2027, 3, 22),
            ["2027-03-14T23:20Z", "2027-03-21T22:30Z"],
            ["2027-03-14T22:59Z", "2027-03-21T23:00Z"],
        ),
        (
            Cadence.WEEKLY,  # of 169 hours
            date(2026, 10, 19),
            ["2026-10-11T22:00Z", "2026-10-18T21:59Z"],
            ["2026-10-11T21:30Z", "2026-10-18T22:00Z"],
        ),
        (Cadence.DAILY, date(2027, 3, 28), ["2027-03-26T23:10Z"], ["2027-03-26T22:50Z"]),
        (Cadence.DAILY, date(2027, 3, 29), ["2027-03-27T23:10Z"], ["2027-03-27T22:50Z"]),
    ],
)
def test_the_period_before_is_of_whole_local_days(
    cadence: Cadence, first_on: date, inside: list[str], outside: list[str]
) -> None:
    zone = "Europe/Amsterdam"
    tickets = [
        IncidentDates(uuid4(), SITE, datetime.fromisoformat(at), None, is_ours=False)
        for at in (*inside, *outside)
    ]
    found = content_of(
        period_from(cadence, first_on, zone=zone, at=time(8)),
        zone=zone, currency="EUR", parts=[], incidents=tickets, grants=[], notes=[], planned=[],
        proactive=Proactive(0, 0),
    )  # fmt: skip
    assert found.before.opened == len(inside)
