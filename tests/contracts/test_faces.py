"""A capability is imported by its package or by its model; its other modules are its own affair."""

import ast
from pathlib import Path

ROOT = Path(__file__).parents[2]
PRODUCT = ("api", "schema", "domain", "realtime", "workers")
SHARED = {"core", "access", "evaluator"}
"""Packages of `domain` that are no capability: their modules are imported one by one."""


def capabilities(root: Path) -> set[str]:
    """Return the names of the packages of `domain` that have a face."""
    return {each.parent.name for each in (root / "domain").glob("*/__init__.py")} - SHARED


def past_the_face(root: Path) -> tuple[int, list[str]]:
    """Return how many imports name a capability, and those of them that pass its face."""
    found, count, own = [], 0, capabilities(root)
    for file in (each for room in PRODUCT for each in sorted((root / room).rglob("*.py"))):
        path = file.relative_to(root)
        for node in ast.walk(ast.parse(file.read_text())):
            if not isinstance(node, ast.ImportFrom) or node.module is None:
                continue
            parts = node.module.split(".")
            if parts[0] != "domain" or len(parts) < 2 or parts[1] not in own:
                continue
            if path.parts[:2] == ("domain", parts[1]):
                continue
            count += 1
            if len(parts) > 2 and parts[2:] != ["model"]:
                found.append(f"{path}:{node.lineno}: {node.module}")
    return count, found


def test_no_import_passes_a_capabilitys_face() -> None:
    count, found = past_the_face(ROOT)
    assert count > 300
    assert found == []


def test_an_import_past_the_face_is_found(tmp_path: Path) -> None:
    for room in PRODUCT:
        (tmp_path / room).mkdir()
    for name in ("credits", "core"):
        (tmp_path / "domain" / name).mkdir()
        (tmp_path / "domain" / name / "__init__.py").touch()
    (tmp_path / "domain" / "credits" / "actions.py").write_text(
        "from domain.credits.rules import x"
    )
    (tmp_path / "workers" / "jobs.py").write_text(
        "from domain.core.db import x\nfrom domain.credits import x\nfrom domain.credits.model import x\n"
        "def later():\n    from domain.credits.rules import x\n"
    )
    assert past_the_face(tmp_path) == (3, ["workers/jobs.py:5: domain.credits.rules"])
