"""Who may know whom, as `pyproject.toml` says it, holds for every import there is."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
LINT = (
    "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(cache_dir=None))"
)
CAPABILITIES = (
    "agreements",
    "archive",
    "calendars",
    "incidents",
    "positions",
    "promises",
    "quality",
    "reports",
)


def lint(directory: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", LINT],
        check=False,
        capture_output=True,
        text=True,
        cwd=directory,
        env=os.environ | {"PYTHONPATH": str(directory)},
    )


def test_every_import_keeps_to_the_layers() -> None:
    seen = lint(ROOT)
    assert seen.returncode == 0, seen.stdout + seen.stderr
    assert "0 broken" in seen.stdout


def test_an_import_upwards_is_seen(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text((ROOT / "pyproject.toml").read_text())
    for room in ("api", "schema", "domain", "realtime", "workers", "loadtests"):
        (tmp_path / room).mkdir()
        (tmp_path / room / "__init__.py").touch()
    (tmp_path / "domain" / "evaluator" / "kernels").mkdir(parents=True)
    (tmp_path / "domain" / "evaluator" / "__init__.py").touch()
    (tmp_path / "domain" / "evaluator" / "kernels" / "__init__.py").write_text("import asyncio\n")
    for room in CAPABILITIES:
        (tmp_path / "domain" / room).mkdir()
        (tmp_path / "domain" / room / "__init__.py").touch()
    (tmp_path / "domain" / "promises" / "rules.py").write_text("import workers\n")
    seen = lint(tmp_path)
    assert seen.returncode == 1
    assert "2 broken" in seen.stdout, seen.stdout
