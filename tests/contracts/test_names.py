"""Modules say what they are, and are not called after nothing in particular."""

import ast
from pathlib import Path

ROOT = Path(__file__).parents[2]
ROOMS = ("api", "schema", "domain", "realtime", "workers", "loadtests", "tests", "alembic")
NOTHING = {
    *("util", "utils", "helper", "helpers", "common", "manager", "managers", "service", "services"),
    *("repository", "repositories", "handler", "handlers", "processor", "processors", "misc"),
}
MODULES = sorted(path for room in ROOMS for path in (ROOT / room).rglob("*.py"))


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_a_module_begins_with_what_it_is() -> None:
    assert MODULES
    assert not [
        named(path) for path in MODULES if not ast.get_docstring(ast.parse(path.read_text()))
    ]


def test_a_module_is_named_after_what_it_holds() -> None:
    words = {
        named(path): set(named(path.with_suffix("")).replace("_", "/").split("/"))
        for path in MODULES
    }
    assert not [name for name, said in words.items() if said & NOTHING]
