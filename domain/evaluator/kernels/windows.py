"""Windows over decided parts: counts, exact quantiles, Wilson bound, budget, decayed score.

Quantiles slide: the measures of a promise are ranked once, a window is a set of ranks in a bitmap,
and a part that enters or leaves flips one bit. So a window costs what enters and leaves it.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from domain.evaluator.kernels.columns import OBJECTIVE, Promises
from domain.evaluator.kernels.compilation import kernel, step
from domain.evaluator.kernels.judge import KEPT, Rows
from domain.evaluator.kernels.sort import stable_order
from domain.evaluator.kernels.working_time import DAY

HALF_LIFE_US = 30 * 86_400_000_000
LN2 = 0.6931471805599453
Z = 1.959963984540054
PPM = 1_000_000
BLOCK = 16  # words of 64 ranks that share a counter
EXACT = 1 << 52
NEGLIGIBLE = 1 << 20  # about a second; keeps the logarithms of the shortest measures together
NEAR_US = 30 * 3_600_000_000
ONE = np.uint64(1)


class Spans(NamedTuple):
    """Windows [from, until) of one zone, by kind and then by time."""

    kind: NDArray[np.uint8]  # (spans,) number of the kind
    kind_first: NDArray[np.int64]  # (kinds + 1,)
    from_us: NDArray[np.int64]  # (spans,) ascending within a kind
    until_us: NDArray[np.int64]  # (spans,) ascending within a kind
    end: NDArray[np.int64]  # (spans,) row of `ends_us` with this window's end
    ends_us: NDArray[np.int64]  # (ends,) every end once, ascending


class Decided(NamedTuple):
    """Decided parts of some groups, by τ within each; ties keep the order of the verdicts."""

    first: NDArray[np.int64]  # (groups + 1,)
    row: NDArray[np.int64]  # (parts,) row of the verdicts
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
def decided_rows(verdicts: Rows) -> NDArray[np.int64]:
    """Return the rows of decided parts in the order of τ; equal instants keep their order."""
    found, n = np.empty(verdicts.size, np.int64), 0
    tau = np.empty(verdicts.size, np.int64)
    for i in range(verdicts.size):
        if verdicts[i].decided_us >= 0:
            found[n], tau[n] = i, verdicts[i].decided_us
            n += 1
    return found[stable_order(tau[:n])]


@kernel
def decided(
    verdicts: Rows, by_tau: NDArray[np.int64], group: NDArray[np.int32], groups: int
) -> Decided:
    """Divide rows of verdicts that are ordered by τ into groups; `group` is that of each row of `by_tau`."""
    n = by_tau.size
    first = np.zeros(groups + 1, np.int64)
    for g in group:
        first[g + 1] += 1
    for g in range(groups):
        first[g + 1] += first[g]
    found = Decided(
        first,
        np.empty(n, np.int64),
        np.empty(n, np.int64),
        np.empty(n, np.int64),
        np.empty(n, np.uint8),
        np.empty(n, np.float64),
    )
    at = first[:-1].copy()
    for i in range(n):
        row, j = by_tau[i], at[group[i]]
        at[group[i]] = j + 1
        found.row[j] = row
        found.tau[j] = verdicts[row].decided_us
        found.measure[j] = verdicts[row].elapsed_us
        found.kept[j] = verdicts[row].state == KEPT
        found.quality[j] = verdicts[row].quality
    return found


@kernel
def window_rows(
    done: Decided, promises: Promises, spans: Spans, p_from: int, p_until: int
) -> WindowRows:
    """Return rows of the run p_from..p_until-1, by promise and span; `done` is grouped by promise."""
    most = 0
    for p in range(p_until - p_from):
        if done.first[p + 1] > done.first[p]:
            most += spans.from_us.size
    out, twin = empty_window_rows(most), twins(spans)
    row = 0
    for p in range(p_from, p_until):
        a, b = done.first[p - p_from], done.first[p - p_from + 1]
        if a < b:
            row = _promise(done, a, b, p, promises.terms[p, OBJECTIVE], spans, twin, out, row)
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
    """Allocate columns for at most `capacity` rows."""
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
    twin: NDArray[np.int32],
    out: WindowRows,
    row: int,
) -> int:
    tau, n = done.tau[a:b], b - a
    by_rank, rank = ranked(done.measure[a:b])
    kept = np.zeros(n + 1, np.int32)
    for i in range(n):
        kept[i + 1] = kept[i] + done.kept[a + i]
    score = decayed_scores(tau, done.quality[a:b], spans.ends_us)
    words = np.zeros(n // (64 * BLOCK) * BLOCK + BLOCK, np.uint64)
    blocks = np.empty(words.size // BLOCK, np.int32)
    row_of = np.full(spans.from_us.size, np.int32(-1))
    for kind in range(spans.kind_first.size - 1):
        low = high = 0
        words[:] = 0
        for s in range(spans.kind_first[kind], spans.kind_first[kind + 1]):
            if twin[s] >= 0:
                if row_of[twin[s]] >= 0:
                    _again(out, row_of[twin[s]], row, s)
                    row += 1
                continue
            until, since = spans.until_us[s], spans.from_us[s]
            if low < high and tau[high - 1] < since and words.size < 8 * (high - low):
                words[:] = 0  # nothing stays: cheaper than bit by bit where there are many bits
                low = high
            while low < high and tau[low] < since:
                words[rank[low] >> 6] ^= ONE << np.uint64(rank[low] & 63)
                low += 1
            while high < n and tau[high] < since:
                high += 1
                low = high
            while high < n and tau[high] < until:
                words[rank[high] >> 6] ^= ONE << np.uint64(rank[high] & 63)
                high += 1
            count = high - low
            if count == 0:
                continue
            good = int(kept[high]) - int(kept[low])
            row_of[s] = row
            # Counted here and not at every flip: a counter shared by all flips would serialize them.
            for block in range(blocks.size):
                bits = 0
                for w in range(block * BLOCK, (block + 1) * BLOCK):
                    bits += _ones(words[w])
                blocks[block] = bits
            r50, r90, r95 = ranks_at(words, blocks, count)
            out.promise[row] = p
            out.span[row] = s
            out.n[row] = count
            out.kept[row] = good
            out.p50_us[row] = by_rank[r50]
            out.p90_us[row] = by_rank[r90]
            out.p95_us[row] = by_rank[r95]
            out.misses_left[row] = (PPM - objective_ppm) * count // PPM - (count - good)
            out.ratio[row] = good / count
            out.wilson[row] = wilson_lower(good, count)
            out.budget[row] = budget_left(count - good, count, objective_ppm)
            out.score[row] = score[spans.end[s]]
            row += 1
    return row


@step
def twins(spans: Spans) -> NDArray[np.int32]:
    """Return for each window the calendar day of the same period, or -1; (spans,)."""
    found = np.full(spans.from_us.size, np.int32(-1))
    for kind in range(1, spans.kind_first.size - 1):
        day = spans.kind_first[0]
        for s in range(spans.kind_first[kind], spans.kind_first[kind + 1]):
            while day < spans.kind_first[1] and spans.until_us[day] < spans.until_us[s]:
                day += 1
            if (
                day < spans.kind_first[1]
                and spans.until_us[day] == spans.until_us[s]
                and spans.from_us[day] == spans.from_us[s]
            ):
                found[s] = day
    return found


@step
def _again(out: WindowRows, row: int, to: int, span: int) -> None:
    """Copy a row for another window."""
    out.promise[to] = out.promise[row]
    out.span[to] = span
    out.n[to] = out.n[row]
    out.kept[to] = out.kept[row]
    out.p50_us[to] = out.p50_us[row]
    out.p90_us[to] = out.p90_us[row]
    out.p95_us[to] = out.p95_us[row]
    out.misses_left[to] = out.misses_left[row]
    out.ratio[to] = out.ratio[row]
    out.wilson[to] = out.wilson[row]
    out.budget[to] = out.budget[row]
    out.score[to] = out.score[row]


@step
def ranked(measure: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Return measures in ascending order, and the position of each of them."""
    keys = measure
    if measure.max() < EXACT and measure.min() >= 0:
        keys = (measure + NEGLIGIBLE).astype(np.float64).view(np.int64)
    order = stable_order(keys)
    rank = np.empty(measure.size, np.int32)
    for i in range(measure.size):
        rank[order[i]] = i
    return measure[order], rank


