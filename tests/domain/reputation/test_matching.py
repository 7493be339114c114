"""Reviews are matched with contacts: Jaro-Winkler as published, and few wrong links on 300 labelled pairs."""

import random
from datetime import timedelta
from typing import NamedTuple
from uuid import UUID

import pytest

from domain.agreements import TicketKind
from domain.reputation import PastIncident, alike, jaro_winkler, match
from domain.reputation.matching import AUTOMATIC, SUGGESTED
from domain.sentiment import Theme
from tests.build import T0

FIRST = (
    *("Jan", "Piet", "Klaas", "Fatima", "Mohammed", "Sanne", "Emma", "Daan", "Lotte", "Bram"),
    *("Yusuf", "Noor", "Willem", "Sophie", "Thijs", "Anouk", "Ruben", "Iris"),
)
LAST = (
    *("Jansen", "Bakker", "Visser", "Smit", "Meijer", "Mulder", "Bos", "Vos", "Peters", "Hendriks"),
    *("Dekker", "Brouwer", "Dijkstra", "Smits", "Graaf", "Kok", "Jacobs", "Haan", "Vermeulen"),
    *("Heuvel", "Veen", "Broek", "Schouten", "Beek", "Willems", "Hoekstra", "Koster", "Prins"),
    *("Blom", "Huisman", "Peeters", "Kuijpers", "Wolters"),
)
CITIES = ("Utrecht", "Zwolle", "Breda", "Arnhem", "Tilburg", "Almere", "Leiden", "Delft")
DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("one", "other", "similarity"),
    [("martha", "marhta", 0.9611), ("dwayne", "duane", 0.84), ("dixon", "dicksonx", 0.8133), ("a", "b", 0.0)],
)  # fmt: skip
def test_jaro_winkler_gives_the_published_values(one: str, other: str, similarity: float) -> None:
    assert jaro_winkler(one, other) == pytest.approx(similarity, abs=5e-5)
    assert jaro_winkler(other, one) == pytest.approx(similarity, abs=5e-5)


@pytest.mark.parametrize(
    ("author", "name", "least", "most"),
    [
        ("Jan de Vries", "J. de Vries", 0.8, 0.9), ("DE VRIES, Jan", "Jan de Vries", 1, 1),
        ("Zoë Jansen", "zoe jansen", 1, 1), ("An Jansen", "Jan Jansen", 0, 0),
        ("Jan", "Jan Jansen", 0.2, 0.3), ("", "Jan Jansen", 0, 0), ("Piet Smit", "Piet Bakker", 0, 0),
        ("Dhr. Jan Jansen", "Jan Jansen", 1, 1), ("Jan Janssen", "Jan Jansen", 0.95, 1),
    ],
)  # fmt: skip
def test_names_are_alike_by_surname_and_first_name(
    author: str, name: str, least: float, most: float
) -> None:
    assert least <= alike(author, name) <= most


class Pair(NamedTuple):
    """A review and a contact, and whether the contact wrote it."""

    author: str
    place: str | None
    days: int
    themes: frozenset[Theme]
    name: str
    city: str
    incidents: int
    is_true: bool


def misspelt(name: str, chance: random.Random) -> str:
    """The name with one letter twice, or two letters exchanged."""
    at = chance.randrange(1, len(name) - 1)
    if chance.random() < 0.5:
        return name[:at] + name[at] + name[at:]
    return name[:at] + name[at + 1] + name[at] + name[at + 2 :]


def pairs(count: int, seed: int) -> list[Pair]:
    """Half are by the contact, as people sign reviews; half by somebody else who may share a name, a city or a week."""
    chance = random.Random(seed)
    found = []
    for number in range(count):
        first, last, city = chance.choice(FIRST), chance.choice(LAST), chance.choice(CITIES)
        name, is_true = f"{first} {last}", number % 2 == 0
        author, place = name, city if chance.random() < 0.8 else None
        has_incident = chance.random() < (0.85 if is_true else 0.5)
        if is_true:
            style = chance.random()
            if style < 0.2:
                author = f"{first[0]}. {last}"
            elif style < 0.3:
                author = f"{first} {misspelt(last, chance)}"
            elif style < 0.4:
                author = first
            elif style < 0.45:
                author = f"{last} {first}"
        else:
            others = [each for each in FIRST if each != first]
            surnames = [each for each in LAST if each != last]
            kind = chance.random()
            author = f"{chance.choice(others)} {last}"
            if kind < 0.4:
                author = f"{first} {chance.choice(surnames)}"
            elif kind < 0.6:
                author = f"{chance.choice(others)} {chance.choice(surnames)}"
            elif kind < 0.7:
                author = first
            if chance.random() < 0.5:
                place = chance.choice(CITIES)
        themes = frozenset({Theme.RESPONSE}) if chance.random() < 0.6 else frozenset()
        days = chance.randint(0, 20)
        found.append(Pair(author, place, days, themes, name, city, int(has_incident), is_true))
    return found


@pytest.mark.parametrize("seed", range(5))
def test_on_300_labelled_pairs_few_links_are_wrong_and_none_that_is_automatic(seed: int) -> None:
    hits = wrong = wrong_alone = 0
    labelled = pairs(300, seed)
    for each in labelled:
        near = PastIncident(UUID(int=1), T0 - each.days * DAY, TicketKind.INCIDENT)
        found = match(
            each.author, each.place, T0, each.themes,
            name=each.name, cities=[each.city], incidents=[near] * each.incidents,
        )  # fmt: skip
        if found.score >= SUGGESTED:
            hits += each.is_true
            wrong += not each.is_true
            wrong_alone += found.score >= AUTOMATIC and not each.is_true
    precision, recall = hits / (hits + wrong), hits / sum(each.is_true for each in labelled)
    assert precision >= 0.95, (precision, recall)
    assert recall >= 0.6, (precision, recall)
    assert wrong_alone == 0


def test_what_is_unknown_never_makes_a_match_better() -> None:
    near = [PastIncident(UUID(int=1), T0 - DAY, TicketKind.INCIDENT)]
    themes = {Theme.RESPONSE}
    whole = match(
        "Jan Smit", "Breda", T0, themes, name="Jan Smit", cities=["breda"], incidents=near
    )
    assert (whole.score, whole.incident_id) == (1_000, UUID(int=1))
    assert sum(whole.parts.values()) == whole.score
    for place, cities, known in (
        (None, ["Breda"], near),
        ("Breda", [], near),
        ("Breda", ["Breda"], []),
    ):
        less = match("Jan Smit", place, T0, themes, name="Jan Smit", cities=cities, incidents=known)
        assert less.score < whole.score
    late = [PastIncident(UUID(int=1), T0 - 22 * DAY, TicketKind.INCIDENT)]
    assert (
        match("Jan Smit", None, T0, (), name="Jan Smit", cities=[], incidents=late).parts["date"]
        == 0
    )
