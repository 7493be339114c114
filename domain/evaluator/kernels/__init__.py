"""Numba kernels: clocks, verdicts, windows, scores. NumPy arrays in and out, the same semantics for one and many."""