@step
def ranks_at(
    words: NDArray[np.uint64], blocks: NDArray[np.int32], count: int
) -> tuple[int, int, int]:
    """Return ranks of p50, p90 and p95 among the `count` set bits, in one pass."""
    block = before = 0
    nth = (count * 50 + 99) // 100
    while nth - before > blocks[block]:
        before += blocks[block]
        block += 1
    r50 = select(words, block * BLOCK, nth - before)
    nth = (count * 90 + 99) // 100
    while nth - before > blocks[block]:
        before += blocks[block]
        block += 1
    r90 = select(words, block * BLOCK, nth - before)
    nth = (count * 95 + 99) // 100
    while nth - before > blocks[block]:
        before += blocks[block]
        block += 1
    return r50, r90, select(words, block * BLOCK, nth - before)


@step
def select(words: NDArray[np.uint64], w: int, nth: int) -> int:
    """Return the position of the nth set bit from word `w` on, counted from 1."""
    bits = _ones(words[w])
    while nth > bits:
        nth -= bits
        w += 1
        bits = _ones(words[w])
    word, at = words[w], w * 64
    for half in (32, 16, 8):
        bits = _ones(word & ((ONE << np.uint64(half)) - ONE))
        if nth > bits:
            nth -= bits
            word >>= np.uint64(half)
            at += half
    for _ in range(nth - 1):
        word &= word - ONE
    return at + _ones((word & (~word + ONE)) - ONE)


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
    """Return Σ q·2^(τ/H) / Σ 2^(τ/H) over τ < e for every end e; NaN before the first part."""
    scores = np.full(ends.size, np.nan)
    value = weight = 0.0
    i, midnight = 0, np.int64(0)  # the end of that day
    for j in range(ends.size):
        while i < tau.size and tau[i] < ends[j]:
            if i == 0 or tau[i] >= midnight:
                before, midnight = midnight, tau[i] // DAY * DAY + DAY
                fade = decay(before - midnight) if i > 0 else 0.0
                value *= fade
                weight *= fade
            w = decay(tau[i] - midnight)
            value += quality[i] * w
            weight += w
            i += 1
        if i > 0:
            scores[j] = value / weight
    return scores


@step
def decay(ago_us: int) -> float:
    """Return 2**(ago / H) for ago <= 0."""
    x = ago_us * (LN2 / HALF_LIFE_US)
    if ago_us < -NEAR_US:
        return float(np.exp2(ago_us / HALF_LIFE_US))
    square = x * x
    low = 1.0 + x + square * (1 / 2 + x * (1 / 6))
    high = 1 / 24 + x * (1 / 120) + square * (1 / 720 + x * (1 / 5040))
    return low + square * square * high


@step
def wilson_lower(kept: int, n: int) -> float:
    """Return the lower bound of the Wilson score interval, 95 % (Wilson 1927)."""
    share, square = kept / n, Z * Z
    middle = share + square / (2 * n)
    spread = Z * np.sqrt(share * (1 - share) / n + square / (4.0 * n * n))
    return float(max(0.0, (middle - spread) / (1 + square / n)))


@step
def budget_left(late: int, n: int, objective_ppm: int) -> float:
    """Return the share of the error budget that is left: exactly 0 when exactly spent, negative beyond."""
    allowed = (PPM - objective_ppm) * n
    if allowed == 0:
        return 1.0 if late == 0 else -np.inf
    return (allowed - late * PPM) / allowed
