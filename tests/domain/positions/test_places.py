"""The kernels of places against their slow, obvious twins, whole and in pieces."""

from itertools import pairwise
from math import isnan, nan

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.evaluator.kernels import evidence, geofence
from domain.positions.geofences import Geofence, polygon

Span = tuple[float, float, float]
metres = st.floats(-200, 200).map(lambda value: round(value, 2))
accuracies = st.sampled_from([nan, 3.0, 20.0, 60.0, 150.0])
speeds = st.sampled_from([nan, 0.0, 2.0, 5.0, 20.0])
drives = st.lists(st.tuples(st.integers(1, 120), metres, accuracies, speeds), max_size=60)
places_far_apart = st.one_of(metres, st.sampled_from([5_000.0, 5_100.0, 90_000.0]))
jumps = st.lists(st.tuples(st.integers(1, 60), places_far_apart, accuracies, speeds), max_size=60)
walks = st.lists(st.tuples(st.integers(1, 240), metres, metres), max_size=60)
cuts = st.lists(st.integers(0, 60), max_size=4).map(sorted)


Fix = tuple[
    float, float, float, float, float
]  # seconds, metres along a line, accuracy, told speed, size of the fence


def naive_says(outside: float, accuracy: float, size: float) -> str:
    blur = 10 if isnan(accuracy) else accuracy
    if outside + blur <= 0 or (outside <= 0 and blur <= size / 2):
        return "in"
    if outside > max(10, blur):
        return "out"
    return "nothing" if blur > 100 else "near"


def naive_stays(track: list[Fix], hole_s: float) -> list[tuple[float, float, float, float]]:
    """Read the words: cut the record at its holes, and look in each piece for where somebody came and went."""
    fixes = []
    for t, along, accuracy, speed, size in track:
        says = naive_says(abs(along) - size, accuracy, size)
        if says != "nothing":
            blur = 10 if isnan(accuracy) else accuracy
            fixes.append((t, along, blur, 0 if isnan(speed) else speed, says))
    pieces: list[list[tuple[float, float, float, float, str]]] = []
    for fix in fixes:
        if pieces and fix[0] - pieces[-1][-1][0] <= hole_s:
            pieces[-1].append(fix)
        else:
            pieces.append([fix])
    found = []
    for n, piece in enumerate(pieces):
        start = 0
        while (came := _came(piece, start)) is not None:
            since, proven = came
            went = _went(piece, proven)
            here = max(
                fix[0]
                for fix in piece[since:]
                if fix[4] != "out" and (went is None or fix[0] < piece[went[0]][0])
            )
            ends = -1.0 if went is None else piece[went[0]][0]
            lapsed = went is None and n + 1 < len(pieces)
            found.append(
                (piece[since][0], piece[proven][0], here if lapsed else ends, float(lapsed))
            )
            if went is None:
                break
            start = went[1] + 1
    return found


def _came(
    piece: list[tuple[float, float, float, float, str]], start: int
) -> tuple[int, int] | None:
    """Where the first stay from `start` on begins, and where it is proven."""
    inside: list[int] = []
    for i in range(start, len(piece)):
        t, along, blur, speed, says = piece[i]
        if says == "out" or (says == "in" and speed > 8):
            inside = []
        elif says == "in":
            if inside:
                first = piece[inside[0]]
                covered = (abs(along - first[1]) - blur - first[2]) / (t - first[0])
                speed = max(speed, covered)
                if covered > 8:
                    inside = []
            inside.append(i)
            held = t - piece[inside[0]][0]
            if len(inside) >= 2 and ((held >= 5 and speed <= 3) or held >= 60):
                return inside[0], i
    return None


def _went(
    piece: list[tuple[float, float, float, float, str]], proven: int
) -> tuple[int, int] | None:
    """The first of the fixes that disprove a stay, and the last."""
    run: list[int] = []
    for i in range(proven + 1, len(piece)):
        run = [*run, i] if piece[i][4] == "out" else []
        if len(run) >= 2 and piece[i][0] - piece[run[0]][0] >= 20:
            return run[0], i
    return None


def naive_credible(track: list[Fix]) -> list[bool]:
    """Read the words: a fix is believed when it can be reached from the last one believed, or with enough others."""

    def reachable(a: Fix, b: Fix) -> bool:
        blur = sum(10 if isnan(each[2]) else min(each[2], 200) for each in (a, b))
        return abs(b[1] - a[1]) - blur <= 50 + 70 * (b[0] - a[0])

    believed = [False] * len(track)
    run: list[int] = []
    apart: list[int] = []
    for i, fix in enumerate(track):
        if not run or reachable(track[run[-1]], fix):
            run, apart = [*run, i], []
            believed[i] = True
            continue
        apart = [*apart, i] if apart and reachable(track[apart[-1]], fix) else [i]
        long_enough = fix[0] - track[apart[0]][0] >= 120
        if len(apart) >= 3 and len(apart) > min(len(run), 10) and long_enough:
            for each in apart:
                believed[each] = True
            run, apart = apart, []
    return believed


def columns(rows: list[Span]) -> tuple[np.ndarray, ...]:
    whole = np.array(rows, np.float64).reshape(-1, 3)
    return tuple(np.ascontiguousarray(column) for column in whole.T)


