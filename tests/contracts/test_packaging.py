"""What is installed is what was written down, and our bare names are ours."""

import importlib.metadata
import re
import subprocess
import sys
import tomllib
import zipfile
from itertools import chain
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parents[2]
ROOMS = {"api", "schema", "domain", "realtime", "workers", "loadtests", "tests", "console"}
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
LOCK = (ROOT / "requirements.lock").read_text().replace("\\\n", " ").splitlines()


def test_no_other_distribution_owns_a_name_of_ours() -> None:
    owners = importlib.metadata.packages_distributions()
    strangers = {
        room: set(map(canonicalize_name, owners[room])) - {"waarborg"}
        for room in ROOMS & owners.keys()
    }
    assert not any(strangers.values()), strangers


def test_the_migrations_folder_does_not_hide_the_library() -> None:
    import alembic

    assert not (ROOT / "alembic" / "__init__.py").exists()
    assert alembic.__file__ is not None
    assert Path(alembic.__file__).parent != ROOT / "alembic"


def test_every_locked_package_is_exact_and_hashed() -> None:
    entries = [line for line in LOCK if line.strip()]
    assert len(entries) > 50
    for entry in entries:
        requirement, *hashes = entry.split(" --hash=sha256:")
        assert "==" in requirement.split(";")[0], entry[:80]
        assert hashes, f"{requirement} has no hash"
        assert all(len(each.strip()) == 64 for each in hashes), entry[:80]


def test_the_lock_names_no_place_to_download_from() -> None:
    assert not [
        line[:80] for line in LOCK if "://" in line or " @ " in line or line.startswith("-")
    ]


def test_the_lock_holds_everything_the_project_asks_for() -> None:
    locked: dict[str, set[Version]] = {}
    for line in filter(None, LOCK):
        name, _, rest = line.partition("==")
        locked.setdefault(canonicalize_name(name), set()).add(Version(rest.split()[0].rstrip(";")))
    asked = list(chain(PROJECT["dependencies"], *PROJECT["optional-dependencies"].values()))
    unmet = [
        line
        for line in asked
        if not any(
            Requirement(line).specifier.contains(version, prereleases=True)
            for version in locked.get(canonicalize_name(Requirement(line).name), ())
        )
    ]
    assert not unmet, "make lock"


def test_a_wheel_carries_the_rooms_the_migrations_and_the_console(tmp_path: Path) -> None:
    pytest.importorskip("hatchling", reason="make install brings hatchling")
    built = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)],
        check=False,
        capture_output=True,
        text=True,
        cwd=ROOT,
    )
    assert built.returncode == 0, built.stderr
    [wheel] = tmp_path.glob("*.whl")
    archive = zipfile.ZipFile(wheel)
    names = set(archive.namelist())
    info = f"waarborg-{PROJECT['version']}.dist-info"
    assert "License-Expression: Apache-2.0" in archive.read(f"{info}/METADATA").decode()
    assert archive.read(f"{info}/licenses/LICENSE") == (ROOT / "LICENSE").read_bytes()
    assert {"api/cli.py", "api/_alembic/env.py", "api/_alembic/script.py.mako"} <= names
    assert any(name.startswith("api/_alembic/versions/") for name in names)
    assert any(name.startswith("api/_console/") for name in names)
    assert {name.split("/")[0] for name in names if "/" in name} == {
        *("api", "schema", "domain", "realtime", "workers"),
        info,
    }


def test_the_image_is_built_with_every_file_that_the_project_names() -> None:
    sent = set((ROOT / "deploy" / "Dockerfile.dockerignore").read_text().splitlines())
    assert PROJECT["license-files"] == ["LICENSE", "NOTICE"]
    for name in (PROJECT["readme"], *PROJECT["license-files"], "pyproject.toml", "alembic"):
        assert f"!{name}" in sent, f"{name} is missing in deploy/Dockerfile.dockerignore"


@pytest.mark.parametrize(
    ("path", "needle"),
    [
        (".editorconfig", "root = true"),
        (".gitattributes", "eol=lf"),
        (".pre-commit-config.yaml", ".venv/bin/ruff"),
        ("SECURITY.md", "## Supported versions"),
        ("LICENSE", "Version 2.0, January 2004"),
    ],
)
def test_the_repository_has_what_a_contributor_looks_for(path: str, needle: str) -> None:
    assert needle in (ROOT / path).read_text()


def test_hooks_before_a_commit_download_nothing() -> None:
    hooks = (ROOT / ".pre-commit-config.yaml").read_text()
    assert set(re.findall(r"repo: (\S+)", hooks)) == {"local"}
    assert set(re.findall(r"language: (\S+)", hooks)) == {"system"}
