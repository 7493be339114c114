"""Render a business review as an accessible PDF and as one HTML file: the same content gives the same bytes."""

import base64
import hashlib
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from domain import documents
from domain.business_reviews.content import BusinessContent
from domain.business_reviews.model import BusinessReviewKind
from domain.business_reviews.reads import BusinessTexts
from domain.business_reviews.rules import PARTS
from domain.business_reviews.sections import sections
from domain.business_reviews.tables import shown
from domain.documents import TEMPLATES, Language, language
from domain.reports import (
    Chart,
    FigureTile,
    PairChart,
    PairPoint,
    ReportPage,
    ShareChart,
    ShareLegend,
    SharePoint,
    Tone,
)

FOLDER = Path(__file__).parent / "templates"
_MADE_WITH = (
    *(TEMPLATES / name for name in ("report.typ", "look.typ", "charts.typ", "chart.typ")),
    *(FOLDER / name for name in ("business_review.html", "words.en.toml", "words.nl.toml")),
)
TEMPLATE_HASH = hashlib.sha256(b"\0".join(each.read_bytes() for each in _MADE_WITH)).hexdigest()
"""SHA-256 of the templates and words: another one may give other bytes for the same content."""
_BOTTOMS = ((90, 2), (80, 5), (50, 10), (0, 20))
_STEPS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 50_000)


def page_of(content: BusinessContent, texts: BusinessTexts, *, code: str) -> ReportPage:
    """Return a review in a language, with its eight parts."""
    say = language.of(code, FOLDER, content.zone)
    made = say.moment(content.as_of_at, form="d MMMM y")
    drawn = (_share_chart(content, say), _pair_chart(content, say))
    return ReportPage(
        language=say.code,
        title=say.say(f"title.{content.kind}"),
        company=content.company,
        account=content.account,
        date=_dates(content, say),
        as_of=say.say("when.as_of", at=made),
        headline=headline(content, say),
        lead=_lead(content, say),
        tone=_tone(content),
        tiles=_tiles(content, say),
        charts=[chart for chart in drawn if chart is not None],
        sections=sections(PARTS[content.kind], content, texts, say),
        footer=say.say("footer.source", company=content.company, at=made),
    )


def pdf_of(content: BusinessContent, texts: BusinessTexts, *, code: str) -> bytes:
    """Render a review as PDF/UA-1; takes some 100 ms of CPU, so call it in a thread."""
    page = page_of(content, texts, code=code)
    return documents.pdf("report", page, at=content.as_of_at, standards=["ua-1"])


def html_of(content: BusinessContent, texts: BusinessTexts, *, code: str) -> bytes:
    """Render a review as one HTML file with its charts inside."""
    page = page_of(content, texts, code=code)
    images = [
        base64.b64encode(documents.pictures("chart", chart)[0]).decode() for chart in page.charts
    ]
    return _template().render(page=page, images=images).encode()


def filename(content: BusinessContent, code: str, ending: str) -> str:
    """Return the file name of a document of a review."""
    return f"{content.kind}-{content.last_on:%Y-%m-%d}-{code}.{ending}"


def summary_of(content: BusinessContent, *, code: str) -> str:
    """Return the headline alone, which needs no texts of rows."""
    return headline(content, language.of(code, FOLDER, content.zone))


def part_titles(kind: BusinessReviewKind, *, code: str) -> list[str]:
    """Return the titles of the parts of a kind of review."""
    say = language.of(code, FOLDER)
    return [say.say(f"part.{part}") for part in PARTS[kind]]


def headline(content: BusinessContent, say: Language) -> str:
    """Return the headline: the promises kept, or that none fell due."""
    kept = sum(each.kept for each in content.promises)
    n = kept + sum(each.late for each in content.promises)
    if n == 0:
        return say.say("headline.none")
    return say.say("headline.all", n=n) if kept == n else say.say("headline.some", n=n, kept=kept)


def _tone(content: BusinessContent) -> Tone:
    late = sum(each.late for each in content.promises)
    n = late + sum(each.kept for each in content.promises)
    if n == 0:
        return "calm"
    return "good" if late == 0 else "bad" if late * 10 >= n else "fair"


