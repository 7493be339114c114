"""Render a report's content in one language: headline, figures, charts and lists, for the PDF and the message."""

from datetime import date

from domain.reports.charts import incident_chart, share_chart
from domain.reports.content import Content
from domain.reports.language import Language, language_of
from domain.reports.periods import Cadence
from domain.reports.reads import ReportNames
from domain.reports.sections import daily_sections, weekly_sections
from domain.reports.view_model import FigureTile, ReportPage, Tone


def page_of(content: Content, names: ReportNames, *, code: str) -> ReportPage:
    """Return the report in a language; the same content and names give the same page."""
    say = language_of(code, content.zone)
    weekly = content.cadence is Cadence.WEEKLY
    as_of = say.moment(content.as_of_at, form="EEEE d MMMM y")
    drawn = (share_chart(content, say), incident_chart(content, say) if weekly else None)
    return ReportPage(
        language=say.code,
        title=say.say(f"title.{content.cadence}"),
        company=names.company,
        account=names.account,
        date=_date(content, say),
        as_of=say.say("when.as_of", at=as_of),
        headline=headline(content, say),
        lead=_lead(content, say),
        tone=tone_of(content),
        tiles=_tiles(content, say),
        charts=[chart for chart in drawn if chart is not None],
        sections=weekly_sections(content, names, say)
        if weekly
        else daily_sections(content, names, say),
        footer=say.say("footer.source", company=names.company, at=as_of),
    )


def tone_of(content: Content) -> Tone:
    """Return the colour of the headline: red from one late promise in ten on, amber for fewer, blue for none."""
    late, n = content.figures.late, content.figures.late + content.figures.kept
    if n == 0:
        return "calm"
    if late == 0:
        return "good"
    return "bad" if late * 10 >= n else "fair"


def headline(content: Content, say: Language) -> str:
    """Return the headline: kept promises, or that there was nothing to keep."""
    kept, late = content.figures.kept, content.figures.late
    n = kept + late
    if n == 0:
        if content.figures.opened == 0 and content.open_now == 0:
            weekly = content.cadence is Cadence.WEEKLY
            return say.say("headline.quiet_week" if weekly else "headline.quiet")
        return say.say("headline.no_verdicts")
    if late == 0:
        return say.say("headline.all_kept", n=n)
    if kept == 0:
        return say.say("headline.none_kept", n=n)
    return say.say("headline.some_late", kept=kept, n=n)


def _lead(content: Content, say: Language) -> str:
    figures, n = content.figures, content.figures.kept + content.figures.late
    still = say.say("lead.open" if content.open_now else "lead.open_none", n=content.open_now)
    if n == 0 and figures.opened == 0:
        if content.open_now == 0:
            return say.say("lead.quiet")
        return say.say("lead.nothing_due", open=still)
    counts = [
        say.say("lead.tickets", n=figures.opened),
        say.say("lead.resolved", n=figures.resolved),
    ]
    counts.append(still)
    sentences = [", ".join(counts) + "."]
    more = []
    if content.at_risk:
        more.append(say.say("lead.risk", n=content.at_risk))
    if figures.credits_cents:
        amount = say.money(figures.credits_cents, content.currency)
        more.append(say.say("lead.credits", amount=amount))
    sentences.extend(f"{each[0].upper()}{each[1:]}." for each in more)
    return " ".join(sentences)


def _date(content: Content, say: Language) -> str:
    if content.cadence is Cadence.DAILY:
        return say.day(content.first_on, "EEEE d MMMM y")
    return say.say(
        "when.week",
        week=str(content.first_on.isocalendar().week),
        first=say.day(content.first_on, "d MMMM"),
        last=say.day(content.last_on, "d MMMM y"),
    )


def _tiles(content: Content, say: Language) -> list[FigureTile]:
    now, before = content.figures, content.before
    n, weekly = now.kept + now.late, content.cadence is Cadence.WEEKLY
    nothing = say.say("tile.none")

    def versus(value: str, daily: str) -> str:
        return say.say("tile.before", value=value) if weekly else daily

    share = say.share(now.kept, n) if n else nothing
    was = before.kept + before.late
    return [
        FigureTile(
            say.say("tile.kept"),
            share,
            versus(
                say.share(before.kept, was) if was else nothing,
                say.say("tile.kept_note", n=n) if n else say.say("tile.none_note"),
            ),
            tone_of(content),
        ),
        FigureTile(
            say.say("tile.late"),
            say.number(now.late),
            versus(say.number(before.late), _trend(content, say)),
            "bad" if now.late else "good",
        ),
        FigureTile(
            say.say("tile.opened"),
            say.number(now.opened),
            versus(say.number(before.opened), say.say("tile.resolved_note", n=now.resolved)),
            "calm",
        ),
        FigureTile(
            say.say("tile.open"),
            say.number(content.open_now),
            say.say("tile.risk_note", n=content.at_risk)
            if content.at_risk
            else say.say("tile.no_risk_note"),
            "fair" if content.at_risk else "calm",
        ),
        FigureTile(
            say.say("tile.credits"),
            say.money(now.credits_cents, content.currency),
            versus(
                say.money(before.credits_cents, content.currency),
                say.say("tile.credits_note", n=len(content.credit_lines))
                if content.credit_lines
                else say.say("tile.no_credits_note"),
            ),
            "calm",
        ),
    ]


def _trend(content: Content, say: Language) -> str:
    kept = sum(day.kept for day in content.days)
    n = kept + sum(day.late for day in content.days)
    return say.say("tile.trend_note", share=say.share(kept, n) if n else say.say("tile.none"))


def short_date(content: Content, say: Language) -> str:
    """Format the period for a subject line."""
    first: date = content.first_on
    if content.cadence is Cadence.DAILY:
        return say.day(first, "d MMM y")
    return _date(content, say).split(",")[0] + f" {first.isocalendar().year}"


def summary_of(content: Content, *, code: str) -> str:
    """Return the headline alone, which needs no names."""
    return headline(content, language_of(code, content.zone))
