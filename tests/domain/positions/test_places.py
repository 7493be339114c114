"""The kernels of places against their slow, obvious twins, whole and in pieces."""

from itertools import pairwise
from math import isnan, nan

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.kernels import places
from domain.positions.fences import Fence, polygon

Span = tuple[float, float, float]
metres = st.floats(-200, 200).map(lambda value: round(value, 2))
steps = st.lists(
    st.tuples(st.integers(1, 120), metres, st.sampled_from([nan, 3.0, 20.0, 60.0, 150.0])),
    max_size=60,
)
walks = st.lists(st.tuples(st.integers(1, 240), metres, metres), max_size=60)
cuts = st.lists(st.integers(0, 60), max_size=4).map(sorted)


def naive_stays(track: list[Span]) -> list[Span]:
    """Read the words: look back from every fix at the run of votes that ends there."""
    votes = []
    for t, outside, accuracy in track:
        blur = places.UNSAID_M if isnan(accuracy) else accuracy
        if blur <= places.BLURRED_M:
            sure = outside > max(places.MARGIN_M, blur)
            votes.append((t, "in" if outside <= 0 else "out" if sure else "unsure"))
    found: list[Span] = []
    here, after = False, -1
    for i, (t, vote) in enumerate(votes):
        run = votes[after + 1 : i + 1]
        if not here and vote == "in":
            last_out = max((k for k, (_t, v) in enumerate(run) if v == "out"), default=-1)
            inside = [each for each, v in run[last_out + 1 :] if v == "in"]
            if len(inside) >= places.ENTER_FIXES and t - inside[0] >= places.ENTER_S:
                found.append((inside[0], t, -1.0))
                here, after = True, i
        elif here and vote == "out":
            last_other = max((k for k, (_t, v) in enumerate(run) if v != "out"), default=-1)
            out = [each for each, _v in run[last_other + 1 :]]
            if len(out) >= places.LEAVE_FIXES and t - out[0] >= places.LEAVE_S:
                found[-1] = (*found[-1][:2], out[0])
                here, after = False, i
    return found


def columns(rows: list[Span]) -> tuple[np.ndarray, ...]:
    whole = np.array(rows, np.float64).reshape(-1, 3)
    return tuple(np.ascontiguousarray(column) for column in whole.T)


def timed(rows: list[tuple[int, float, float]]) -> list[Span]:
    """Instants from the steps between them."""
    at, found = 0, []
    for step, first, second in rows:
        at += step
        found.append((float(at), first, second))
    return found


def joined(parts: list[list[Span]]) -> list[Span]:
    """Spans of pieces put together: one that lasted is told again with the same beginning."""
    found: dict[float, Span] = {}
    for part in parts:
        for span in part:
            found[span[0]] = span
    return sorted(found.values())


@settings(deadline=None, max_examples=300)
@given(steps, cuts)
def test_stays_are_what_the_words_say_whole_and_in_pieces(
    rows: list[tuple[int, float, float]], cut: list[int]
) -> None:
    track = timed(rows)
    t, outside, accuracy = columns(track)
    whole = places.stays(t, outside, accuracy, np.zeros(places.STAY))
    memory = np.zeros(places.STAY)
    edges = [0, *(min(each, len(track)) for each in cut), len(track)]
    parts = [
        list(map(tuple, places.stays(t[a:b], outside[a:b], accuracy[a:b], memory).tolist()))
        for a, b in pairwise(edges)
    ]
    expected = naive_stays(track)
    assert list(map(tuple, whole.tolist())) == expected
    assert joined(parts) == sorted(expected)


@settings(deadline=None, max_examples=200)
@given(walks, cuts)
def test_dwells_in_pieces_are_the_dwells_of_the_whole(
    rows: list[tuple[int, float, float]], cut: list[int]
) -> None:
    t, x, y = columns(timed(rows))
    whole = places.dwells(t, x / 4, y / 4, 0, np.zeros(places.DWELL))
    memory = np.zeros(places.DWELL)
    parts = []
    for a, b in pairwise([0, *(min(each, t.size) for each in cut), t.size]):
        since = int(np.searchsorted(t, memory[0])) if a else 0
        since = min(since, a)
        part = places.dwells(t[since:b], x[since:b] / 4, y[since:b] / 4, a - since, memory)
        parts.append(list(map(tuple, part.tolist())))
    assert joined(parts) == sorted(map(tuple, whole.tolist()))


@settings(deadline=None, max_examples=200)
@given(st.lists(st.tuples(metres, metres), min_size=1, max_size=20))
def test_the_kernel_and_the_fence_measure_alike(spots: list[tuple[float, float]]) -> None:
    outline = [52.0, 5.0, 52.001, 5.0, 52.0004, 5.0005, 52.001, 5.002, 52.0, 5.002]
    for fence in (Fence(52.0, 5.0, 75.0), polygon(outline)):
        corners = np.array(fence.corners).reshape(-1, 2)
        x, y = np.array(spots).T.copy()
        found = places.outside_m(x, y, corners[:, 0].copy(), corners[:, 1].copy(), fence.radius_m)
        lat = fence.lat + y / places.METRES_A_DEGREE
        lon = fence.lon + x / (places.METRES_A_DEGREE * np.cos(np.radians(fence.lat)))
        expected = [fence.distance_m(*spot) for spot in zip(lat, lon, strict=True)]
        assert found == pytest.approx(expected, abs=1e-4)


def test_somebody_at_a_desk_stands_still_and_somebody_on_a_round_does_not() -> None:
    t = np.arange(0, 3600, 10, dtype=np.float64)
    x = np.where(t < 1800, 5 * np.sin(t), (t - 1800) * 1.2)
    [span] = places.dwells(t, x, np.zeros_like(x), 0, np.zeros(places.DWELL)).tolist()
    assert span[0] == 0
    assert span[1] == places.STILL_S
    assert span[2] == pytest.approx(1800 + places.AWAY_M / 1.2, abs=10)
