"""Logs of every process of ours on standard error, the libraries' too: one JSON object a line, or lines for people."""

import logging
import re
import sys
from datetime import datetime
from traceback import TracebackException
from typing import Any

import msgspec
import structlog
from structlog.tracebacks import ExceptionDictTransformer

TALKATIVE = ("alembic", "uvicorn", "httpx2", "arq")
"""Libraries of which only warnings are logged."""


ROUTINE = {"request", "socket"}
"""Frequent events without an error: counted in /metrics, and not shown on a terminal."""
_TOLD_APART = {"event", "level", "timestamp", "trace_id", "exception"}
_CONTROL = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)
_VALUES = re.compile(
    r"(DETAIL:\s*|invalid input for query argument \$\d+: |invalid input syntax for [\w ]{1,40}: |\[parameters: ).*",
    re.DOTALL,
)
_OF_THE_DATABASE = {
    "DBAPIError",
    "DataError",
    "IntegrityError",
    "InterfaceError",
    "InternalError",
    "NotSupportedError",
    "OperationalError",
    "ProgrammingError",
    "StatementError",
}
"""SQLAlchemy's errors: what caused them says the same again, with the values."""
_COLOURS = {"warning": "33", "error": "31", "critical": "31"}


def configure_logs(level: str, *, part: str | None = None) -> None:
    """Log from now on what is at least of this level; with a `part`, as lines for people that begin with that part."""

    def write(_logger: object, _name: str, event: Any) -> str:
        return msgspec.json.encode(event, enc_hook=str).decode()

    if part is not None:
        lines: Any = Lines(part, everything=level == "DEBUG", colour=sys.stderr.isatty())
        write, tracebacks = lines, structlog.processors.ExceptionRenderer(as_text)
    else:  # local variables are left out: they hold names, letters and tokens
        transformer = ExceptionDictTransformer(show_locals=False)
        tracebacks = structlog.processors.ExceptionRenderer(transformer)
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        tracebacks,
        harmless,
    ]
    number = logging.getLevelNamesMapping()[level]
    structlog.configure(
        processors=[*shared, write],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    bridge = logging.StreamHandler(sys.stderr)
    bridge.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, write],
        )
    )
    logging.basicConfig(handlers=[bridge], level=number, force=True)
    for name in TALKATIVE:
        logging.getLogger(name).setLevel(max(number, logging.WARNING))


def harmless(_logger: object, _name: str, event: Any) -> Any:
    """The event with control characters escaped, and without values that PostgreSQL quotes in its errors."""
    if isinstance(event.get("exception"), list):
        event["exception"] = _without_causes(event["exception"])
    return {key: _harmless(value, whole=key != "exception") for key, value in event.items()}


def _without_causes(chain: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Exceptions, the last one first, without the words of those that made the database's driver fail."""
    hidden = False
    for each in chain:
        if hidden:
            each["exc_value"] = "not shown"
        hidden = hidden or each.get("exc_type") in _OF_THE_DATABASE
    return chain


def _harmless(value: Any, *, whole: bool = True) -> Any:
    if isinstance(value, str):
        return escaped(without_values(value)) if whole else escaped(value, lines=True)
    if isinstance(value, dict):
        return {key: _harmless(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_harmless(each) for each in value]
    return value


def escaped(text: str, *, lines: bool = False) -> str:
    """Text on one line (on the lines it has) in which no character moves a cursor, turns its reading, or is no text."""
    parts = text.split("\n") if lines else [text]
    return "\n".join(
        _CONTROL.sub(lambda each: each[0].encode("unicode_escape").decode(), part) for part in parts
    )


def without_values(text: str) -> str:
    """An error's text without the values of a row or a statement that PostgreSQL and its driver quote."""
    return _VALUES.sub(lambda each: f"{each[1]}not shown", text)


def as_text(exc_info: Any) -> str:
    """A traceback as text; what an exception says is indented, so that it cannot pass for a line of its own."""
    whole = TracebackException(*exc_info)
    todo: list[tuple[TracebackException | None, bool]] = [(whole, False)]
    while todo:
        each, hidden = todo.pop()
        if each is None:
            continue
        said = vars(each)
        words = "not shown" if hidden else without_values(str(said.get("_str", "")))
        said["_str"] = words.replace("\n", "\n    ")
        hidden = hidden or each.exc_type.__name__ in _OF_THE_DATABASE
        todo += [
            (inner, hidden)
            for inner in (each.__cause__, each.__context__, *(each.exceptions or ()))
        ]
    return "".join(whole.format()).rstrip("\n")


class Lines:
    """Events as tidy lines, `14:02:11 worker  job.failed  attempt=2`, without what is routine."""

    def __init__(self, part: str, *, everything: bool, colour: bool) -> None:
        self._part = part
        self._everything = everything
        self._colour = colour

    def __call__(self, _logger: object, _name: str, event: Any) -> str:
        """One line in local time, and a traceback below it when there is one; raises `DropEvent` on routine."""
        level = event["level"]
        if level == "info" and event["event"] in ROUTINE and not self._everything:
            raise structlog.DropEvent
        at = datetime.fromisoformat(event["timestamp"]).astimezone()
        pairs = [f"{key}={value}" for key, value in event.items() if key not in _TOLD_APART]
        line = "  ".join([f"{at:%H:%M:%S} {self._part:6}", str(event["event"]), *pairs])
        if self._colour and level in _COLOURS:
            line = f"\x1b[{_COLOURS[level]}m{line}\x1b[0m"
        return "\n".join([line, *filter(None, [event.get("exception")])])
