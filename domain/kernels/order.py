"""Stable order of integer keys: radix where there are many, insertion where there are few."""

import numpy as np
from numpy.typing import NDArray

from domain.kernels.jit import step

BITS = 11  # 2,048 counters stay in the first-level cache; 8 and 16 bits were slower
FEW = 48


@step
def stable_order(keys: NDArray[np.int64]) -> NDArray[np.int64]:
    """Positions of `keys` in ascending order; equal keys keep their order."""
    n = keys.size
    order = np.arange(n)
    if n < 2:
        return order
    low, high, ascending = keys[0], keys[0], True
    for i in range(1, n):
        ascending &= keys[i - 1] <= keys[i]
        low, high = min(low, keys[i]), max(high, keys[i])
    if ascending:
        return order
    if n <= FEW:
        for i in range(1, n):
            j = i
            while j > 0 and keys[order[j - 1]] > keys[i]:
                order[j] = order[j - 1]
                j -= 1
            order[j] = i
        return order
    # Three digits of the leading bits nearly sort; a few exchanges do the rest, or all digits do.
    width = 0
    while (high - low) >> width > 0:
        width += 1
    order = _by_digits(keys, low, max(0, width - 3 * BITS), width)
    if width <= 3 * BITS:
        return order
    moves = 0
    for i in range(1, n):
        mine = order[i]
        j = i
        while j > 0 and keys[order[j - 1]] > keys[mine]:
            order[j] = order[j - 1]
            j -= 1
        order[j] = mine
        moves += i - j
        if moves > n:
            return _by_digits(keys, low, 0, width)
    return order


@step
def _by_digits(keys: NDArray[np.int64], low: int, shift: int, width: int) -> NDArray[np.int64]:
    """Stable order by the bits shift..width-1 of key - low, least digit first."""
    n = keys.size
    order, spare = np.arange(n), np.empty(n, np.int64)
    key, spare_key = keys - low, np.empty_like(keys)
    while shift < width:
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
