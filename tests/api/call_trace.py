"""Record which functions of the product one request enters, and count the moves between files."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

ROOT = Path(__file__).parents[2]
PRODUCT = tuple(f"{ROOT / room}/" for room in ("domain", "schema", "realtime", "workers", "api"))
_TRACED: ContextVar[bool] = ContextVar("traced", default=False)


@dataclass(frozen=True)
class Reading:
    """Figures of one way to count."""

    entries: int
    files: int
    moves: int
    room_moves: int

    @classmethod
    def of(cls, codes: list[CodeType]) -> "Reading":
        """Count entries, files, and how often the next entry is in another file or room."""
        paths = [path_of(code) for code in codes]
        rooms = [path.split("/")[0] for path in paths]
        return cls(len(codes), len(set(paths)), _changes(paths), _changes(rooms))


@dataclass
class CallTrace:
    """Calls of one request, in order, without those of background tasks and other threads."""

    events: list[CodeType] = field(default_factory=list)
    calls: list[CodeType] = field(default_factory=list)

    def readings(self) -> dict[str, Reading]:
        """Count in four ways.

        "events" counts a coroutine again each time it goes on after an `await`, "calls" counts every call once,
        "functions" the first call of each function, and "named functions" leaves out methods with two underscores,
        comprehensions, generator expressions and lambdas.
        """
        first = list(dict.fromkeys(self.calls))
        named = [code for code in first if not code.co_name.startswith(("__", "<"))]
        return {
            "events": Reading.of(self.events),
            "calls": Reading.of(self.calls),
            "functions": Reading.of(first),
            "named functions": Reading.of(named),
        }

    def report(self) -> str:
        """Return the figures of every way to count, and the functions in order of their first call."""
        lines = [f"{name}: {reading}" for name, reading in self.readings().items()]
        before = ""
        for code in dict.fromkeys(self.calls):
            path = path_of(code)
            times = self.calls.count(code)
            lines.append(f"{'' if path == before else path:45} {code.co_qualname} × {times}")
            before = path
        return "\n".join(lines)


@contextmanager
def call_trace() -> Iterator[CallTrace]:
    """Trace the calls of this task and of tasks that it starts."""
    trace = CallTrace()
    frames: set[FrameType] = set()  # keeps them, so that no identity is used twice

    def note(frame: FrameType, event: str, _argument: Any) -> None:
        code = frame.f_code
        if event != "call" or not code.co_filename.startswith(PRODUCT) or not _TRACED.get():
            return
        trace.events.append(code)
        if frame not in frames:
            frames.add(frame)
            trace.calls.append(code)

    token = _TRACED.set(True)
    sys.setprofile(note)
    try:
        yield trace
    finally:
        sys.setprofile(None)
        _TRACED.reset(token)


def path_of(code: CodeType) -> str:
    """Return the path of a function's file in the repository."""
    return code.co_filename.removeprefix(f"{ROOT}/")


def _changes(values: list[str]) -> int:
    return sum(one != other for one, other in pairwise(values))
