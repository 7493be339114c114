"""Charts of a report: points, axes with round numbers, and a text alternative."""

from domain.reports.content import Content
from domain.reports.language import Language
from domain.reports.view_model import PairChart, PairPoint, ShareChart, ShareLegend, SharePoint

_BOTTOMS = ((90, 2), (80, 5), (50, 10), (0, 20))
"""Possible starts of the axis of a share, and their steps: wide enough for the worst day, no wider."""
_STEPS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000)


def share_chart(content: Content, say: Language) -> ShareChart | None:
    """Return the chart of promises kept per day over 28 days; None when nothing was decided in them."""
    kept = sum(day.kept for day in content.days)
    n = kept + sum(day.late for day in content.days)
    if n == 0:
        return None
    points = []
    for index, day in enumerate(content.days):
        decided = day.kept + day.late
        from_the_end = len(content.days) - 1 - index
        label = say.day(day.on, "d MMM") if from_the_end % 7 == 0 else ""
        points.append(SharePoint(label, 100 * day.kept / decided if decided else None))
    worst = min(point.value for point in points if point.value is not None)
    goal = None if content.goal_ppm is None else content.goal_ppm / 10_000
    bottom, step = next(
        each for each in _BOTTOMS if each[0] <= min(worst, 100.0 if goal is None else goal)
    )
    return ShareChart(
        language=say.code,
        title=say.say("chart.share"),
        note=say.say("chart.share_note"),
        alt=say.say(
            "chart.share_alt",
            share=say.share(kept, n),
            n=n,
            late_days=sum(day.late > 0 for day in content.days),
        ),
        from_=bottom,
        ticks=list(range(bottom, 101, step)),
        goal=goal,
        legend=ShareLegend(
            say.say("chart.kept"),
            say.say("chart.late"),
            ""
            if content.goal_ppm is None
            else say.say("chart.goal", goal=say.share(content.goal_ppm, 1_000_000)),
        ),
        points=points,
    )


def incident_chart(content: Content, say: Language) -> PairChart | None:
    """Return the chart of incidents opened and resolved, on the days of the week; None when there were none."""
    days = content.days[-7:]
    opened, resolved = sum(day.opened for day in days), sum(day.resolved for day in days)
    if opened + resolved == 0:
        return None
    most = max(max(day.opened, day.resolved) for day in days)
    step = next(each for each in _STEPS if each * 4 >= most)
    return PairChart(
        language=say.code,
        title=say.say("chart.tickets"),
        note=say.say("chart.tickets_note"),
        alt=say.say("chart.tickets_alt", opened=opened, resolved=resolved),
        ticks=list(range(0, step * (-(-most // step)) + 1, step)),
        legend=(say.say("chart.opened"), say.say("chart.resolved")),
        points=[
            PairPoint(say.day(day.on, "EEE d MMM"), (day.opened, day.resolved)) for day in days
        ],
    )
