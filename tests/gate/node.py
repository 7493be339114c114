"""Node and the packages of `tests/node`, installed once into the git-ignored build directory; absent: a clear skip."""

import fcntl
import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCRIPTS = ROOT / "tests" / "node"
PLACE = ROOT / "build" / "node"


def installed() -> Path:
    """The directory where the packages are; skips the test where there is no node, npm or registry."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("node and npm are not on this machine: clients of node are not tried")
    PLACE.mkdir(parents=True, exist_ok=True)
    with (PLACE / ".lock").open("w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        asked = (SCRIPTS / "package-lock.json").read_text()
        stamp = PLACE / ".installed"
        if not stamp.exists() or stamp.read_text() != asked:
            for name in ("package.json", "package-lock.json"):
                shutil.copy(SCRIPTS / name, PLACE / name)
            done = subprocess.run(
                ["npm", "ci", "--no-fund", "--no-audit", "--ignore-scripts"],
                check=False, cwd=PLACE, capture_output=True, text=True, timeout=300,
            )  # fmt: skip
            if done.returncode != 0:
                pytest.skip(f"npm could not install tests/node: {done.stderr[-300:]}")
            stamp.write_text(asked)
    return PLACE


def run(script: str, *arguments: str, timeout: float = 120) -> str:
    """What a script of `tests/node` prints."""
    place = installed()
    shutil.copy(SCRIPTS / script, place / script)
    done = subprocess.run(
        ["node", script, *arguments],
        check=False, cwd=place, capture_output=True, text=True, timeout=timeout, env=os.environ,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout
