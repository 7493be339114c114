"""Match the author of a review with a client's contact: a score of four parts, in thousandths. Pure functions.

What is unknown counts as nothing, so that missing evidence never makes a match better.
"""

import re
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple
from unicodedata import combining, normalize
from uuid import UUID

from domain.agreements.model import TicketKind
from domain.sentiment import Theme

AUTOMATIC, SUGGESTED, CERTAIN = 900, 600, 1_000
"""Scores from which a review is linked, and from which a link is suggested; that of an invitation's code."""
WEIGHTS = {"name": 550, "place": 150, "date": 200, "theme": 100}
AFTER = timedelta(days=21)
"""Longest time from an incident to a review about it."""
_ALIKE, _SHORT = 0.92, 4
_INITIAL, _ONE_NAME = 0.7, 0.25
_PARTICLES = frozenset(
    {"van", "de", "der", "den", "het", "ter", "ten", "te", "el", "op", "in", "von"}
)
_TITLES = frozenset({"dhr", "mevr", "mw", "mr", "mrs", "ms", "drs", "ing", "ir", "dr"})
_THEMES = {
    TicketKind.ALARM: {Theme.RESPONSE, Theme.PUNCTUALITY, Theme.RESOLUTION},
    TicketKind.MAINTENANCE: {Theme.TECHNOLOGY, Theme.RESOLUTION},
    TicketKind.INQUIRY: {Theme.COMMUNICATION, Theme.RESPONSE, Theme.BILLING},
    TicketKind.SERVICE_REQUEST: {Theme.COMMUNICATION, Theme.RESPONSE, Theme.RESOLUTION},
    TicketKind.ENHANCEMENT: {Theme.TECHNOLOGY, Theme.REPORTING},
}
"""Themes that belong to a kind of incident; every theme belongs to the other kinds."""


class PastIncident(NamedTuple):
    """An incident of a client that a review may be about."""

    id: UUID
    opened_at: datetime
    kind: TicketKind


class ReviewMatch(NamedTuple):
    """How well a review fits a client: the score, its parts, and the incident that fits best."""

    score: int
    parts: dict[str, int]
    incident_id: UUID | None


def match(
    author: str | None,
    place: str | None,
    written_at: datetime,
    themes: Collection[Theme],
    *,
    name: str,
    cities: Collection[str],
    incidents: Sequence[PastIncident],
) -> ReviewMatch:
    """Score a review against a contact, the cities of the client's sites, and the client's incidents."""
    parts = {
        "name": round(WEIGHTS["name"] * alike(author or "", name)),
        "place": WEIGHTS["place"]
        if place and _plain(place) in {_plain(each) for each in cities}
        else 0,
        "date": 0,
        "theme": 0,
    }
    near = [each for each in incidents if each.opened_at <= written_at <= each.opened_at + AFTER]
    incident_id = None
    if near:
        best = max(near, key=lambda each: (_fits(each, themes), each.opened_at, each.id))
        parts["date"], incident_id = WEIGHTS["date"], best.id
        parts["theme"] = WEIGHTS["theme"] if _fits(best, themes) else 0
    return ReviewMatch(sum(parts.values()) if parts["name"] else 0, parts, incident_id)


def alike(author: str, name: str) -> float:
    """Return how well an author's name fits a person's, 0 to 1: the surname, and the first name or its initial."""
    shown, known = _tokens(author), _tokens(name)
    if not shown or not known:
        return 0.0
    if len(shown) == 1 or len(known) == 1:
        return _ONE_NAME if shown[0] in known or known[0] in shown else 0.0
    return max(_pair(shown, known), _pair([shown[-1], *shown[:-1]], known))


def _pair(shown: Sequence[str], known: Sequence[str]) -> float:
    surname = _close(shown[-1], known[-1])
    if surname == 0:
        return 0.0
    one, other = shown[0], known[0]
    first = _close(one, other)
    if first == 0 and 1 in {len(one), len(other)} and one[0] == other[0]:
        first = _INITIAL
    return (surname + first) / 2 if first else 0.0


def _close(one: str, other: str) -> float:
    if one == other:
        return 1.0 if len(one) > 1 else _INITIAL
    if min(len(one), len(other)) < _SHORT:
        return 0.0
    found = jaro_winkler(one, other)
    return found if found >= _ALIKE else 0.0


def jaro_winkler(one: str, other: str) -> float:
    """Return the Jaro-Winkler similarity of two texts, 0 to 1, with a weight of 0.1 for up to four equal beginnings."""
    if one == other:
        return 1.0
    if not one or not other:
        return 0.0
    reach = max(0, max(len(one), len(other)) // 2 - 1)
    taken = [False] * len(other)
    matched = []
    for at, mark in enumerate(one):
        for place in range(max(0, at - reach), min(len(other), at + reach + 1)):
            if not taken[place] and other[place] == mark:
                taken[place] = True
                matched.append(mark)
                break
    if not matched:
        return 0.0
    order = [mark for place, mark in enumerate(other) if taken[place]]
    moved = sum(a != b for a, b in zip(matched, order, strict=True)) / 2
    count = len(matched)
    jaro = (count / len(one) + count / len(other) + (count - moved) / count) / 3
    start = 0
    for a, b in zip(one[:4], other[:4], strict=False):
        if a != b:
            break
        start += 1
    return jaro + start * 0.1 * (1 - jaro)


def _fits(incident: PastIncident, themes: Collection[Theme]) -> bool:
    belonging = _THEMES.get(incident.kind)
    return bool(themes) if belonging is None else not belonging.isdisjoint(themes)


def _plain(text: str) -> str:
    folded = normalize("NFKD", text).casefold()
    return " ".join("".join(mark for mark in folded if not combining(mark)).split())


def _tokens(name: str) -> list[str]:
    words = re.findall(r"[^\W\d_]+", _plain(name))
    return [each for each in words if each not in _PARTICLES and each not in _TITLES]
