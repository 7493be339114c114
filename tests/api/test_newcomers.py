"""What the command line says to somebody new: one `up` a directory, exit codes as documented, a version."""

import importlib.metadata
import os
import subprocess
import sys
from pathlib import Path

import pytest

from api.commands.doctor import _port
from api.embedded.locks import only_one
from domain.core.settings import Settings
from tests.api.asking import Api, Office, Server

CHANGE = """mutation ($a: ID!, $k: String) {
  changeAccount(input: {id: $a, name: "Nieuw", idempotencyKey: $k}) { ... on Refusal { code argument } }
}"""


def waarborg(*words: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "api.cli", *words]
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=120)


def test_a_second_up_on_one_directory_is_refused_with_the_process_of_the_first(
    tmp_path: Path,
) -> None:
    with only_one(tmp_path, "up") as holder:
        assert holder is None
        second = waarborg("up", "--data", str(tmp_path), "--port", "0", "--no-live")
    assert second.returncode == 4
    assert f"process {os.getpid()}" in second.stderr
    assert "Traceback" not in second.stderr
    with only_one(tmp_path, "up") as holder:
        assert holder is None, "the lock ends with its process"


def test_the_version_is_printed() -> None:
    said = waarborg("--version")
    assert said.returncode == 0
    assert said.stdout.strip() == f"waarborg {importlib.metadata.version('waarborg')}"


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["nonsense"], 2),
        (["api", "--port", "abc"], 2),
        (["token", "--role", "nonsense"], 3),
        (["import", "incidents", "README.md", "--profile", "nonsense"], 3),
        (["company", ""], 3),
    ],
)
def test_exit_codes_are_those_of_the_page(words: list[str], code: int, tmp_path: Path) -> None:
    data = ["--data", str(tmp_path)] if len(words) > 1 else []
    assert waarborg(*words, *data).returncode == code


async def test_doctor_knows_waarborg_on_its_port(server: Server) -> None:
    import asyncio

    found = await asyncio.to_thread(_port, Settings(port=server.port))
    assert (found.state, found.remedy) == ("fine", "")
    assert "answers" in found.seen


async def test_a_blank_idempotency_key_is_refused(api: Api, office: Office) -> None:
    answer = await api.data(office.manager, CHANGE, a=office.account, k="   ")
    assert answer["changeAccount"] == {"code": "INVALID", "argument": "idempotencyKey"}
