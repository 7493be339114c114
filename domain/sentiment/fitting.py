"""Fit linear heads: ridge regression over sparse features or over dense ones, and the confidence of its signs."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from domain.sentiment.features import Feature
from domain.sentiment.plain import idf, weighted

Vector = NDArray[np.float64]
STEPS = 60


@dataclass(frozen=True, slots=True)
class Sparse:
    """A matrix of texts by features, as its entries that are not zero."""

    row: NDArray[np.int64]
    column: NDArray[np.int64]
    value: Vector
    shape: tuple[int, int]

    def times(self, weights: Vector) -> Vector:
        """Return the product with a weight for each feature."""
        return _sums(self.row, self.value * weights[self.column], self.shape[0])

    def transposed_times(self, weights: Vector) -> Vector:
        """Return the product with a weight for each text."""
        return _sums(self.column, self.value * weights[self.row], self.shape[1])


def _sums(group: NDArray[np.int64], values: Vector, groups: int) -> Vector:
    return np.bincount(group, values, minlength=groups).astype(np.float64)


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Features in order, with the number of texts that contain each."""

    texts: dict[str, int]
    documents: int

    @classmethod
    def of(cls, counted: Sequence[Counter[str]], fewest: Sequence[int]) -> "Vocabulary":
        """Keep what at least one text asks for: `fewest` is the number of texts that a feature of it must be in."""
        total: Counter[str] = Counter()
        lowest: dict[str, int] = {}
        for counts, least in zip(counted, fewest, strict=True):
            total.update(counts.keys())
            for key in counts:
                lowest[key] = min(least, lowest.get(key, least))
        kept = {key: total[key] for key in sorted(total) if total[key] >= lowest[key]}
        return cls(kept, len(counted))

    def only(self, keys: set[str]) -> "Vocabulary":
        """Return the vocabulary of these features."""
        return Vocabulary(
            {key: count for key, count in self.texts.items() if key in keys}, self.documents
        )

    def matrix(self, counted: Sequence[Counter[str]]) -> Sparse:
        """Return texts as rows; words and parts of words have length one each."""
        number = {key: at for at, key in enumerate(self.texts)}
        rows: list[int] = []
        columns: list[int] = []
        values: list[float] = []
        for row, counts in enumerate(counted):
            blocks: tuple[list[tuple[int, float]], list[tuple[int, float]]] = ([], [])
            for key, count in counts.items():
                if key in number:
                    value = weighted(count) * idf(self.texts[key], self.documents)
                    blocks[Feature(key, 0, 0).is_part].append((number[key], value))
            for block in blocks:
                length = sum(value * value for _, value in block) ** 0.5
                for column, value in block:
                    rows.append(row)
                    columns.append(column)
                    values.append(value / length)
        return Sparse(
            np.array(rows, np.int64),
            np.array(columns, np.int64),
            np.array(values),
            (len(counted), len(number)),
        )


def fit_sparse(
    matrix: Sparse, labels: Vector, weights: Vector, *, penalty: float, on_intercept: float = 0.0
) -> tuple[Vector, float]:
    """Return weights and intercept of a ridge regression, by conjugate gradients; all zero for labels of zero."""

    def normal(solution: Vector) -> Vector:
        left = weights * (matrix.times(solution[:-1]) + solution[-1])
        pulled = left.sum() + on_intercept * solution[-1]
        return np.append(matrix.transposed_times(left) + penalty * solution[:-1], pulled)

    solution = np.zeros(matrix.shape[1] + 1)
    rest = np.append(matrix.transposed_times(weights * labels), (weights * labels).sum())
    step, size = rest.copy(), rest @ rest
    for _ in range(STEPS):
        if size < 1e-10:
            break
        image = normal(step)
        length = size / (step @ image)
        solution += length * step
        rest -= length * image
        before, size = size, rest @ rest
        step = rest + size / before * step
    return solution[:-1], float(solution[-1])


def fit_dense(
    rows: Vector,
    labels: Vector,
    weights: Vector,
    *,
    penalty: float,
    prior: Vector | None = None,
) -> Vector:
    """Return weights with the intercept last: minimal weighted squares + penalty · |weights − prior|²."""
    padded = np.column_stack([rows, np.ones(len(rows))])
    start = np.zeros(padded.shape[1]) if prior is None else prior
    loss = np.full(padded.shape[1], penalty)
    loss[-1] = 1e-6 if prior is None else penalty
    normal = padded.T @ (padded * weights[:, None]) + np.diag(loss)
    solved: Vector = np.linalg.solve(normal, padded.T @ (weights * (labels - padded @ start)))
    return start + solved


def fit_confidence(values: Vector, labels: Vector) -> tuple[float, float]:
    """Return slope and intercept of the probability that a sign is right, from texts that were not trained on."""
    is_polar = labels != 0
    size = np.abs(values[is_polar])
    is_right = (np.sign(values) == np.sign(labels))[is_polar].astype(np.float64)
    rows = np.column_stack([size, np.ones(len(size))])
    found = np.zeros(2)
    for _ in range(50):
        guess = 1 / (1 + np.exp(-(rows @ found)))
        spread = guess * (1 - guess) + 1e-9
        found = found + np.linalg.solve(
            rows.T @ (rows * spread[:, None]) + 1e-3 * np.eye(2),
            rows.T @ (is_right - guess) - 1e-3 * found,
        )
    return round(float(found[0]), 4), round(float(found[1]), 4)


def figures(values: Vector, labels: Vector) -> dict[str, Any]:
    """Return how well values follow labels: share of right signs, of right classes, and Pearson's r."""
    is_polar = labels != 0
    found: dict[str, Any] = {"n": len(labels), "polar": int(is_polar.sum())}
    right = np.sign(values[is_polar]) == np.sign(labels[is_polar])
    found["accuracy"] = round(float(right.mean()), 4)
    found["r"] = round(float(np.corrcoef(values, labels)[0, 1]), 4)
    return found
