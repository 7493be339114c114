"""Lists of a report in one language: late promises, open risks, incidents, credits, and what is next."""

from collections.abc import Sequence
from uuid import UUID

from domain.reports.content import (
    Content,
    CreditLine,
    IncidentLine,
    KindFigures,
    Note,
    PromiseLine,
)
from domain.reports.language import Language
from domain.reports.periods import Cadence
from domain.reports.reads import ReportNames
from domain.reports.view_model import Column, Section


def daily_sections(content: Content, names: ReportNames, say: Language) -> list[Section]:
    """Return the lists of a daily report."""
    incidents = _incidents(
        "opened", content.opened_lines, content.figures.opened, content, names, say
    )
    known = {line.incident_id for line in content.opened_lines}
    earlier = [line for line in content.open_lines if line.incident_id not in known]
    older = content.open_now - (len(content.open_lines) - len(earlier))
    return [
        *_late(content, names, say),
        *_risk(content, names, say),
        *_kinds(content, say),
        incidents,
        *([_incidents("open", earlier, older, content, names, say)] if earlier else []),
        *_credits(content, names, say),
        *_notes(content, names, say),
        _next(content, names, say),
    ]


def weekly_sections(content: Content, names: ReportNames, say: Language) -> list[Section]:
    """Return the lists of a weekly review."""
    return [
        _week(content, say),
        *_late(content, names, say),
        *_risk(content, names, say),
        *_kinds(content, say),
        *([_sites(content, names, say)] if content.sites else []),
        _incidents("actions", content.open_lines, content.open_now, content, names, say),
        *_credits(content, names, say),
        *_notes(content, names, say),
        _next(content, names, say),
    ]


def _late(content: Content, names: ReportNames, say: Language) -> list[Section]:
    if content.figures.kept + content.figures.late == 0:
        return []
    columns = [
        Column(say.say("column.promise"), 20),
        Column(say.say("column.ticket"), 44),
        Column(say.say("column.due"), 20),
        Column(say.say("column.over"), 16, right=True),
    ]
    rows = [
        [
            _promise(line, say),
            _incident_label(names, line.incident_id, say),
            _due(line, say),
            _over(line, say),
        ]
        for line in content.late_lines
    ]
    more = _more(content.figures.late, rows, say)
    empty = say.say("section.late_empty")
    return [Section(say.say("section.late"), "", columns, rows, empty, more)]


def _risk(content: Content, names: ReportNames, say: Language) -> list[Section]:
    if not content.risk_lines:
        return []
    columns = [
        Column(say.say("column.promise"), 20),
        Column(say.say("column.ticket"), 44),
        Column(say.say("column.due"), 20),
        Column(say.say("column.left"), 16, right=True),
    ]
    rows = [
        [
            _promise(line, say),
            _incident_label(names, line.incident_id, say),
            _due(line, say),
            say.span(-line.over_us),
        ]
        for line in content.risk_lines
    ]
    more = _more(content.at_risk, rows, say)
    return [Section(say.say("section.risk"), say.say("section.risk_note"), columns, rows, "", more)]


def _kinds(content: Content, say: Language) -> list[Section]:
    if not content.kinds:
        return []
    columns = [
        Column(say.say("column.kind"), 40),
        Column(say.say("column.kept"), 20, right=True),
        Column(say.say("column.late"), 20, right=True),
        Column(say.say("column.usual"), 20, right=True),
    ]

    def row(figures: KindFigures) -> list[str]:
        usual = figures.median_us
        n = figures.kept + figures.late
        return [
            say.say(f"kind.{figures.kind}"),
            f"{say.number(figures.kept)} / {say.number(n)}",
            say.number(figures.late),
            say.say("tile.none") if usual is None else say.span(usual),
        ]

    rows = [row(figures) for figures in content.kinds]
    return [Section(say.say("section.kinds"), "", columns, rows, "", "")]


def _incidents(
    key: str,
    lines: Sequence[IncidentLine],
    n: int,
    content: Content,
    names: ReportNames,
    say: Language,
) -> Section:
    weekly = content.cadence is Cadence.WEEKLY
    is_open = key != "opened"
    columns = [
        Column(say.say("column.since" if is_open else "column.opened"), 19),
        Column(say.say("column.ticket"), 43),
        Column(say.say("column.priority"), 15),
        Column(say.say("column.stands"), 23),
    ]

    def stands(line: IncidentLine) -> str:
        if line.resolved_at is None:
            return say.say("cell.open")
        same = line.resolved_at.date() == line.opened_at.date() and not weekly
        at = say.clock(line.resolved_at) if same else say.moment(line.resolved_at)
        return say.say("cell.resolved_at", at=at)

    rows = [
        [
            say.moment(line.opened_at) if is_open or weekly else say.clock(line.opened_at),
            _incident_label(names, line.incident_id, say),
            _priority(names, line, say),
            stands(line),
        ]
        for line in lines
    ]
    empty = say.say("section.open_empty" if is_open else "section.opened_empty")
    return Section(say.say(f"section.{key}"), "", columns, rows, empty, _more(n, rows, say))


def _credits(content: Content, names: ReportNames, say: Language) -> list[Section]:
    if not content.credit_lines:
        return []
    columns = [
        Column(say.say("column.promise"), 25),
        Column(say.say("column.ticket"), 55),
        Column(say.say("column.amount"), 20, right=True),
    ]
    rows = [
        [
            _granted(line, say),
            _incident_label(names, line.incident_id, say),
            say.money(line.amount_cents, line.currency),
        ]
        for line in content.credit_lines
    ]
    total = say.money(content.figures.credits_cents, content.currency)
    note = say.say("section.credits_note")
    summed = say.say("section.total", amount=total) if len(rows) > 1 else ""
    return [Section(say.say("section.credits"), note, columns, rows, "", summed)]


