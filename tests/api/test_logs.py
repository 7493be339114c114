"""Logs: JSON for machines, tidy lines for whoever sits at the terminal of `up`."""

import json
import subprocess
import sys

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from api.support.logs import as_text, harmless
from domain.core.db import connect, reason

SAY = """
import logging, structlog
from api.support.logs import configure_logs
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


FORGE = """
import structlog
from api.support.logs import configure_logs
configure_logs("INFO", part={part})
log = structlog.get_logger()
evil = "/u/\\0\\n\\x1b[2J16:00:00 worker  payout.approved\\x9b\\u202e\\ud800"
log.warning("request", path=evil, more=[evil, {{"a": evil}}])
try:
    secret = "the words of a letter"
    raise ValueError(evil + secret[:0])
except ValueError:
    log.exception("request.failed", path=evil)
"""


@pytest.mark.parametrize("part", [None, "worker"])
def test_no_character_of_a_stranger_moves_a_cursor_or_makes_a_line(part: str | None) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FORGE.format(part=repr(part))], capture_output=True, check=True
    )
    told = done.stderr.decode()
    assert "payout.approved" in told
    assert "the words of a letter" not in told.replace(FORGE, "")
    for line in told.split("\n"):
        assert not line.startswith("16:00:00 worker  payout")
        assert all(character.isprintable() for character in line), line


async def test_an_error_of_the_database_names_no_value_in_the_log_nor_in_a_row(
    system_url: str,
) -> None:
    engine = connect(system_url)
    words = ("Jan de Geheime", "an@secret.example")
    texts = []
    statements = [
        "INSERT INTO tenant (id, name) VALUES (CAST(:a AS uuid), :b)",
        "SELECT CAST(:a AS integer), CAST(:b AS text)",
        "INSERT INTO tenant (name) VALUES (CONCAT(CAST(:a AS text), CAST(:b AS text)))",
        "SELECT CONCAT(CAST(:a AS text), CAST(:b AS text)), 1/0",
    ]
    for statement in statements:
        with pytest.raises(DBAPIError) as failed:
            async with engine.begin() as connection:
                await connection.execute(text(statement), {"a": words[0], "b": words[1]})
        texts += [reason(failed.value), as_text((DBAPIError, failed.value, failed.tb))]
        texts.append(str(harmless(None, "", {"error": repr(failed.value), "level": "error"})))
    await engine.dispose()
    for said in texts:
        assert [line for line in said.splitlines() for word in words if word in line] == []
