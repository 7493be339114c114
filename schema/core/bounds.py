"""Bounds of argument values, checked for every field and mutation, so that no rule has to handle values beyond them.

A value out of bounds is refused with the name of its argument in the schema.
"""

import inspect
import math
import re
from collections.abc import Callable, Hashable, Mapping
from datetime import date, datetime, time
from functools import cache, wraps
from typing import Any

from domain.core.bounds import (
    EARLIEST,
    FIRST_INSTANT,
    LAST_INSTANT,
    LATEST,
    MAX_ITEMS,
    MAX_NOTED_CENTS,
    MAX_SECONDS,
)
from domain.core.errors import Code, Refused
from schema.core.scalars import wire_name

_PLAIN = re.compile("[\x00\ud800-\udfff]")
_BY_ITSELF: set[Hashable] = set()


def must_be_bounded(arguments: Mapping[str, Any]) -> None:
    """Refuse arguments with a value out of bounds, at any depth."""
    for name, value in arguments.items():
        _check(name, value)


def each_by_itself(kind: type) -> None:
    """Exclude inputs of this type: their own rules check each item alone."""
    _BY_ITSELF.add(kind)


def bounded(function: Any) -> Any:
    """Wrap a resolver so that it refuses arguments out of bounds first; without arguments, return it unchanged."""
    if not inspect.signature(function).parameters.keys() - {"row", "ctx", "info"}:
        return function
    if inspect.isasyncgenfunction(function):

        @wraps(function)
        async def stream(*given: Any, **arguments: Any) -> Any:
            must_be_bounded(arguments)
            async for each in function(*given, **arguments):
                yield each

        return stream
    if inspect.iscoroutinefunction(function):

        @wraps(function)
        async def later(*given: Any, **arguments: Any) -> Any:
            must_be_bounded(arguments)
            return await function(*given, **arguments)

        return later

    @wraps(function)
    def now(*given: Any, **arguments: Any) -> Any:
        must_be_bounded(arguments)
        return function(*given, **arguments)

    return now


def _check(name: str, value: Any) -> None:
    check = _CHECKS.get(type(value))
    if check is not None:
        check(name, value)
    elif isinstance(value, list):
        if len(value) > MAX_ITEMS:
            raise _refused(name, f"has {len(value):,} items; the maximum is {MAX_ITEMS:,}")
        for each in value:
            _check(name, each)
    elif isinstance(value, dict):
        for key, each in value.items():
            _text(name, key)
            _check(name, each)
    elif _is_input(type(value)):  # type: ignore[arg-type]  # a type is hashable
        must_be_bounded(vars(value))


@cache
def _is_input(kind: Hashable) -> bool:
    definition = getattr(kind, "__strawberry_definition__", None)
    return getattr(definition, "is_input", False) and kind not in _BY_ITSELF


def _instant(name: str, at: datetime) -> None:
    if not FIRST_INSTANT <= at <= LAST_INSTANT:
        raise _refused(name, f"must lie between {EARLIEST.year} and {LATEST.year}")


def _day(name: str, on: date) -> None:
    if not EARLIEST <= on <= LATEST:
        raise _refused(name, f"must lie between {EARLIEST.year} and {LATEST.year}")


def _time(name: str, at: time) -> None:
    if at.tzinfo is not None:
        raise _refused(name, "must be a local time of day, without a zone")


def _text(name: str, words: str) -> None:
    if _PLAIN.search(words):
        raise _refused(name, "contains a character that is not text (NUL or an unpaired surrogate)")


def _whole(name: str, number: int) -> None:
    if name.endswith("_cents") and abs(number) > MAX_NOTED_CENTS:
        raise _refused(name, f"must be at most {MAX_NOTED_CENTS // 100:,} in whole currency units")
    if name.endswith("_s") and not 0 <= number <= MAX_SECONDS:
        raise _refused(name, "must be 0 to ten years")


def _fraction(name: str, number: float) -> None:
    if not math.isfinite(number):
        raise _refused(name, "must be a finite number")
    if name.endswith("_s") and not 0 <= number <= MAX_SECONDS:
        raise _refused(name, "must be 0 to ten years")


def _refused(name: str, why: str) -> Refused:
    argument = wire_name(name)
    return Refused(Code.INVALID, f"{argument} {why}.", argument=argument)


_CHECKS: dict[type, Callable[[str, Any], None]] = {
    datetime: _instant,
    date: _day,
    time: _time,
    str: _text,
    int: _whole,
    float: _fraction,
}
