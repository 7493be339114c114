"""Tables of business reviews: sections with their columns, rows of figures, and values in their units."""

from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

from domain.business_reviews.content import BusinessContent, BusinessFigure
from domain.business_reviews.reads import BusinessTexts
from domain.documents import Language
from domain.reports import Column, Section

Rows = list[list[str]]
_RIGHT = frozenset({"value", "before", "goal", "state", "due", "result", "made"})
_FIGURES = (("figure", 34), ("value", 17), ("before", 17), ("goal", 14), ("state", 18))
FACTS = (("what", 64), ("result", 36))


def shown(unit: str, milli: int | None, say: Language) -> str:
    """Format thousandths of a unit, rounded down, so that 99.97 % is not shown as 100 %."""
    if milli is None:
        return say.say("cell.none")
    if unit == "seconds":
        return say.span(milli * 1_000)
    if unit == "count":
        return say.number(milli // 1_000)
    tenths = milli // 100
    number = say.number(tenths // 10) if tenths % 10 == 0 else say.decimal(tenths, 1)
    return f"{number}\N{NO-BREAK SPACE}%" if unit == "percent" else number


def section(part: str, say: Language, columns: Sequence[tuple[str, int]], rows: Rows) -> Section:
    """Return a part as a table, with its title, note and columns."""
    made = [Column(say.say(f"column.{name}"), width, name in _RIGHT) for name, width in columns]
    note, empty = say.say(f"note.{part}"), say.say(f"empty.{part}")
    return Section(say.say(f"part.{part}"), note, made, rows, empty, "")


def figures(
    part: str, keys: Iterable[str] | None, content: BusinessContent, _: BusinessTexts, say: Language
) -> Section:
    """Return a part that lists figures, all of them without keys."""
    wanted = content.figures if keys is None else of_keys(content, keys)
    return section(part, say, _FIGURES, [_figure_row(each, say) for each in wanted])


def of_keys(content: BusinessContent, keys: Iterable[str]) -> list[BusinessFigure]:
    """Return the figures of these keys that there are."""
    return [each for key in keys if (each := content.figure(key)) is not None]


def _figure_row(found: BusinessFigure, say: Language) -> list[str]:
    factor = 1_000
    goal = None if found.target is None else found.target * factor
    return [
        say.say(f"kpi.{found.key}"),
        shown(found.unit, found.value_milli, say),
        shown(found.unit, found.before_milli, say),
        shown(found.unit, goal, say),
        say.say(f"status.{found.status}"),
    ]


def words_of(words: Mapping[UUID, str], row_id: UUID, say: Language) -> str:
    """Return the words of a row, or that they were erased."""
    return words.get(row_id) or say.say("cell.gone")
