"""The examples of CONTRIBUTING.md, carried out on a copy of the repository: they work, and cost what the page says."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "CONTRIBUTING.md").read_text()
COLUMN, NOUN = (PAGE.split(heading)[1] for heading in ("\n## A column that is", "\n## A noun"))
COLUMN = COLUMN.split("\n## ")[0]
LEFT_OUT = shutil.ignore_patterns(
    *(".git", ".venv", "build", "var", "dist", "node_modules", "__pycache__", ".*_cache"),
    *(".hypothesis", "vendor", "*.png"),
)
WORDS = {"one": 1, "two": 2}
WARN = "the page has to say what it costs today; a larger number is no progress"


@dataclass(frozen=True)
class Block:
    """A block of the page: a new file, or the edits of an existing one."""

    path: str
    lines: tuple[str, ...]

    @property
    def added(self) -> int:
        """How many lines are written by hand."""
        return sum(line.startswith("+") for line in self.lines)


def blocks(text: str, language: str) -> Iterator[Block]:
    """The blocks of a language in a part of the page."""
    for found in re.finditer(
        rf'^```{language} title="([^"]+)"\n(.*?)^```$', text, re.MULTILINE | re.DOTALL
    ):
        yield Block(found[1], tuple(found[2].splitlines()))


def edited(text: str, block: Block) -> str:
    """Apply the edits of a block, in the order of the page; what they stand beside has to be there."""
    lines, at, waiting = text.splitlines(), -1, list[str]()
    for sign, words in ((line[:1], line[1:]) for line in block.lines):
        if sign == "+" and at < 0:
            waiting.append(words)
        elif sign == "+":
            lines.insert(at, words)
            at += 1
        else:
            found = next((n for n in range(max(at, 0), len(lines)) if fits(lines[n], words)), None)
            assert found is not None, f"CONTRIBUTING.md: {block.path} has no line {words!r}"
            if sign == "-":
                del lines[found]
                at = found
            else:
                lines[found:found] = waiting
                at = found + 1 + len(waiting)
                waiting.clear()
    return "\n".join(lines) + "\n"


def fits(line: str, words: str) -> bool:
    """Whether a line of a file is the one that the page means."""
    return line.startswith(words.removesuffix("…")) if words.endswith("…") else line == words


class Copy:
    """A copy of the repository in which an example is carried out."""

    def __init__(self, directory: Path) -> None:
        self.root = directory / "copy"
        shutil.copytree(ROOT, self.root, ignore=LEFT_OUT)

    def apply(self, text: str) -> tuple[int, int]:
        """Write the files and edits of a part of the page; how many existing files are edited, by how many lines."""
        for block in blocks(text, "python"):
            path = self.root / block.path
            assert not path.exists(), block.path
            path.parent.mkdir(exist_ok=True)
            path.write_text("\n".join(block.lines) + "\n")
        edits = list(blocks(text, "diff"))
        for block in edits:
            path = self.root / block.path
            path.write_text(edited(path.read_text(), block))
        return len({block.path for block in edits}), sum(block.added for block in edits)

    def migrate(self, message: str) -> None:
        """Generate the revision, and see that it leads to the models."""
        versions = self.root / "alembic" / "versions"
        before = set(versions.glob("*.py"))
        self.waarborg("migrate", "--revise", message, "--data", "build/check")
        [fresh] = set(versions.glob("*.py")) - before
        number = int(max(path.name[:4] for path in before)) + 1
        assert fresh.name == f"{number:04d}_{message.replace(' ', '_')}.py"
        self.python("-m", "ruff", "format", "--no-cache", "-q", str(fresh))
        self.python("-m", "ruff", "check", "--no-cache", "-q", str(fresh))
        self.waarborg("migrate", "--data", "build/check")
        self.waarborg("migrate", "--check", "--data", "build/check")

    def waarborg(self, *arguments: str) -> None:
        """Run a command of the copy."""
        self.python("-c", "from api.cli import main; main()", *arguments)

    def tests(self, *files: str) -> None:
        """Run tests of the copy."""
        self.python("-m", "pytest", "-q", "-n", "0", "-p", "no:cacheprovider", *files)

    def python(self, *arguments: str) -> None:
        """Run the interpreter in the copy, so that it imports the copy's modules."""
        environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTEST_")}
        done = subprocess.run(
            [sys.executable, *arguments],
            check=False,
            capture_output=True,
            text=True,
            cwd=self.root,
            env=environment | {"PYTHONPATH": str(self.root)},
        )
        assert done.returncode == 0, f"{arguments}\n{done.stdout[-6000:]}\n{done.stderr[-3000:]}"


@pytest.fixture
def copy(tmp_path: Path) -> Iterator[Copy]:
    made = Copy(tmp_path)
    yield made
    shutil.rmtree(made.root, ignore_errors=True)


def promised(text: str) -> int:
    """How many existing files the page says are edited by hand."""
    found = re.search(r"\*\*(\w+)\*\*", text)
    assert found
    return WORDS[found[1]]


def test_the_page_says_what_its_examples_cost() -> None:
    column = list(blocks(COLUMN, "diff"))
    assert len(column) == promised(COLUMN) <= 2, WARN
    assert sum(block.added for block in column) == 2
    noun = {block.path for block in blocks(NOUN, "diff")}
    assert len(noun) == promised(NOUN) <= 1, WARN


def test_every_edit_of_the_page_finds_its_place() -> None:
    for block in (*blocks(COLUMN, "diff"), *blocks(NOUN, "diff")):
        before = (ROOT / block.path).read_text()
        after = edited(before, block)
        removed = sum(line.startswith("-") for line in block.lines)
        grown = len(after.splitlines()) - len(before.splitlines())
        assert grown == block.added - removed, block.path


@pytest.mark.slow
def test_a_column_that_is_read_costs_what_the_page_says(copy: Copy) -> None:
    files, lines = copy.apply(COLUMN)
    copy.migrate("parking")
    for page in ("sdl", "visibility", "facts"):
        copy.waarborg(page)
    assert '"""Where to park."""' in (copy.root / "schema" / "schema.graphql").read_text()
    assert (files, lines) == (2, 2)
    sys.stdout.write(f"a readable column: {lines} lines in {files} files by hand\n")
    copy.tests(
        "tests/contracts/test_access.py",
        "tests/contracts/test_migrations.py",
        "tests/schema/test_contract.py",
    )


@pytest.mark.slow
def test_a_noun_costs_what_the_page_says(copy: Copy) -> None:
    files, lines = copy.apply(NOUN)
    fresh = [block.path for block in blocks(NOUN, "python")]
    copy.migrate("keys of sites")
    for page in ("sdl", "visibility", "facts", "rooms"):
        copy.waarborg(page)
    assert files == 1
    sys.stdout.write(f"a noun: {len(fresh)} new files, {lines} lines in {files} files by hand\n")
    edits = [block.path for block in blocks(NOUN, "diff")]
    code = [*fresh, *(path for path in edits if path.endswith(".py"))]
    copy.python("-m", "ruff", "check", "--no-cache", *code)
    copy.python("-m", "ruff", "format", "--no-cache", "--check", *fresh)
    copy.tests(
        *(f"tests/contracts/test_{name}.py" for name in ("access", "facts", "fences", "lists")),
        *(f"tests/contracts/test_{name}.py" for name in ("migrations", "names", "refusals")),
        "tests/schema/test_contract.py",
        "tests/gate/test_recorded.py",
        "tests/workers/test_site_keys.py",
    )