def _week(content: Content, say: Language) -> Section:
    now, was = content.figures, content.before
    n, m = now.kept + now.late, was.kept + was.late
    nothing = say.say("tile.none")
    columns = [
        Column(say.say("column.figure"), 40),
        Column(say.say("column.this"), 20, right=True),
        Column(say.say("column.last"), 20, right=True),
        Column(say.say("column.change"), 20, right=True),
    ]
    rows = [
        [
            say.say("figure.share"),
            say.share(now.kept, n) if n else nothing,
            say.share(was.kept, m) if m else nothing,
            say.points(now.kept / n - was.kept / m) if n and m else nothing,
        ]
    ]
    rows.extend(
        [
            say.say(f"figure.{name}"),
            say.number(getattr(now, name)),
            say.number(getattr(was, name)),
            say.signed(getattr(now, name) - getattr(was, name)),
        ]
        for name in ("kept", "late", "opened", "resolved")
    )
    cents = content.figures.credits_cents, content.before.credits_cents
    change = say.money(abs(cents[0] - cents[1]), content.currency)
    sign = "" if cents[0] == cents[1] else "+" if cents[0] > cents[1] else "−"
    money = [say.money(each, content.currency) for each in cents]
    rows.append([say.say("figure.credits"), *money, f"{sign}{change}"])
    proactive = content.proactive
    note = ""
    if proactive.changes:
        share = say.share(proactive.told, proactive.changes)
        note = say.say("note.proactive", n=proactive.changes, told=proactive.told, share=share)
    return Section(say.say("section.week"), note, columns, rows, "", "")


def _sites(content: Content, names: ReportNames, say: Language) -> Section:
    columns = [
        Column(say.say("column.site"), 46),
        Column(say.say("column.tickets"), 18, right=True),
        Column(say.say("column.kept"), 18, right=True),
        Column(say.say("column.late"), 18, right=True),
    ]
    rows = [
        [
            names.sites.get(site.site_id, say.say("cell.gone")),
            say.number(site.opened),
            f"{say.number(site.kept)} / {say.number(site.kept + site.late)}",
            say.number(site.late),
        ]
        for site in content.sites
    ]
    return Section(say.say("section.sites"), "", columns, rows, "", "")


def _notes(content: Content, names: ReportNames, say: Language) -> list[Section]:
    if not content.notes:
        return []
    columns = [Column(say.say("column.when"), 22), Column(say.say("column.what"), 78)]
    rows = [[say.moment(note.at), _sentence(note, names, say)] for note in content.notes]
    return [Section(say.say("section.notes"), "", columns, rows, "", "")]


def _sentence(note: Note, names: ReportNames, say: Language) -> str:
    about = _incident_label(names, note.incident_id, say)
    values = note.says
    match note.kind:
        case "incident.reopened":
            return say.say("note.reopened", ticket=about)
        case "incident.prioritised":
            priority = say.say(f"priority.{values['priority']}")
            return say.say("note.prioritised", ticket=about, priority=priority)
        case "promise.revised":
            now = say.say("verdict.late" if values["now"] == "late" else "verdict.kept")
            promise = say.say(f"kind.{values['promise']}")
            return say.say("note.revised", promise=promise, ticket=about, now=now)
        case "budget.burning":
            if values["left"] < 0:
                return say.say("note.overspent", of=values["n"])
            return say.say("note.burning", n=values["left"], of=values["n"])
        case "incident.due_agreed":
            return say.say("note.due_agreed", ticket=about)
        case "terms.in_force":
            return say.say("note.in_force", reference=values["reference"])
        case "agreement.ended":
            if "reference" in values:
                return say.say("note.agreement_ends", reference=values["reference"])
            return say.say("note.ended")
        case _:
            return say.say("note.amended")


def _next(content: Content, names: ReportNames, say: Language) -> Section:
    columns = [Column(say.say("column.when"), 22), Column(say.say("column.what"), 78)]
    coming = [
        (line.due_at, f"{_promise(line, say)}: {_incident_label(names, line.incident_id, say)}")
        for line in content.next_lines
        if line.due_at is not None
    ]
    coming += [(note.at, _sentence(note, names, say)) for note in content.planned]
    rows = [[say.moment(at), what] for at, what in sorted(coming)]
    return Section(say.say("section.next"), "", columns, rows, say.say("section.next_empty"), "")


def _promise(line: PromiseLine, say: Language) -> str:
    return say.say(f"kind.{line.kind}")


def _incident_label(names: ReportNames, incident_id: UUID | None, say: Language) -> str:
    """Describe an incident by reference, summary, and site if the account has several sites."""
    if incident_id is None:
        return ""
    found = names.incidents.get(incident_id)
    if found is None:
        return say.say("cell.gone")
    site = f" ({found.site})" if len(names.sites) > 1 else ""
    return f"{found.reference} – {found.summary}{site}"


def _priority(names: ReportNames, line: IncidentLine, say: Language) -> str:
    found = names.incidents.get(line.incident_id)
    return say.say("cell.gone") if found is None else say.say(f"priority.{found.priority}")


def _due(line: PromiseLine, say: Language) -> str:
    return say.say("tile.none") if line.due_at is None else say.moment(line.due_at)


def _over(line: PromiseLine, say: Language) -> str:
    span = say.span(line.over_us)
    return f"{span}, {say.say('cell.still_open')}" if line.is_open else span


def _more(n: int, rows: Sequence[object], say: Language) -> str:
    left = n - len(rows)
    return say.say("section.more", n=left) if left > 0 else ""


def _granted(line: CreditLine, say: Language) -> str:
    return say.say("cell.gesture" if line.kind is None else f"kind.{line.kind}")
