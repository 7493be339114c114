"""Numba kernels: clocks, verdicts, windows, scores. NumPy in, NumPy out, one semantics for one and for all."""
