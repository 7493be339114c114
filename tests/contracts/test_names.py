"""Modules say what they are, no name stands for nothing in particular, and a class name means one class."""

import ast
import re
from collections import defaultdict
from pathlib import Path

from api.commands import rooms

ROOT = Path(__file__).parents[2]
ROOMS = ("api", "schema", "domain", "realtime", "workers", "loadtests", "tests", "alembic")
NOTHING = {
    *("util", "utils", "helper", "helpers", "common", "manager", "managers", "service", "services"),
    *("repository", "repositories", "handler", "handlers", "processor", "processors", "misc"),
    *("told", "whose", "thing", "wishes", "again", "later", "apart"),
}
PRODUCT = ("api", "schema", "domain", "realtime", "workers")
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


def homonyms(rooms: tuple[str, ...]) -> dict[str, list[str]]:
    """Class names that stand for several classes, without GraphQL types that mirror the row of their name."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for path in (each for each in MODULES if named(each).split("/")[0] in rooms):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ClassDef):
                found[node.name].append(named(path))
    return {name: paths for name, paths in found.items() if len(paths) > 1 and not mirrors(paths)}


def mirrors(paths: list[str]) -> bool:
    """Whether these are a row of the domain and the GraphQL type that shows it."""
    return sorted(path.split("/")[0] for path in paths) == ["domain", "schema"]


def test_a_class_name_is_used_once() -> None:
    assert homonyms(PRODUCT) == {}, "give one of them a name that says which one it is"


def test_a_type_may_mirror_the_row_of_its_name_and_nothing_else_may() -> None:
    assert mirrors(["schema/sites.py", "domain/accounts/model.py"])
    assert not mirrors(["domain/imports/arrival.py", "domain/positions/events.py"])
    assert not mirrors(["schema/a.py", "domain/b.py", "domain/c.py"])


def test_the_page_of_rooms_names_every_package_once() -> None:
    page = (ROOT / "docs" / "rooms.md").read_text()
    assert page == rooms.page(), "run `waarborg rooms`"
    rows = re.findall(r"^\| `([a-z_/]+)/` \|", page, re.MULTILINE)
    packages = {
        named(path.parent) for room in PRODUCT for path in (ROOT / room).glob("*/__init__.py")
    }
    assert len(packages) > 30
    assert sorted(name for name in rows if "/" in name) == sorted(packages)
