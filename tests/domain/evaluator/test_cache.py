"""Where compiled kernels are kept: in a directory that this user can write to and nobody else."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from domain.evaluator.kernels import machine_code


@pytest.fixture
def homes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """A cache home and a directory for temporary files."""
    cache, temporary = tmp_path / "cache", tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache))
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    return cache, temporary


def test_a_named_directory_comes_first_and_keeps_versions_apart(
    homes: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    by_default = Path(machine_code.cache_directory())
    assert by_default.parent == homes[0] / "waarborg" / "kernels"
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "named"))
    assert Path(machine_code.cache_directory()) == tmp_path / "named" / "kernels" / by_default.name


def test_without_a_writable_home_it_is_among_the_temporary_files(homes: tuple[Path, Path]) -> None:
    homes[0].write_text("a file, where a directory is expected")
    found = Path(machine_code.cache_directory())
    assert found.parents[1] == homes[1] / f"waarborg-{os.getuid()}"
    assert found.stat().st_mode & 0o077 == 0


def test_a_directory_that_somebody_else_made_is_not_used(
    homes: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    homes[0].write_text("a file, where a directory is expected")
    prepared = Path(machine_code.cache_directory()).parents[1]
    if os.getuid() == 0:
        os.chown(prepared, 4711, 4711)
    else:
        prepared.rename(prepared.with_name("waarborg-4711"))
        monkeypatch.setattr(os, "getuid", lambda: 4711)
    found = Path(machine_code.cache_directory())
    assert found.parent == homes[1]
    assert found.name.startswith("waarborg-kernels-")


def test_kernels_can_be_imported_where_nothing_is_writable_but_temporary_files(
    homes: tuple[Path, Path],
) -> None:
    homes[0].write_text("a file, where a directory is expected")
    told = subprocess.run(
        [
            sys.executable,
            "-c",
            "from domain.evaluator.kernels import compilation, judge; print(compilation.config.CACHE_DIR)",
        ],
        env=os.environ | {"NUMBA_CACHE_DIR": "/proc/nowhere", "TMPDIR": str(homes[1])},
        capture_output=True,
        text=True,
        check=True,
    )
    assert Path(told.stdout.strip()).is_relative_to(homes[1])


def test_kernels_are_compiled_once_that_was_noted_for_this_processor_and_compiler(
    homes: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not machine_code.is_compiled()
    machine_code.note_compiled()
    assert machine_code.is_compiled()
    monkeypatch.setattr(machine_code, "_processor", lambda: "another one")
    assert not machine_code.is_compiled()


def test_a_start_that_finds_everything_in_place_imports_no_models_and_no_compiler() -> None:
    heavy = {"sqlalchemy", "alembic", "numba", "numpy", "uvicorn"}
    script = f"import sys, api.commands.up; print(*{heavy} & {{*sys.modules}})"
    told = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert told.stdout.split() == []
