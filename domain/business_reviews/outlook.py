"""Parts of business reviews about value, market, renewal, resources and the people who decide."""

from collections.abc import Iterable

from domain.business_reviews.content import BusinessContent
from domain.business_reviews.reads import BusinessTexts
from domain.business_reviews.tables import FACTS, Rows, of_keys, section, shown, words_of
from domain.documents import Language
from domain.reports import Section

_RESOURCES = ("coverage", "punctuality")


def value(content: BusinessContent, texts: BusinessTexts, say: Language) -> Section:
    """Return worth, realised worth and cost, and the return with all that it is computed from."""
    currency = content.money.currency
    rows = [
        [
            say.say("fact.goal_worth", goal=words_of(texts.words, goal.goal_id, say)),
            say.say(
                "fact.realised_of",
                realised=say.money(goal.realised_cents, currency),
                worth=say.money(goal.value_cents, currency),
            ),
        ]
        for goal in content.goals
        if goal.value_cents
    ]
    roi = content.roi_ppm
    rows += [
        [say.say("fact.realised"), say.money(content.realised_cents, currency)],
        [say.say("fact.invoiced"), say.money(content.money.invoiced_cents, currency)],
        [say.say("fact.credits"), say.money(content.money.credits_cents, currency)],
        [say.say("fact.roi"), shown("percent", None if roi is None else roi // 10, say)],
    ]
    return section("value", say, FACTS, rows)


def market(content: BusinessContent, _: BusinessTexts, say: Language) -> Section:
    """Return public reviews of the company and of others."""
    found = content.market

    def rated(ppm: int | None) -> str:
        return shown("percent", None if ppm is None else ppm // 10, say)

    rows: Rows = []
    if found.own_n:
        rows += [
            [say.say("fact.own_reviews"), say.number(found.own_n)],
            [say.say("fact.own_rating"), rated(found.own_ppm)],
        ]
    if found.others:
        rows += [
            [say.say("fact.other_reviews", n=found.others), say.number(found.others_n)],
            [say.say("fact.other_rating"), rated(found.others_ppm)],
        ]
    return section("market", say, FACTS, rows)


def renewal(content: BusinessContent, _: BusinessTexts, say: Language) -> Section:
    """Return the agreements that run, with their duration."""
    columns = (("agreement", 28), ("ends", 24), ("notice", 24), ("renews", 24))
    nothing = say.say("cell.none")
    rows = [
        [
            term.reference,
            say.say("cell.indefinite")
            if term.fixed_until is None
            else say.day(term.fixed_until, "d MMM y"),
            nothing if term.notice_by is None else say.day(term.notice_by, "d MMM y"),
            nothing
            if term.renews_for_months is None
            else say.say("cell.months", n=term.renews_for_months),
        ]
        for term in content.terms
    ]
    return section("renewal", say, columns, rows)


def _contacts(content: BusinessContent, say: Language) -> Rows:
    return [
        [say.say("fact.held"), say.number(content.meetings_held)],
        [say.say("fact.planned"), say.number(content.meetings_planned)],
    ]


def _status(content: BusinessContent, say: Language) -> Rows:
    if content.status is None or content.status_until_on is None:
        return []
    until = say.day(content.status_until_on, "d MMM y")
    return [[say.say("fact.status", until=until), say.say(f"light.{content.status}")]]


def facts(
    part: str,
    keys: Iterable[str],
    content: BusinessContent,
    _: BusinessTexts,
    say: Language,
) -> Section:
    """Return the status, figures and meetings that say how the relationship is."""
    rows = _status(content, say)
    rows += [
        [say.say(f"kpi.{each.key}"), shown(each.unit, each.value_milli, say)]
        for each in of_keys(content, keys)
    ]
    return section(part, say, FACTS, rows + _contacts(content, say))


def decisions(content: BusinessContent, texts: BusinessTexts, say: Language) -> Section:
    """Return meetings, and the decisions that were made."""
    rows = [
        [words_of(texts.words, each.raid_id, say), say.day(each.raised_on, "d MMM y")]
        for each in content.entries
        if each.kind == "decision"
    ]
    return section("executives", say, (("what", 76), ("made", 24)), _contacts(content, say) + rows)


def messages(content: BusinessContent, _: BusinessTexts, say: Language) -> Section:
    """Return what to say: how many figures reach their goals, goals attained, and what was realised."""
    judged = [each for each in content.figures if each.status in {"met", "floor", "missed"}]
    met = sum(each.status == "met" for each in judged)
    attained = sum(each.state == "attained" for each in content.goals)
    currency = content.money.currency
    rows = [
        [say.say("fact.met"), say.say("cell.of", n=met, whole=len(judged))],
        [say.say("fact.attained"), say.say("cell.of", n=attained, whole=len(content.goals))],
        [say.say("fact.realised"), say.money(content.realised_cents, currency)],
    ]
    return section("messages", say, FACTS, rows)


def resources(part: str, content: BusinessContent, _: BusinessTexts, say: Language) -> Section:
    """Return sites, staffing and what was invoiced."""
    currency = content.money.currency
    rows = [[say.say("fact.sites"), say.number(content.sites)]]
    rows += [
        [say.say(f"kpi.{each.key}"), shown(each.unit, each.value_milli, say)]
        for each in of_keys(content, _RESOURCES)
    ]
    rows.append([say.say("fact.invoiced"), say.money(content.money.invoiced_cents, currency)])
    return section(part, say, FACTS, rows)