def timed_fixes(rows: list[tuple[int, float, float, float]], size: float) -> list[Fix]:
    """Instants from the steps between them, in a fence of this size."""
    at, found = 0, []
    for step, along, accuracy, speed in rows:
        at += step
        found.append((float(at), along, accuracy, speed, size))
    return found


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


@settings(deadline=None, max_examples=400)
@given(drives, cuts, st.sampled_from([10.0, 60.0, 400.0]), st.sampled_from([60.0, 300.0]))
def test_stays_are_what_the_words_say_whole_and_in_pieces(
    rows: list[tuple[int, float, float, float]], cut: list[int], size: float, hole_s: float
) -> None:
    track = timed_fixes(rows, size)
    t, along, accuracy, speed, sizes = np.array(track, np.float64).reshape(-1, 5).T.copy()
    says = geofence.votes(np.abs(along) - sizes, sizes, accuracy)
    north = np.zeros_like(along)

    def stays(part: slice, memory: np.ndarray) -> list[tuple[float, ...]]:
        columns = (t[part], along[part], north[part], accuracy[part], speed[part], says[part])
        return list(map(tuple, geofence.stays(*columns, hole_s, memory).tolist()))

    expected = naive_stays(track, hole_s)
    assert stays(slice(None), np.zeros(geofence.STAY)) == expected
    memory = np.zeros(geofence.STAY)
    edges = [0, *(min(each, len(track)) for each in cut), len(track)]
    parts = {span[0]: span for a, b in pairwise(edges) for span in stays(slice(a, b), memory)}
    assert sorted(parts.values()) == sorted(expected)


@settings(deadline=None, max_examples=400)
@given(jumps, cuts)
def test_which_fixes_are_believed_is_what_the_words_say_whole_and_in_pieces(
    rows: list[tuple[int, float, float, float]], cut: list[int]
) -> None:
    track = timed_fixes(rows, 0.0)
    t, along, accuracy, _speed, _size = np.array(track, np.float64).reshape(-1, 5).T.copy()
    lat, lon = along / evidence.METRES_A_DEGREE, np.zeros_like(along)
    expected = naive_credible(track)
    assert evidence.credible(t, lat, lon, accuracy, 1)[0].tolist() == expected
    believed, start, support = [False] * len(track), 0, 1
    for b in [*(min(each, len(track)) for each in cut), len(track)]:
        part = slice(start, b)
        found, last, support = evidence.credible(
            t[part], lat[part], lon[part], accuracy[part], support
        )
        believed[part] = found.tolist()
        start += max(0, last)
        if last < 0:
            support = 1
    assert believed == expected


@settings(deadline=None, max_examples=200)
@given(walks, cuts)
def test_dwells_in_pieces_are_the_dwells_of_the_whole(
    rows: list[tuple[int, float, float]], cut: list[int]
) -> None:
    t, x, y = columns(timed(rows))
    whole = geofence.dwells(t, x / 4, y / 4, 0, np.zeros(geofence.DWELL))
    memory = np.zeros(geofence.DWELL)
    parts = []
    for a, b in pairwise([0, *(min(each, t.size) for each in cut), t.size]):
        since = int(np.searchsorted(t, memory[0])) if a else 0
        since = min(since, a)
        part = geofence.dwells(t[since:b], x[since:b] / 4, y[since:b] / 4, a - since, memory)
        parts.append(list(map(tuple, part.tolist())))
    assert joined(parts) == sorted(map(tuple, whole.tolist()))


@settings(deadline=None, max_examples=200)
@given(st.lists(st.tuples(metres, metres), min_size=1, max_size=20))
def test_the_kernel_and_the_fence_measure_alike(spots: list[tuple[float, float]]) -> None:
    outline = [52.0, 5.0, 52.001, 5.0, 52.0004, 5.0005, 52.001, 5.002, 52.0, 5.002]
    for fence in (Geofence(52.0, 5.0, 75.0), polygon(outline)):
        corners = np.array(fence.corners).reshape(-1, 2)
        x, y = np.array(spots).T.copy()
        found = geofence.outside_m(x, y, corners[:, 0].copy(), corners[:, 1].copy(), fence.radius_m)
        lat = fence.lat + y / geofence.METRES_A_DEGREE
        lon = fence.lon + x / (geofence.METRES_A_DEGREE * np.cos(np.radians(fence.lat)))
        expected = [fence.distance_m(*spot) for spot in zip(lat, lon, strict=True)]
        assert found == pytest.approx(expected, abs=1e-4)


def test_somebody_at_a_desk_stands_still_and_somebody_on_a_round_does_not() -> None:
    t = np.arange(0, 3600, 10, dtype=np.float64)
    x = np.where(t < 1800, 5 * np.sin(t), (t - 1800) * 1.2)
    [span] = geofence.dwells(t, x, np.zeros_like(x), 0, np.zeros(geofence.DWELL)).tolist()
    assert span[0] == 0
    assert span[1] == geofence.STILL_S
    assert span[2] == pytest.approx(1800 + geofence.AWAY_M / 1.2, abs=10)
