"""Clients of a file as numbers: columns by their kind, standardised, or yes/no signs."""

from collections.abc import Callable
from dataclasses import dataclass
from math import isfinite, log
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from domain.churn.hazard import INTERCEPT_DEVIATION, ODDS, ODDS_DEVIATION
from domain.churn.logistic import Matrix, Prior, Vector
from domain.churn.profile import ChurnProfile, SignRule
from domain.core.column_batches import column_batches
from domain.core.errors import Code, Refused

RIDGE_DEVIATION = 1.0
"""Deviation of the coefficients of standardised columns, about which nothing is published."""
MOST_CATEGORIES = 50
"""Values of a text column above which it is not a category but a name."""


@dataclass(frozen=True, slots=True, eq=False)
class ClientTable:
    """Features of clients with their prior, and who left."""

    names: tuple[str, ...]
    x: Matrix  # (clients, 1 + features), the first column is ones
    left: NDArray[np.bool_]  # (clients,)
    prior: Prior
    left_out: tuple[str, ...]


def read_clients(
    file: Path,
    profile: ChurnProfile,
    *,
    signs: bool = False,
    progress: Callable[[float], None] = lambda _share: None,
) -> ClientTable:
    """Read the clients of a file; refused when nobody stayed, nobody left, or a column cannot be used."""
    columns: dict[str, list[Any]] = {}
    names = [sign.column for sign in profile.signs] if signs else None
    if signs and not profile.signs:
        raise _no("This profile names no signs; leave out --signs.", "profile")
    for batch, share in column_batches(file, None if names is None else [profile.outcome, *names]):
        for name, values in batch.items():
            columns.setdefault(name, []).extend(values)
        progress(share)
    if profile.outcome not in columns:
        raise _no(f"{file} has no column {profile.outcome!r}; it has {', '.join(columns)}.", "file")
    wanted = {*profile.ignore, *profile.categories, *profile.logarithms} - set(columns)
    if wanted and not signs:
        raise _no(f"{file} has no column {', '.join(sorted(map(repr, wanted)))}.", "profile")
    left = _outcomes(file, columns.pop(profile.outcome), profile)
    return _of_signs(columns, left, profile) if signs else _of_columns(columns, left, profile)


def _outcomes(file: Path, values: list[Any], profile: ChurnProfile) -> NDArray[np.bool_]:
    missing = sum(value is None or value == "" for value in values)
    if missing:
        raise _no(f"{file}: {missing:,} clients have no {profile.outcome}.", "file")
    left = np.array([str(value) in profile.leaves for value in values], dtype=bool)
    if not left.any() or left.all():
        seen = ", ".join(sorted({str(value) for value in values})[:5])
        raise _no(
            f"{file}: {profile.outcome} must hold clients that left ({', '.join(profile.leaves)}) and others; it"
            f" holds {seen}.",
            "file",
        )
    return left


def _of_signs(
    columns: dict[str, list[Any]], left: NDArray[np.bool_], profile: ChurnProfile
) -> ClientTable:
    """Return yes/no signs, with published odds as prior."""
    x = np.column_stack(
        [np.ones(len(left)), *(_sign(columns[sign.column], sign) for sign in profile.signs)]
    )
    rate = profile.base_rate
    mean = np.array([log(rate / (1 - rate)), *([log(ODDS)] * len(profile.signs))])
    deviation = np.array([INTERCEPT_DEVIATION, *([ODDS_DEVIATION] * len(profile.signs))])
    names = tuple(sign.name for sign in profile.signs)
    # Odds are those of a client with the sign against one without; the base rate is that of a client with the
    # usual number of signs, so the intercept belongs to nobody's average.
    mean[0] -= float(x[:, 1:].mean(axis=0) @ mean[1:])
    return ClientTable(names, x, left, Prior(mean, deviation), ())


def _sign(values: list[Any], sign: SignRule) -> Vector:
    if sign.among:
        return np.array([float(str(value) in sign.among) for value in values])
    numbers = _numbers(values)
    low = -np.inf if sign.at_least is None else sign.at_least
    high = np.inf if sign.below is None else sign.below
    return ((numbers >= low) & (numbers < high)).astype(np.float64)


def _of_columns(
    columns: dict[str, list[Any]], left: NDArray[np.bool_], profile: ChurnProfile
) -> ClientTable:
    """Return all columns, standardised; a missing number is the mean, and being missing is a feature of its own."""
    names: list[str] = []
    parts: list[Vector] = []
    left_out: list[str] = []
    for name, values in columns.items():
        if name in profile.ignore:
            continue
        if name not in profile.categories and _is_numeric(values):
            found = _of_numbers(name, _numbers(values), is_log=name in profile.logarithms)
        else:
            found = _of_texts(name, values)
        if not found:
            left_out.append(name)
        names += [each for each, _ in found]
        parts += [part for _, part in found]
    if not parts:
        raise _no("No column can be used: each is ignored, constant or a name.", "file")
    x = np.column_stack([np.ones(len(left)), *parts])
    deviation = np.array([np.inf, *([RIDGE_DEVIATION] * len(parts))])
    prior = Prior(np.zeros(len(deviation)), deviation)
    return ClientTable(tuple(names), x, left, prior, tuple(left_out))


def _of_numbers(name: str, numbers: Vector, *, is_log: bool) -> list[tuple[str, Vector]]:
    missing = np.isnan(numbers)
    if missing.all():
        return []
    filled = np.where(missing, np.nanmean(numbers), numbers)
    given = [(name, filled), (f"{name} is missing", missing.astype(np.float64))]
    if is_log:
        if (filled <= -1).any():
            raise _no(f"{name} has values of −1 and less, which have no logarithm.", "profile")
        given.append((f"log {name}", np.log1p(filled)))
    return [(each, _standard(part)) for each, part in given if np.ptp(part) > 0]


def _of_texts(name: str, values: list[Any]) -> list[tuple[str, Vector]]:
    """Return one column per value but the most frequent one; none for a constant or a name."""
    texts = np.array(["" if value is None else str(value) for value in values])
    found, counts = np.unique(texts, return_counts=True)
    if len(found) < 2 or len(found) > min(MOST_CATEGORIES, len(texts) / 2):
        return []
    usual = found[counts.argmax()]
    return [
        (f"{name} = {each or 'missing'}", _standard((texts == each).astype(np.float64)))
        for each in found.tolist()
        if each != usual
    ]


def _standard(part: Vector) -> Vector:
    return np.asarray((part - part.mean()) / part.std())


def _is_numeric(values: list[Any]) -> bool:
    return any(value not in (None, "") for value in values) and all(
        value in (None, "") or _is_number(value) for value in values
    )


def _is_number(value: Any) -> bool:
    try:
        return isfinite(float(value))
    except (TypeError, ValueError):
        return False


def _numbers(values: list[Any]) -> Vector:
    """Return numbers; NaN for an empty value and for one that is no number."""
    return np.array([float(each) if _is_number(each) else np.nan for each in values])


def _no(message: str, argument: str) -> Refused:
    return Refused(Code.INVALID, message, argument=argument)
