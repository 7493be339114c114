"""Stable sort of integer keys: bucket distribution and exchanges; digit by digit where that is slow."""

import numpy as np
from numpy.typing import NDArray

from domain.evaluator.kernels.compilation import step

BITS = 11  # 2,048 counters stay in the first-level cache; 8 and 16 bits were slower
FEW = 48
MOVES = (
    8  # exchanges per key above which the digit sort is cheaper: keys concentrated in few buckets
)


@step
def stable_order(keys: NDArray[np.int64]) -> NDArray[np.int32]:
    """Return positions of `keys` in ascending order; equal keys keep their order."""
    n = keys.size
    order = np.arange(n).astype(np.int32)
    if n < 2:
        return order
    low, high, ascending = keys[0], keys[0], True
    for i in range(1, n):
        ascending &= keys[i - 1] <= keys[i]
        low, high = min(low, keys[i]), max(high, keys[i])
    if ascending:
        return order
    if n <= FEW:
        by_exchange(keys.copy(), order, n * n)
        return order
    # One bucket for one or two keys: one distribution nearly sorts evenly spread keys, and a
    # few exchanges complete it. Three passes over digits took twice the time.
    shift = 0
    while ((high - low) >> shift) > 2 * n:
        shift += 1
    at = np.zeros(((high - low) >> shift) + 2, np.int32)
    for i in range(n):
        at[((keys[i] - low) >> shift) + 1] += 1
    for bucket in range(at.size - 1):
        at[bucket + 1] += at[bucket]
    key = np.empty_like(keys)
    for i in range(n):
        bucket = (keys[i] - low) >> shift
        j = at[bucket]
        at[bucket] = j + 1
        key[j], order[j] = keys[i], i
    if shift > 0 and not by_exchange(key, order, MOVES * n):
        return _by_digits(keys, low, high)
    return order


@step
def by_exchange(key: NDArray[np.int64], order: NDArray[np.int32], most: int) -> bool:
    """Sort nearly sorted keys and their positions, in place; False when given up after `most` exchanges."""
    moves = 0
    for i in range(1, key.size):
        mine, its = key[i], order[i]
        if key[i - 1] <= mine:
            continue
        j = i
        while j > 0 and key[j - 1] > mine:
            key[j], order[j] = key[j - 1], order[j - 1]
            j -= 1
        key[j], order[j] = mine, its
        moves += i - j
        if moves > most:
            return False
    return True


@step
def _by_digits(keys: NDArray[np.int64], low: int, high: int) -> NDArray[np.int32]:
    """Return the stable order, sorted digit by digit, least first: the same time for any keys."""
    n = keys.size
    order, spare = np.arange(n).astype(np.int32), np.empty(n, np.int32)
    key, spare_key = keys - low, np.empty_like(keys)
    shift = 0
    while (high - low) >> shift > 0:
        at = np.zeros((1 << BITS) + 1, np.int64)
        for i in range(n):
            at[((key[i] >> shift) & ((1 << BITS) - 1)) + 1] += 1
        for digit in range(1 << BITS):
            at[digit + 1] += at[digit]
        for i in range(n):
            digit = (key[i] >> shift) & ((1 << BITS) - 1)
            j = at[digit]
            at[digit] = j + 1
            spare_key[j], spare[j] = key[i], order[i]
        key, spare_key = spare_key, key
        order, spare = spare, order
        shift += BITS
    return order
