"""The plain method: it answers for any text, names what decided, and does not turn what is negated."""

import csv
from pathlib import Path

import pytest

from domain.sentiment import PlainModel, Polarity, PolarityClass
from domain.sentiment.heads import FOLDER
from domain.sentiment.sources import own_sentences

PAIRS = Path(__file__).parent / "negations.tsv"


@pytest.fixture(scope="module")
def model() -> PlainModel:
    return PlainModel()


def test_the_words_that_decided_are_named_as_written(model: PlainModel) -> None:
    [found] = model.polarity(["De portier was ONBESCHOFT tegen een bezoeker."])
    assert found.of_class is PolarityClass.NEGATIVE
    assert "ONBESCHOFT" in found.words
    [found] = model.polarity(["Ik ben echt niet tevreden."])
    assert any("niet tevreden" in each for each in found.words)


@pytest.mark.parametrize(
    "text", ["", "?", "😀" * 50, "a" * 10_000, "\0", "\ud800", "goed " * 5_000]
)
def test_any_text_has_a_polarity(model: PlainModel, text: str) -> None:
    [found] = model.polarity([text])
    assert -1 <= found.value <= 1
    assert 0.5 <= found.confidence <= 1


def test_a_text_has_the_same_polarity_whatever_stands_beside_it(model: PlainModel) -> None:
    texts = [each.text for each in own_sentences()[:50]]
    together = model.polarity(texts)
    assert together == [model.polarity([text])[0] for text in texts]
    assert together == PlainModel().polarity(texts)


def test_negation_pairs_have_opposite_signs(model: PlainModel) -> None:
    """Half of the pairs negate something bad, half something good."""
    with PAIRS.open(encoding="utf-8", newline="") as lines:
        pairs = [(bad, good) for _, bad, good in csv.reader(lines, delimiter="\t")]
    assert len(pairs) == 40
    wrong = [
        (text, found.value)
        for bad, good in pairs
        for text, sign in ((bad, -1), (good, 1))
        for found in model.polarity([text])
        if found.value * sign <= 0
    ]
    assert len(wrong) <= 4, wrong


def test_held_out_sentences_are_in_no_training(model: PlainModel) -> None:
    sentences = own_sentences()
    assert len(sentences) >= 600
    held_out = [each for each in sentences if each.is_held_out]
    assert not {each.text for each in held_out} & {
        each.text for each in sentences if not each.is_held_out
    }
    for language in ("nl", "en"):
        polar = [each for each in held_out if each.polarity and each.language == language]
        found = model.polarity([each.text for each in polar])
        right = sum(_is_right(a, b.polarity) for a, b in zip(found, polar, strict=True))
        assert right / len(polar) >= 0.70, (language, right, len(polar))


def test_the_weights_are_small() -> None:
    assert (FOLDER / "plain.json").stat().st_size < 400_000


def _is_right(found: Polarity, label: float) -> bool:
    return found.value * label > 0