def _lead(content: BusinessContent, say: Language) -> str:
    opened = sum(each.opened for each in content.spans)
    resolved = sum(each.resolved for each in content.spans)
    attained = sum(each.state == "attained" for each in content.goals)
    goals = say.say("lead.goals", n=len(content.goals), attained=attained)
    return f"{say.say('lead.incidents', n=opened, resolved=resolved)} {goals if content.goals else ''}".strip()


def _dates(content: BusinessContent, say: Language) -> str:
    first, last = (say.day(each, "d MMMM y") for each in (content.from_on, content.last_on))
    return say.say("when.period", first=first, last=last)


def _tiles(content: BusinessContent, say: Language) -> list[FigureTile]:
    tiles = []
    for key in ("promises_kept", "incidents", "csat", "nps"):
        found = content.figure(key)
        if found is not None:
            tone: Tone = {"met": "good", "floor": "fair", "missed": "bad"}.get(found.status, "calm")  # type: ignore[assignment]
            before = shown(found.unit, found.before_milli, say)
            value = shown(found.unit, found.value_milli, say)
            note = say.say("tile.before", value=before)
            tiles.append(FigureTile(say.say(f"kpi.{key}"), value, note, tone))
    attained = sum(each.state == "attained" for each in content.goals)
    currency = content.money.currency
    realised = say.money(content.realised_cents, currency)
    worth = say.money(content.possible_cents, currency)
    goals = FigureTile(
        say.say("fact.attained"),
        say.say("cell.of", n=attained, whole=len(content.goals)),
        say.say("tile.worth", value=realised, whole=worth),
        "calm",
    )
    return [*tiles, goals]


def _labels(content: BusinessContent, say: Language) -> list[str]:
    whole = content.kind is BusinessReviewKind.ANNUAL
    form, every = ("MMM", 1) if whole else ("d MMM", 2)
    spans = content.spans
    return [
        say.day(each.first_on, form) if number % every == 0 else ""
        for number, each in enumerate(spans)
    ]


def _share_chart(content: BusinessContent, say: Language) -> Chart | None:
    kept = sum(each.kept for each in content.spans)
    n = kept + sum(each.late for each in content.spans)
    if n == 0:
        return None
    figure = content.figure("promises_kept")
    goal = None if figure is None or figure.target is None else float(figure.target)
    points = [
        SharePoint(
            label, 100 * each.kept / (each.kept + each.late) if each.kept + each.late else None
        )
        for label, each in zip(_labels(content, say), content.spans, strict=True)
    ]
    worst = min(point.value for point in points if point.value is not None)
    floor = min(worst, 100.0 if goal is None else goal)
    bottom, step = next(each for each in _BOTTOMS if each[0] <= floor)
    shown_goal = (
        "" if goal is None else say.say("chart.goal", goal=shown("percent", int(goal * 1_000), say))
    )
    return ShareChart(
        language=say.code,
        title=say.say("chart.share"),
        note=say.say(f"chart.share_note_{_span_name(content)}"),
        alt=say.say("chart.share_alt", share=say.share(kept, n), n=n),
        from_=bottom,
        ticks=list(range(bottom, 101, step)),
        goal=goal,
        legend=ShareLegend(say.say("chart.kept"), say.say("chart.late"), shown_goal),
        points=points,
    )


def _pair_chart(content: BusinessContent, say: Language) -> Chart | None:
    opened = sum(each.opened for each in content.spans)
    resolved = sum(each.resolved for each in content.spans)
    if opened + resolved == 0:
        return None
    most = max(max(each.opened, each.resolved) for each in content.spans)
    step = next(each for each in _STEPS if each * 4 >= most)
    return PairChart(
        language=say.code,
        title=say.say(f"chart.incidents_{_span_name(content)}"),
        note=say.say("chart.incidents_note"),
        alt=say.say("chart.incidents_alt", opened=opened, resolved=resolved),
        ticks=list(range(0, step * (-(-most // step)) + 1, step)),
        legend=(say.say("chart.opened"), say.say("chart.resolved")),
        points=[
            PairPoint(label, (each.opened, each.resolved))
            for label, each in zip(_labels(content, say), content.spans, strict=True)
        ],
    )


def _span_name(content: BusinessContent) -> str:
    return "month" if content.kind is BusinessReviewKind.ANNUAL else "week"


@cache
def _template() -> Template:
    environment = Environment(
        loader=FileSystemLoader(FOLDER), undefined=StrictUndefined, autoescape=True,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    return environment.get_template("business_review.html")
