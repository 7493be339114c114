"""Parts of a business review as lists: one function for each, from the stored content and the texts of its rows."""

from collections.abc import Callable, Iterable, Sequence
from functools import partial

from domain.business_reviews.content import BusinessContent, BusinessDeed
from domain.business_reviews.outlook import (
    decisions,
    facts,
    market,
    messages,
    renewal,
    resources,
    value,
)
from domain.business_reviews.reads import BusinessTexts
from domain.business_reviews.tables import FACTS, Rows, figures, of_keys, section, shown, words_of
from domain.documents import Language
from domain.reports import Section

Build = Callable[[BusinessContent, BusinessTexts, Language], Section]
_FEEDBACK = ("csat", "nps", "ces", "complaints")
_RELATION = ("promises_kept", "commitments_kept", "csat", "nps")
_NEW = ("enhancement_requests", "proactive_notices")
_OPEN_RISKS = frozenset({"risk", "issue"})


def sections(
    parts: Iterable[str], content: BusinessContent, texts: BusinessTexts, say: Language
) -> list[Section]:
    """Return the parts of a review in their order."""
    return [_PARTS[part](content, texts, say) for part in parts]


def _highlights(content: BusinessContent, texts: BusinessTexts, say: Language) -> Section:
    """Return what went well: figures that reach their goals, goals attained, commitments kept."""
    met = [each for each in content.figures if each.status == "met"]
    rows = [[say.say(f"kpi.{each.key}"), shown(each.unit, each.value_milli, say)] for each in met]
    rows += [
        [words_of(texts.words, goal.goal_id, say), say.say("state.attained")]
        for goal in content.goals
        if goal.state == "attained"
    ]
    rows += [
        [words_of(texts.words, deed.commitment_id, say), say.say("cell.in_time")]
        for deed in content.done
        if not deed.is_late
    ]
    return section("highlights", say, FACTS, rows)


def _challenges(content: BusinessContent, texts: BusinessTexts, say: Language) -> Section:
    """Return what went badly: figures below their goals, late promises by kind, open risks and issues."""
    rows = [
        [say.say(f"kpi.{each.key}"), shown(each.unit, each.value_milli, say)]
        for each in content.figures
        if each.status in {"missed", "floor"}
    ]
    rows += [
        [say.say(f"promise.{each.kind}"), say.say("cell.late", n=each.late)]
        for each in content.promises
        if each.late
    ]
    return section("challenges", say, FACTS, rows + _open_entries(content, texts, say))


def _open_entries(content: BusinessContent, texts: BusinessTexts, say: Language) -> Rows:
    return [
        [words_of(texts.words, each.raid_id, say), _assessed(each.kind, each.score, say)]
        for each in content.entries
        if each.is_open and each.kind in _OPEN_RISKS
    ]


def _assessed(kind: str, score: int | None, say: Language) -> str:
    name = say.say(f"raid.{kind}")
    return name if score is None else say.say("cell.score", kind=name, score=score)


def _opportunities(content: BusinessContent, texts: BusinessTexts, say: Language) -> Section:
    """Return the worth of goals that is not realised yet, and the wishes of the client."""
    currency = content.money.currency
    rows = [
        [
            words_of(texts.words, goal.goal_id, say),
            say.money((goal.value_cents or 0) - goal.realised_cents, currency),
        ]
        for goal in content.goals
        if (goal.value_cents or 0) > goal.realised_cents
    ]
    rows += [
        [say.say(f"kpi.{each.key}"), shown(each.unit, each.value_milli, say)]
        for each in of_keys(content, ("enhancement_requests",))
        if each.value_milli
    ]
    return section("opportunities", say, FACTS, rows)


def _goals(part: str, content: BusinessContent, texts: BusinessTexts, say: Language) -> Section:
    columns = (("what", 34), ("value", 18), ("goal", 18), ("state", 14), ("due", 16))
    rows = []
    for goal in content.goals:
        own = texts.units.get(goal.goal_id, "")
        values = [
            _in_unit(goal.kpi_unit, own, milli, say)
            for milli in (goal.value_milli, goal.target_milli)
        ]
        words, state = words_of(texts.words, goal.goal_id, say), say.say(f"state.{goal.state}")
        rows.append([words, *values, state, say.day(goal.due_on, "d MMM y")])
    return section(part, say, columns, rows)


def _in_unit(kpi_unit: str | None, own: str, milli: int | None, say: Language) -> str:
    if milli is None:
        return say.say("cell.none")
    return shown(kpi_unit, milli, say) if kpi_unit else f"{shown('points', milli, say)} {own}"


def _deeds(
    part: str,
    pick: Callable[[BusinessContent], Sequence[BusinessDeed]],
    content: BusinessContent,
    texts: BusinessTexts,
    say: Language,
) -> Section:
    columns = (("what", 60), ("due", 20), ("state", 20))
    rows = [
        [
            words_of(texts.words, deed.commitment_id, say),
            say.day(deed.due_on, "d MMM y"),
            say.say(_deed_state(deed)),
        ]
        for deed in pick(content)
    ]
    return section(part, say, columns, rows)


def _deed_state(deed: BusinessDeed) -> str:
    if deed.done_on is None:
        return "cell.overdue" if deed.is_late else "cell.open"
    return "cell.too_late" if deed.is_late else "cell.in_time"


def _risks(content: BusinessContent, texts: BusinessTexts, say: Language) -> Section:
    return section("risks", say, FACTS, _open_entries(content, texts, say))


_PARTS: dict[str, Build] = {
    "performance": partial(figures, "performance", None),
    "highlights": _highlights,
    "challenges": _challenges,
    "opportunities": _opportunities,
    "alignment": partial(_goals, "alignment"),
    "actions": partial(_deeds, "actions", lambda content: content.coming),
    "resources": partial(resources, "resources"),
    "feedback": partial(figures, "feedback", _FEEDBACK),
    "value": value,
    "strategy": partial(_goals, "strategy"),
    "market": market,
    "innovation": partial(figures, "innovation", _NEW),
    "partnership": partial(facts, "partnership", _RELATION),
    "renewal": renewal,
    "executives": decisions,
    "preparation": partial(figures, "preparation", ("promises_kept", "incidents", "csat", "nps")),
    "messages": messages,
    "relationship": partial(facts, "relationship", _RELATION),
    "risks": _risks,
    "investment": partial(resources, "investment"),
    "commitments": partial(_deeds, "commitments", lambda content: [*content.done, *content.coming]),
}
"""What each part holds; two kinds may share a part."""
