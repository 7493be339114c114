"""View model of a report: plain data that the PDF template and the message template both read."""

from typing import Literal

import msgspec

Tone = Literal["good", "fair", "bad", "calm"]


class Shown(msgspec.Struct, frozen=True, rename="kebab"):
    """Data for a template; names as typst likes them."""


class FigureTile(Shown, frozen=True):
    """One figure."""

    label: str
    value: str
    note: str
    tone: Tone


class Column(Shown, frozen=True):
    """One column of a list; `width` is its share."""

    label: str
    width: int
    right: bool = False


class Section(Shown, frozen=True):
    """One list; `empty` is shown when it has no rows, `more` below rows that were cut."""

    title: str
    note: str
    columns: list[Column]
    rows: list[list[str]]
    empty: str
    more: str


class SharePoint(Shown, frozen=True):
    """One day; `value` in percent, None when nothing was decided; a label at some days only."""

    label: str
    value: float | None


class PairPoint(Shown, frozen=True):
    """One day with its two counts."""

    label: str
    values: tuple[int, int]


class ShareLegend(Shown, frozen=True):
    """Legend of a share chart."""

    kept: str
    late: str
    goal: str


class ShareChart(Shown, frozen=True, tag_field="kind", tag="share"):
    """A share over time, from `from_` to 100 %."""

    language: str
    title: str
    note: str
    alt: str
    from_: int = msgspec.field(name="from")
    ticks: list[int]
    goal: float | None
    legend: ShareLegend
    points: list[SharePoint]


class PairChart(Shown, frozen=True, tag_field="kind", tag="pairs"):
    """Two counts a day, from 0."""

    language: str
    title: str
    note: str
    alt: str
    ticks: list[int]
    legend: tuple[str, str]
    points: list[PairPoint]


Chart = ShareChart | PairChart


class ReportPage(Shown, frozen=True):
    """A report in one language."""

    language: str
    title: str
    company: str
    account: str
    date: str
    as_of: str
    headline: str
    lead: str
    tone: Tone
    tiles: list[FigureTile]
    charts: list[Chart]
    sections: list[Section]
    footer: str
