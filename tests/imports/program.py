"""`waarborg import incidents` as a program, for a company of its own."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any
from uuid import uuid4

ROOT = Path(__file__).parents[2]
PROFILE = """
name = "{source}"
title = "Cases"
time_zone = "Europe/Amsterdam"
key = "case"

[into]
tenant = "a tenant"
account = "a client"
site = "a site"

[ticket]
opened_at = "opened"
summary = {{ column = "what", otherwise = "something" }}

[[facts]]
kind = "incident.acknowledged"
at = "answered"
optional = true

[[facts]]
kind = "incident.closed"
at = "closed"
optional = true

[calendars.always]
zone = "UTC"
always_open = true

[agreement]
reference = "cases"
title = "Cases on time"
signed_on = 2020-01-01
in_force_from = 2020-01-01T00:00:00Z

[[agreement.promises]]
name = "response"
kind = "first_response"
calendar = "always"
targets = {{ medium = {{ elapsed_s = 3600 }} }}
"""


class Program:
    """Runs the program on the tests' database."""

    def __init__(self, system_url: str, owner_url: str, redis_url: str, folder: Path) -> None:
        self.folder, self.tenant = folder, f"T {uuid4().hex[:8]}"
        self.source = f"s{uuid4().hex[:8]}"
        self._environment = os.environ | {
            "WAARBORG_DATABASE_URL": system_url,
            "WAARBORG_SYSTEM_DATABASE_URL": system_url,
            "WAARBORG_OWNER_DATABASE_URL": owner_url,
            "WAARBORG_REDIS_URL": redis_url,
        }

    @property
    def rejected(self) -> Path:
        return self.folder / "cases.csv.rejects.csv"

    def run(self, *arguments: object) -> str:
        """What the program prints when all goes well."""
        done = self._done(*arguments)
        assert done.returncode == 0, done.stdout[-2_000:] + done.stderr[-4_000:]
        return done.stdout

    def code(self, *arguments: object) -> int:
        """The program's exit code; a traceback is none."""
        done = self._done(*arguments)
        assert "Traceback" not in done.stderr
        return done.returncode

    def start(self, *arguments: object) -> subprocess.Popen[bytes]:
        """The program, running."""
        return subprocess.Popen(
            self._command(*arguments), cwd=ROOT, env=self._environment, stdin=subprocess.DEVNULL
        )

    def _command(self, *arguments: object) -> list[str]:
        program = [sys.executable, "-m", "api.cli", *map(str, arguments)]
        return [*program, "--data", str(self.folder / "data")]

    def _done(self, *arguments: object) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self._command(*arguments),
            check=False,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            cwd=ROOT,
            env=self._environment,
            timeout=300,
        )

    def profile(self, *changes: tuple[str, str], head: str = "") -> Path:
        """The profile with some pieces replaced; `head` comes before its first table."""
        text = PROFILE.format(source=self.source)
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        path = self.folder / f"{uuid4().hex[:6]}.toml"
        path.write_text(head + text, "utf-8")
        return path

    def load(self, content: str | bytes, profile: Path) -> dict[str, Any]:
        """Import a file of this content."""
        file = self.folder / "cases.csv"
        file.write_bytes(content.encode() if isinstance(content, str) else content)
        said = self.run(
            "import", "incidents", file, "--profile", profile, "--tenant", self.tenant, "--json"
        )
        found: dict[str, Any] = json.loads(said)
        return found

    def verdicts(self) -> dict[str, dict[str, str]]:
        """What is exported, by the incident's number."""
        rows = json.loads(
            self.run("export", "verdicts", "--tenant", self.tenant, "--format", "json")
        )
        return {row["external_id"]: row for row in rows}
