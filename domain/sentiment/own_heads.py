"""Train the weights of a company: those of the program, moved towards the company's own scored texts."""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from domain.sentiment.e5 import DIMENSIONS, E5Model, embed
from domain.sentiment.features import features_of, words_of
from domain.sentiment.fitting import Vector, Vocabulary, fit_dense, fit_sparse
from domain.sentiment.heads import PolarityHead, read_head, sealed
from domain.sentiment.plain import PlainModel
from domain.sentiment.port import PolarityModel, SentimentMethod
from domain.sentiment.sources import fold_of

FEWEST_OWN_TEXTS = 50
"""Own scored texts below which the weights of the program stay as they are."""
_PENALTY = {SentimentMethod.PLAIN: 3.0, SentimentMethod.E5: 100.0}
_FOLDS = 5

Moved = tuple[Vector, float]
"""What is added to the weights, and to the intercept."""


class OwnText(NamedTuple):
    """A text of a client with the polarity of the score beside it; texts of one author are one group."""

    text: str
    polarity: float
    weight: float
    group: str


class OwnHead(NamedTuple):
    """Weights of a company, and the mean squared errors before and after by cross-validation."""

    head: PolarityHead
    error_before: float
    error_after: float


def train_own(base: PolarityModel, own: Sequence[OwnText]) -> OwnHead:
    """Minimise Σ w(y − xβ)² + λ‖β − β₀‖², where β₀ are the weights of `base`; raises `ValueError` below 50 texts."""
    if len(own) < FEWEST_OWN_TEXTS:
        raise ValueError(f"{len(own)} own texts are too few; {FEWEST_OWN_TEXTS} are needed")
    labels = np.array([each.polarity for each in own])
    weights = np.array([each.weight for each in own])
    start, fit, predict = (_dense if base.method is SentimentMethod.E5 else _sparse)(base, own)
    rest = labels - start
    folds = np.array([fold_of(each.group, _FOLDS) for each in own])
    after = start.copy()
    for fold in range(_FOLDS):
        test = np.flatnonzero(folds == fold)
        train = np.flatnonzero(folds != fold)
        if len(test) and len(train):
            after[test] += predict(fit(train, rest[train], weights[train]), test)
    coef, intercept = fit(np.arange(len(own)), rest, weights)
    head = base.head
    moved = msgspec.structs.replace(
        head,
        coef=[int(each) for each in np.rint(np.array(head.coef) + coef * 10_000)],
        intercept=round(head.intercept + intercept, 6),
        trained_on=[*head.trained_on, {"source": "own texts", "texts": len(own)}],
        figures={},
    )
    return OwnHead(sealed(moved), _error(start, labels, weights), _error(after, labels, weights))


def model_with(method: SentimentMethod, content: bytes, base: PolarityHead) -> PolarityModel:
    """Return the model with stored weights; raise UnusableHeadError when these do not fit or were changed."""
    if method is SentimentMethod.PLAIN:
        return PlainModel(read_head(content, encoder=base.encoder))
    return E5Model(read_head(content, encoder=base.encoder, dim=DIMENSIONS))


_Rows = NDArray[np.int64]
_Fit = Callable[[_Rows, Vector, Vector], Moved]
_Predict = Callable[[Moved, _Rows], Vector]


def _dense(base: PolarityModel, own: Sequence[OwnText]) -> tuple[Vector, _Fit, _Predict]:
    head = base.head
    rows = (embed([each.text for each in own]) - np.array(head.mean)) / np.array(head.scale)
    nothing = np.zeros(head.dim + 1)

    def fit(at: _Rows, rest: Vector, weights: Vector) -> Moved:
        found = fit_dense(rows[at], rest, weights, penalty=_PENALTY[base.method], prior=nothing)
        return found[:-1], float(found[-1])

    def predict(moved: Moved, at: _Rows) -> Vector:
        found: Vector = rows[at] @ moved[0] + moved[1]
        return found

    return rows @ (np.array(head.coef) / 10_000) + head.intercept, fit, predict


def _sparse(base: PolarityModel, own: Sequence[OwnText]) -> tuple[Vector, _Fit, _Predict]:
    """Use the features of the program only: a word of a client never becomes one."""
    head = base.head
    names = head.features.split("\n")
    words = Vocabulary(dict(zip(names, head.texts, strict=True)), head.documents)
    counted = [
        Counter(each.key for each in features_of(words_of(own_text.text))) for own_text in own
    ]

    def fit(at: _Rows, rest: Vector, weights: Vector) -> Moved:
        matrix = words.matrix([counted[each] for each in at])
        penalty = _PENALTY[base.method]
        return fit_sparse(matrix, rest, weights, penalty=penalty, on_intercept=penalty)

    def predict(moved: Moved, at: _Rows) -> Vector:
        return words.matrix([counted[each] for each in at]).times(moved[0]) + moved[1]

    start = words.matrix(counted).times(np.array(head.coef) / 10_000) + head.intercept
    return start, fit, predict


def _error(values: Vector, labels: Vector, weights: Vector) -> float:
    return float((weights * (np.clip(values, -1, 1) - labels) ** 2).sum() / weights.sum())
