"""Logs of every process of ours: one JSON object a line on standard error, the libraries' too."""

import logging
import sys
from typing import Any

import msgspec
import structlog

TALKATIVE = ("alembic", "uvicorn", "httpx2", "arq")
"""Libraries whose news is no news; their warnings are."""


def configure_logs(level: str) -> None:
    """Write from here on what is at least of this level."""

    def write(_logger: object, _name: str, event: Any) -> str:
        return msgspec.json.encode(event, enc_hook=str).decode()

    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.dict_tracebacks,
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
