"""Letters, archives, exports and the data directory are readable by their owner alone."""

import os
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

import pytest

from api.commands.output import written
from api.embedded.data_directory import prepare
from workers.outbound.smtp import Folder

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
def generous_umask() -> Iterator[None]:
    before = os.umask(0o000)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


async def handed_over() -> None:
    """Nothing to record."""


async def test_a_letter_is_closed_to_others(tmp_path: Path) -> None:
    folder = tmp_path / "data" / "mail"
    letter = EmailMessage()
    letter["Message-ID"], letter["Subject"] = "<one@example.org>", "Hello"
    await Folder(folder).send(letter, handed_over)
    assert (mode(folder), mode(folder / "one.eml")) == (0o700, 0o600)


def test_an_export_is_closed_to_others(tmp_path: Path) -> None:
    out = tmp_path / "verdicts.csv"
    out.write_text("old")
    out.chmod(0o644)
    with written(out) as file:
        file.write(b"x")
    assert mode(out) == 0o600


def test_a_data_directory_is_made_private_and_an_old_one_is_closed(tmp_path: Path) -> None:
    data = tmp_path / "var"
    prepare(data)
    assert [mode(each) for each in (data, data / "logs")] == [0o700, 0o700]
    data.chmod(0o755)
    (data / "logs").chmod(0o755)
    prepare(data)
    assert [mode(each) for each in (data, data / "logs")] == [0o700, 0o700]


def test_a_directory_of_other_files_keeps_its_mode(tmp_path: Path) -> None:
    data = tmp_path / "shared"
    data.mkdir(mode=0o755)
    (data / "somebodys").touch()
    prepare(data)
    assert (mode(data), mode(data / "logs")) == (0o755, 0o700)
