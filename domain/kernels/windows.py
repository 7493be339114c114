"""Windows over decided parts: counts, exact quantiles, Wilson bound, budget, decayed score.

Quantiles slide: the measures of a promise are ranked once, a window is a set of ranks in a bitmap,
and a part that enters or leaves flips one bit. So a window costs what enters and leaves it.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from domain.kernels.columns import OBJECTIVE, Promises
from domain.kernels.jit import kernel, step
from domain.kernels.judge import KEPT, Rows
from domain.kernels.order import stable_order
from domain.kernels.spans import Spans

HALF_LIFE_US = 30 * 86_400_000_000
Z = 1.959963984540054
PPM = 1_000_000
BLOCK = 32  # words of 64 ranks that share a counter
ONE = np.uint64(1)


class Decided(NamedTuple):
    """Decided parts of a run of promises, by τ within each; ties keep the order of unit and part."""

    first: NDArray[np.int64]  # (promises in the run + 1,)
    tau: NDArray[np.int64]  # (parts,) decision instant, µs
    measure: NDArray[np.int64]  # (parts,) m, µs
    kept: NDArray[np.uint8]  # (parts,) 1 = kept
    quality: NDArray[np.float64]  # (parts,) q


class WindowRows(NamedTuple):
    """One row per promise and window with n > 0."""

    promise: NDArray[np.int32]
    span: NDArray[np.int32]  # row of `Spans`
    n: NDArray[np.int64]
    kept: NDArray[np.int64]
    p50_us: NDArray[np.int64]  # nearest rank: a measure that occurred
    p90_us: NDArray[np.int64]
    p95_us: NDArray[np.int64]
    misses_left: NDArray[np.int64]  # parts that may still be late at this n; negative = overspent
    ratio: NDArray[np.float64]  # kept / n
    wilson: NDArray[np.float64]  # lower bound of the ratio, 95 %
    budget: NDArray[np.float64]  # 1 - late / ((1 - objective) n); -inf: late without a budget
    score: NDArray[np.float64]  # decayed mean quality of everything decided before the end


@kernel
def decided(rows: Rows, p_from: int, p_until: int) -> Decided:
    """Take the decided ones of `rows`, which are promises p_from..p_until-1, and order them by τ."""
    promises = p_until - p_from
    first = np.zeros(promises + 1, np.int64)
    for i in range(rows.size):
        if rows[i].decided_us >= 0:
            first[rows[i].promise - p_from + 1] += 1
    for p in range(promises):
        first[p + 1] += first[p]
    n = first[promises]
    found = Decided(
        first,
        np.empty(n, np.int64),
        np.empty(n, np.int64),
        np.empty(n, np.uint8),
        np.empty(n, np.float64),
    )
    source = np.empty(n, np.int64)
    j = 0
    for i in range(rows.size):
        if rows[i].decided_us >= 0:
            source[j] = i
            j += 1
    for p in range(promises):
        mine = source[first[p] : first[p + 1]]
        order = stable_order(rows[mine].decided_us)
        for i in range(mine.size):
            row, j = mine[order[i]], first[p] + i
            found.tau[j] = rows[row].decided_us
            found.measure[j] = rows[row].elapsed_us
            found.kept[j] = rows[row].state == KEPT
            found.quality[j] = rows[row].quality
    return found


@kernel
def window_rows(
    done: Decided, promises: Promises, spans: Spans, p_from: int, p_until: int
) -> WindowRows:
    """Rows of the run p_from..p_until-1, by promise and span."""
    most = 0
    for p in range(p_until - p_from):
        if done.first[p + 1] > done.first[p]:
            most += spans.from_us.size
    out = empty_window_rows(most)
    row = 0
    for p in range(p_from, p_until):
        a, b = done.first[p - p_from], done.first[p - p_from + 1]
        if a < b:
            row = _promise(done, a, b, p, promises.terms[p, OBJECTIVE], spans, out, row)
    return WindowRows(
        out.promise[:row],
        out.span[:row],
        out.n[:row],
        out.kept[:row],
        out.p50_us[:row],
        out.p90_us[:row],
        out.p95_us[:row],
        out.misses_left[:row],
        out.ratio[:row],
        out.wilson[:row],
        out.budget[:row],
        out.score[:row],
    )


@step
def empty_window_rows(capacity: int) -> WindowRows:
    """Columns for at most `capacity` rows."""
    return WindowRows(
        np.empty(capacity, np.int32),
        np.empty(capacity, np.int32),
        np.empty(capacity, np.int64),
        np.empty(capacity, np.int64),
        np.empty(capacity, np.int64),
        np.empty(capacity, np.int64),
        np.empty(capacity, np.int64),
        np.empty(capacity, np.int64),
        np.empty(capacity, np.float64),
        np.empty(capacity, np.float64),
        np.empty(capacity, np.float64),
        np.empty(capacity, np.float64),
    )


@step
def _promise(
    done: Decided,
    a: int,
    b: int,
    p: int,
    objective_ppm: int,
    spans: Spans,
    out: WindowRows,
    row: int,
) -> int:
    tau, n = done.tau[a:b], b - a
    order = stable_order(done.measure[a:b])
    by_rank = done.measure[a:b][order]
    rank = np.empty(n, np.int64)
    rank[order] = np.arange(n)
    kept = np.zeros(n + 1, np.int64)
    for i in range(n):
        kept[i + 1] = kept[i] + done.kept[a + i]
    score = decayed_scores(tau, done.quality[a:b], spans.ends_us)
    words = np.zeros((n >> 6) + 1, np.uint64)
    blocks = np.zeros(words.size // BLOCK + 1, np.int64)
    for kind in range(spans.kind_first.size - 1):
        low = high = 0
        for s in range(spans.kind_first[kind], spans.kind_first[kind + 1]):
            while high < n and tau[high] < spans.until_us[s]:
                r = rank[high]
                words[r >> 6] ^= ONE << np.uint64(r & 63)
                blocks[r // (64 * BLOCK)] += 1
                high += 1
            while low < high and tau[low] < spans.from_us[s]:
                r = rank[low]
                words[r >> 6] ^= ONE << np.uint64(r & 63)
                blocks[r // (64 * BLOCK)] -= 1
                low += 1
            count = high - low
            if count == 0:
                continue
            good = kept[high] - kept[low]
            out.promise[row] = p
            out.span[row] = s
            out.n[row] = count
            out.kept[row] = good
            out.p50_us[row] = by_rank[select(words, blocks, (count * 50 + 99) // 100)]
            out.p90_us[row] = by_rank[select(words, blocks, (count * 90 + 99) // 100)]
            out.p95_us[row] = by_rank[select(words, blocks, (count * 95 + 99) // 100)]
            out.misses_left[row] = (PPM - objective_ppm) * count // PPM - (count - good)
            out.ratio[row] = good / count
            out.wilson[row] = wilson_lower(good, count)
            out.budget[row] = budget_left(count - good, count, objective_ppm)
            out.score[row] = score[spans.end[s]]
            row += 1
        while low < high:
            r = rank[low]
            words[r >> 6] = np.uint64(0)
            blocks[r // (64 * BLOCK)] = 0
            low += 1
    return row


@step
def select(words: NDArray[np.uint64], blocks: NDArray[np.int64], nth: int) -> int:
    """Position of the nth set bit, counted from 1."""
    block = 0
    while nth > blocks[block]:
        nth -= blocks[block]
        block += 1
    w = block * BLOCK
    bits = _ones(words[w])
    while nth > bits:
        nth -= bits
        w += 1
        bits = _ones(words[w])
    word = words[w]
    for _ in range(nth - 1):
        word &= word - ONE
    return w * 64 + _ones((word & (~word + ONE)) - ONE)


@step
def _ones(word: np.uint64) -> int:
    """Count the set bits; LLVM knows this pattern and makes it one instruction."""
    word -= (word >> np.uint64(1)) & np.uint64(0x5555555555555555)
    word = (word & np.uint64(0x3333333333333333)) + (
        (word >> np.uint64(2)) & np.uint64(0x3333333333333333)
    )
    word = (word + (word >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return int(np.int64((word * np.uint64(0x0101010101010101)) >> np.uint64(56)))


@step
def decayed_scores(
    tau: NDArray[np.int64], quality: NDArray[np.float64], ends: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Σ q·2^(τ/H) / Σ 2^(τ/H) over τ < e for every end e; NaN before the first part.

    The sums are carried from end to end, relative to it: a fixed landmark overflows within years,
    and a recursion per part would depend on the order of arrival.
    """
    scores = np.full(ends.size, np.nan)
    value = weight = 0.0
    i = 0
    for j in range(ends.size):
        if j > 0:
            fade = np.exp2((ends[j - 1] - ends[j]) / HALF_LIFE_US)
            value *= fade
            weight *= fade
        while i < tau.size and tau[i] < ends[j]:
            w = np.exp2((tau[i] - ends[j]) / HALF_LIFE_US)
            value += quality[i] * w
            weight += w
            i += 1
        # After a century without a part both sums are 0; their ratio stays what it was.
        scores[j] = value / weight if weight > 1e-280 else scores[max(j - 1, 0)]
    return scores


@step
def wilson_lower(kept: int, n: int) -> float:
    """Lower bound of the Wilson score interval, 95 % (Wilson 1927)."""
    share, square = kept / n, Z * Z
    middle = share + square / (2 * n)
    spread = Z * np.sqrt(share * (1 - share) / n + square / (4.0 * n * n))
    return float(max(0.0, (middle - spread) / (1 + square / n)))


@step
def budget_left(late: int, n: int, objective_ppm: int) -> float:
    """Share of the error budget that is left: exactly 0 when exactly spent, negative beyond."""
    allowed = (PPM - objective_ppm) * n
    if allowed == 0:
        return 1.0 if late == 0 else -np.inf
    return (allowed - late * PPM) / allowed
