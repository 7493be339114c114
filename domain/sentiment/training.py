"""Train heads, deterministically: cross-validated figures for each source and language, then the weights."""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import numpy as np

from domain.sentiment.features import features_of, words_of
from domain.sentiment.fitting import (
    Vector,
    Vocabulary,
    figures,
    fit_confidence,
    fit_dense,
    fit_sparse,
)
from domain.sentiment.heads import PolarityHead, sealed
from domain.sentiment.plain import ENCODER
from domain.sentiment.port import NEUTRAL_BELOW
from domain.sentiment.sources import FOLDS, SENTENCES, WORD_LIST, Example, licences
from domain.sentiment.theme_heads import ThemeHead, sealed_themes
from domain.sentiment.themes import Theme

FEWEST_TEXTS = 5
"""Texts of others that a feature must be in: a rarer one could tell whose text it was."""

FEWEST_OWN = {SENTENCES: 2, WORD_LIST: 1}
MOST_FEATURES = 16_000
PENALTY = 3.0
E5_PENALTY = 100.0
THEME_PENALTY = 300.0

Fit = Callable[[Sequence[int], Sequence[int]], Vector]
"""Trains on the examples at the first positions, and returns the polarity of those at the second."""


def train_plain(examples: Sequence[Example]) -> PolarityHead:
    """Train a head of the plain method on all examples but those held out."""
    counted = [
        Counter(each.key for each in features_of(words_of(example.text))) for example in examples
    ]
    labels, weights = arrays(examples)

    def fit(train: Sequence[int]) -> tuple[Vocabulary, Vector, float]:
        own = [counted[at] for at in train]
        fewest = [FEWEST_OWN.get(examples[at].source, FEWEST_TEXTS) for at in train]
        words = Vocabulary.of(own, fewest)
        given = (labels[train], weights[train])
        coef, start = fit_sparse(words.matrix(own), *given, penalty=PENALTY)
        if len(coef) > MOST_FEATURES:
            order = np.argsort(-np.abs(coef), kind="stable")[:MOST_FEATURES]
            keys = list(words.texts)
            words = words.only({keys[at] for at in order})
            coef, start = fit_sparse(words.matrix(own), *given, penalty=PENALTY)
        return words, np.rint(coef * 10_000), round(start, 6)

    def predict(train: Sequence[int], test: Sequence[int]) -> Vector:
        words, coef, start = fit(train)
        return words.matrix([counted[at] for at in test]).times(coef / 10_000) + start

    measured, confidence = measure(examples, predict)
    words, coef, start = fit([at for at, each in enumerate(examples) if not each.is_held_out])
    return sealed(
        PolarityHead(
            encoder=ENCODER,
            dim=len(coef),
            coef=[int(each) for each in coef],
            intercept=start,
            confidence=confidence,
            trained_on=licences([each for each in examples if not each.is_held_out]),
            figures=measured,
            features="\n".join(words.texts),
            texts=list(words.texts.values()),
            documents=words.documents,
        )
    )


def train_e5(examples: Sequence[Example], rows: Vector, encoder: str) -> PolarityHead:
    """Train a head over the rows of an encoder, one for each example, on all but those held out."""
    labels, weights = arrays(examples)

    def fit(train: Sequence[int]) -> tuple[Vector, Vector, Vector, float]:
        own = rows[train]
        mean, scale = np.round(own.mean(axis=0), 6), np.round(own.std(axis=0), 6) + 1e-6
        coef = fit_dense((own - mean) / scale, labels[train], weights[train], penalty=E5_PENALTY)
        return mean, scale, np.rint(coef[:-1] * 10_000), round(float(coef[-1]), 6)

    def predict(train: Sequence[int], test: Sequence[int]) -> Vector:
        mean, scale, coef, start = fit(train)
        return ((rows[test] - mean) / scale) @ coef / 10_000 + start

    measured, confidence = measure(examples, predict)
    mean, scale, coef, start = fit([at for at, each in enumerate(examples) if not each.is_held_out])
    return sealed(
        PolarityHead(
            encoder=encoder,
            dim=len(coef),
            coef=[int(each) for each in coef],
            intercept=start,
            confidence=confidence,
            trained_on=licences([each for each in examples if not each.is_held_out]),
            figures=measured,
            mean=[round(float(each), 6) for each in mean],
            scale=[round(float(each), 6) for each in scale],
        )
    )


