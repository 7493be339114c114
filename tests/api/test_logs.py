"""Logs: JSON for machines, tidy lines for whoever sits at the terminal of `up`."""

import json
import subprocess
import sys

SAY = """
import logging, structlog
from api.logs import configure_logs
configure_logs("INFO", part={part})
log = structlog.get_logger()
log.info("request", path="/graphql", status=200)
log.warning("job.failed", attempt=2, trace_id="ab")
logging.getLogger("library").warning("it %s", "creaks")
try:
    1 / 0
except ZeroDivisionError:
    log.exception("request.failed", path="/")
"""


def said(part: str | None) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", SAY.format(part=repr(part))],
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stderr.splitlines()


def test_for_people_a_line_says_who_and_what_and_nothing_of_routine() -> None:
    lines = said("worker")
    assert [line[9:] for line in lines[:3]] == [
        "worker  job.failed  attempt=2",
        "worker  it creaks",
        "worker  request.failed  path=/",
    ]
    assert lines[3] == "Traceback (most recent call last):"
    assert lines[-1] == "ZeroDivisionError: division by zero"


def test_for_machines_every_line_is_a_json_object_with_its_level() -> None:
    told = [json.loads(line) for line in said(None)]
    assert [(each["event"], each["level"]) for each in told] == [
        ("request", "info"),
        ("job.failed", "warning"),
        ("it creaks", "warning"),
        ("request.failed", "error"),
    ]
    assert told[-1]["exception"][0]["exc_type"] == "ZeroDivisionError"
