"""A file takes the place of another whole, or not at all."""

import os
from pathlib import Path

import pytest

from api.commands.output import written
from domain.core.private_files import replacing


def test_a_file_is_replaced_when_all_of_it_is_written(tmp_path: Path) -> None:
    path = tmp_path / "export.csv"
    path.write_bytes(b"old")
    with replacing(path, durable=True) as file:
        file.write(b"new")
        file.flush()
        assert path.read_bytes() == b"old"
    assert path.read_bytes() == b"new"
    assert [each.name for each in tmp_path.iterdir()] == ["export.csv"]


def test_a_file_stays_when_writing_another_fails(tmp_path: Path) -> None:
    path = tmp_path / "export.csv"
    path.write_bytes(b"old")

    def write_half() -> None:
        with replacing(path) as file:
            file.write(b"half")
            raise OSError("disk full")

    with pytest.raises(OSError, match="disk"):
        write_half()
    assert path.read_bytes() == b"old"
    assert [each.name for each in tmp_path.iterdir()] == ["export.csv"]


def test_the_first_of_two_files_stays_where_that_is_wanted(tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    for content in (b"first", b"second"):
        with replacing(path, keep_first=True) as file:
            file.write(content)
    assert path.read_bytes() == b"first"
    assert [each.name for each in tmp_path.iterdir()] == ["key.pem"]


def test_an_output_that_is_a_pipe_takes_what_is_written(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    with written(pipe) as file:
        file.write(b"rows")
    assert os.read(reader, 100) == b"rows"
    os.close(reader)
    assert pipe.is_fifo()
