"""What every engine answers, and whether two of them agree."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from domain.evaluator.kernels.codes import PromiseClass
from domain.evaluator.kernels.columns import BUSINESS, INTERVALS, OPEN, Calendars
from tests.bench.log import Log

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


class Answers(NamedTuple):
    """Window rows by promise and span; per promise: open parts and the burn rate now; the late list."""

    promise: Ints
    span: Ints
    n: Ints
    kept: Ints
    p50: Ints
    p90: Ints
    p95: Ints
    score: Floats
    running: Ints
    paused: Ints
    burn: Ints  # of each promise: 0 calm, 1 page, 2 ticket
    late: Ints  # breach instants of everything late, ascending


Engine = Callable[[Log], Answers]


def disagreement(one: Answers, other: Answers) -> str | None:
    """Name the first column that differs; floats may differ by 1e-9."""
    for name, a, b in zip(Answers._fields, one, other, strict=True):
        if a.shape != b.shape:
            return f"{name}: {a.size} and {b.size} rows"
        same = np.allclose(a, b, rtol=1e-9, atol=1e-9) if name == "score" else np.array_equal(a, b)
        if not same:
            return f"{name}: differs in row {int(np.flatnonzero(a != b)[0])}"
    return None


def intervals(calendars: Calendars) -> dict[str, Ints]:
    """Working intervals of all calendars as plain columns."""
    rows: dict[str, list[Ints]] = {"calendar": [], "open": [], "close": [], "before": []}
    for k, head in enumerate(calendars.head):
        n, start = int(head[INTERVALS]), int(head[OPEN])
        assert head[BUSINESS] >= start
        rows["calendar"].append(np.full(n, k, np.int64))
        for i, name in enumerate(("open", "close", "before")):
            rows[name].append(calendars.data[start + i * n : start + (i + 1) * n])
    return {name: np.concatenate(parts) for name, parts in rows.items()}


def dimension(log: Log) -> dict[str, Ints]:
    """Terms of every promise as plain columns."""
    p = log.promises
    return {
        "promise": np.arange(p.cls.size),
        "cls": p.cls.copy(),
        "calendar": p.calendar.copy(),
        "always": log.calendars.always[p.calendar].astype(np.int64),
        "objective": p.objective_ppm.copy(),
        **{f"target{i}": p.target_us[:, i].copy() for i in range(4)},
    }


def spans(log: Log) -> dict[str, Ints]:
    """Windows as plain columns."""
    s = log.spans
    return {
        "span": np.arange(s.kind.size),
        "kind": s.kind.astype(np.int64),
        "from_us": s.from_us,
        "until_us": s.until_us,
    }


FLOW, DUE, POINT = (int(c) for c in (PromiseClass.FLOW, PromiseClass.DUE, PromiseClass.POINT))
