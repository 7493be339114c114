"""Compilation of kernels: once per source text, cached on disk, without the GIL."""

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba
from numba.core import config

from domain.evaluator.kernels.machine_code import cache_directory

F = TypeVar("F", bound=Callable[..., object])


vars(config)["CACHE_DIR"] = cache_directory()


def kernel(function: F) -> F:
    """Decorator of kernels: compile on first call; safe in many threads, each with its own arrays."""
    return cast("F", numba.njit(cache=True, nogil=True, error_model="numpy")(function))


def leaf(function: F) -> F:
    """Decorator of functions that kernels call in their innermost loop and that allocate nothing."""
    compiled: Any = numba.njit
    return cast("F", compiled(nogil=True, error_model="numpy", _nrt=False)(function))


def step(function: F) -> F:
    """Decorator of functions that only kernels call; they are cached inside them."""
    return cast("F", numba.njit(nogil=True, error_model="numpy")(function))
