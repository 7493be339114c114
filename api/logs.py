"""Logs of every process of ours on standard error, the libraries' too: one JSON object a line, or lines for people."""

import logging
import sys
from datetime import datetime
from typing import Any

import msgspec
import structlog

TALKATIVE = ("alembic", "uvicorn", "httpx2", "arq")
"""Libraries whose news is no news; their warnings are."""


ROUTINE = {"request", "socket"}
"""What happens all the time and went well: counted in /metrics, and no news to somebody at a terminal."""
_TOLD_APART = {"event", "level", "timestamp", "trace_id", "exception"}
_COLOURS = {"warning": "33", "error": "31", "critical": "31"}


def configure_logs(level: str, *, part: str | None = None) -> None:
    """Write from here on what is at least of this level; with a `part`, for people, who are told which part speaks."""

    def write(_logger: object, _name: str, event: Any) -> str:
        return msgspec.json.encode(event, enc_hook=str).decode()

    if part is not None:
        lines: Any = Lines(part, everything=level == "DEBUG", colour=sys.stderr.isatty())
        write, tracebacks = lines, structlog.processors.format_exc_info
    else:
        tracebacks = structlog.processors.dict_tracebacks
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        tracebacks,
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
        told = [f"{key}={value}" for key, value in event.items() if key not in _TOLD_APART]
        line = "  ".join([f"{at:%H:%M:%S} {self._part:6}", str(event["event"]), *told])
        if self._colour and level in _COLOURS:
            line = f"\x1b[{_COLOURS[level]}m{line}\x1b[0m"
        return "\n".join([line, *filter(None, [event.get("exception")])])