def train_themes(examples: Sequence[Example], rows: Vector, encoder: str) -> ThemeHead:
    """Train weights that suggest a theme, on the own sentences with one; figures say how often the first is right."""
    own = [at for at, each in enumerate(examples) if each.source == SENTENCES and each.themes]
    rows, own_examples = rows[own], [examples[at] for at in own]
    wanted = np.array(
        [[1.0 if theme in each.themes else -1.0 for theme in Theme] for each in own_examples]
    )
    ones = np.ones(len(own))

    def fit(at: Sequence[int]) -> ThemeHead:
        mean, scale = np.round(rows[at].mean(axis=0), 6), np.round(rows[at].std(axis=0), 6) + 1e-6
        scaled = (rows[at] - mean) / scale
        found = {
            theme: fit_dense(scaled, wanted[at, column], ones[at], penalty=THEME_PENALTY)
            for column, theme in enumerate(Theme)
        }
        return ThemeHead(
            encoder=encoder,
            mean=[round(float(each), 6) for each in mean],
            scale=[round(float(each), 6) for each in scale],
            coef={
                str(theme): [int(each) for each in np.rint(coef[:-1] * 10_000)]
                for theme, coef in found.items()
            },
            intercept={str(theme): round(float(coef[-1]), 6) for theme, coef in found.items()},
            figures={},
        )

    rest = [at for at, each in enumerate(own_examples) if not each.is_held_out]
    first = np.zeros(len(own), np.int64)
    for fold in range(FOLDS):
        test = [at for at in rest if own_examples[at].fold == fold]
        head = fit([at for at in rest if own_examples[at].fold != fold])
        first[test] = head.scores(rows[test]).argmax(axis=1)
    head = fit(rest)
    held_out = [at for at, each in enumerate(own_examples) if each.is_held_out]
    first[held_out] = head.scores(rows[held_out]).argmax(axis=1)
    right = wanted[np.arange(len(own)), first] > 0
    measured = {
        name: {"n": len(at), "first": round(float(right[at].mean()), 4)}
        for name, at in (("sentences", rest), ("held out", held_out))
    }
    return sealed_themes(msgspec.structs.replace(head, figures=measured))


def measure(
    examples: Sequence[Example], predict: Fit
) -> tuple[dict[str, Any], tuple[float, float]]:
    """Return figures by source and language, and the confidence: by cross-validation, and on what is held out.

    What is held out is in no training at all; the figures of the other examples come from the folds without them.
    """
    labels, _ = arrays(examples)
    values = np.zeros(len(examples))
    rest = [at for at, each in enumerate(examples) if not each.is_held_out]
    held_out = [at for at, each in enumerate(examples) if each.is_held_out]
    for fold in range(FOLDS):
        test = [at for at in rest if examples[at].fold == fold]
        if test:
            train = [at for at in rest if examples[at].fold != fold]
            values[test] = predict(train, test)
    if held_out:
        values[held_out] = predict(rest, held_out)
    values = np.clip(values, -1, 1)
    groups: dict[str, list[int]] = {}
    for at, each in enumerate(examples):
        source = "held out" if each.is_held_out else each.source
        for name in (f"{source}, {each.language}", source):
            groups.setdefault(name, []).append(at)
    groups = {name: rows for name, rows in groups.items() if not name.startswith(WORD_LIST)}
    found = {}
    for name, rows in sorted(groups.items()):
        found[name] = figures(values[rows], labels[rows])
        if {examples[at].source for at in rows} == {SENTENCES}:
            classes = np.where(np.abs(values) < NEUTRAL_BELOW, 0, np.sign(values))[rows]
            found[name]["classes"] = round(float((classes == labels[rows]).mean()), 4)
    domain = [at for at, each in enumerate(examples) if each.source == SENTENCES] or rest
    return found, fit_confidence(values[domain], labels[domain])


def arrays(examples: Sequence[Example]) -> tuple[Vector, Vector]:
    """Return labels and weights of examples."""
    return (
        np.array([each.polarity for each in examples]),
        np.array([each.weight for each in examples]),
    )


def table(head: PolarityHead) -> str:
    """Return the figures of a head as lines of text."""
    sources = ", ".join(f"{each['texts']} {each['source']}" for each in head.trained_on)
    lines = [
        f"{head.version}: {head.dim} weights, trained on {sources}",
        f"  {'texts':<16}{'n':>6}{'polar':>7}{'sign right':>12}{'class right':>13}{'r':>8}",
    ]
    for name, found in head.figures.items():
        classes = f"{found['classes']:.3f}" if "classes" in found else ""
        lines.append(
            f"  {name:<16}{found['n']:>6}{found['polar']:>7}{found['accuracy']:>12.3f}{classes:>13}{found['r']:>8.3f}"
        )
    return "\n".join(lines)
