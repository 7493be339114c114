"""Themes by words, in both languages: what is found is shown, and most sentences get the theme a person would give."""

import pytest

from domain.sentiment.sources import own_sentences
from domain.sentiment.themes import Theme, themes_of

SENTENCES: list[tuple[str, set[Theme]]] = [
    ("De beveiliger was twintig minuten te laat.", {Theme.PUNCTUALITY}),
    ("He is always on time.", {Theme.PUNCTUALITY}),
    ("Bij ziekte kwam er geen vervanger.", {Theme.COVERAGE}),
    ("The gate was unmanned for two nights.", {Theme.COVERAGE}),
    ("Vriendelijke man, altijd een net uniform.", {Theme.CONDUCT}),
    ("The guard at reception was rude to a visitor.", {Theme.CONDUCT}),
    ("Ze kent het gebouw van haver tot gort.", {Theme.EXPERTISE}),
    ("Well trained people.", {Theme.EXPERTISE}),
    ("De alarmopvolging was er binnen tien minuten.", {Theme.RESPONSE}),
    ("You reacted within minutes.", {Theme.RESPONSE}),
    ("Het probleem met de poort is nog steeds niet verholpen.", {Theme.RESOLUTION}),
    ("It was solved the same evening.", {Theme.RESOLUTION}),
    ("Niemand belt terug en de planner is niet bereikbaar.", {Theme.COMMUNICATION}),
    ("Please keep us posted.", {Theme.COMMUNICATION}),
    ("Het dagrapport klopt zelden.", {Theme.REPORTING}),
    ("The logbook is hard to read.", {Theme.REPORTING}),
    ("De sluitronde is twee keer overgeslagen.", {Theme.PATROLS}),
    ("The night patrol skipped the warehouse.", {Theme.PATROLS}),
    ("De factuur was drie maanden achter elkaar fout.", {Theme.BILLING}),
    ("Too expensive for what we get.", {Theme.BILLING}),
    ("Elke week een ander gezicht, wij willen vaste mensen.", {Theme.CONTINUITY}),
    ("We would like the same guard every week.", {Theme.CONTINUITY}),
    ("De camera bij de slagboom doet het niet.", {Theme.TECHNOLOGY}),
    ("The portal does not load on my phone.", {Theme.TECHNOLOGY}),
    ("Prima zo, ga zo door.", set()),
    ("No remarks.", set()),
]


def test_the_words_that_decided_are_shown() -> None:
    [found] = themes_of("Vriendelijke  man,\naltijd een net UNIFORM.")
    assert found == (Theme.CONDUCT, ("vriendelijke", "uniform"))


@pytest.mark.parametrize("text", ["", "?", "😀" * 50, "a" * 4_000])
def test_what_says_nothing_has_no_theme(text: str) -> None:
    assert themes_of(text) == []


def test_a_word_inside_another_is_not_found() -> None:
    assert themes_of("Het chocolatelaatje.") == []


def test_words_may_stand_between_two_of_the_taxonomy() -> None:
    taxonomy = {Theme.PUNCTUALITY: ("kwam … laat$",)}
    [found] = themes_of("Hij kwam vandaag weer laat.", taxonomy)
    assert found.words == ("kwam vandaag weer laat",)
    assert themes_of("Hij kwam vandaag weer laatst.", taxonomy) == []
    assert themes_of("Hij kwam en een twee drie vier vijf laat.", taxonomy) == []


def test_sentences_get_the_theme_that_a_person_gives() -> None:
    assert _f1(SENTENCES) >= 0.75


def test_held_out_sentences_get_their_themes() -> None:
    held_out = [each for each in own_sentences() if each.is_held_out]
    assert len(held_out) >= 200
    for language in ("nl", "en"):
        labelled = [
            (each.text, {Theme(theme) for theme in each.themes})
            for each in held_out
            if each.language == language
        ]
        assert _f1(labelled) >= 0.75


def _f1(sentences: list[tuple[str, set[Theme]]]) -> float:
    right = wrong = missed = 0
    for text, expected in sentences:
        found = {each.theme for each in themes_of(text)}
        right += len(found & expected)
        wrong += len(found - expected)
        missed += len(expected - found)
    return 2 * right / (2 * right + wrong + missed)
