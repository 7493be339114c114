"""The benchmarks of evaluator and ledger time functions that the product calls, and their rows name them."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PRODUCT = ("api", "domain", "schema", "workers")
BENCHES = ("evaluator", "loading")
NOT_TIMED = {"spans_of"}  # which windows there are


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def functions(module: ast.Module) -> dict[str, ast.FunctionDef]:
    return {node.name: node for node in module.body if isinstance(node, ast.FunctionDef)}


def imported(module: ast.Module) -> dict[str, str]:
    """Every name that the module imports from `domain`, and where it comes from."""
    return {
        alias.asname or alias.name: f"{node.module}.{alias.name}"
        for node in ast.walk(module)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("domain")
        for alias in node.names
    }


def calls(node: ast.AST) -> Iterator[ast.Call]:
    """Calls in the order in which they stand in the text."""
    found = [each for each in ast.walk(node) if isinstance(each, ast.Call)]
    return iter(sorted(found, key=lambda each: (each.end_lineno or 0, each.end_col_offset or 0)))


def product_calls(module: ast.Module, function: ast.AST, methods: set[str]) -> list[str]:
    """Names of the product's functions, and of the methods, that a function of the benchmark calls."""
    ours, found = imported(module), []
    local = functions(module)
    for call in calls(function):
        if isinstance(call.func, ast.Attribute) and call.func.attr in methods:
            found.append(call.func.attr)
        elif isinstance(call.func, ast.Name) and call.func.id in ours:
            found.append(ours[call.func.id].rsplit(".", 1)[1])
        elif isinstance(call.func, ast.Name) and call.func.id == "resident":
            found += product_calls(module, local[call.func.id], methods)
    return found


def called_by_the_product() -> tuple[set[str], set[str]]:
    """Functions by where they come from, and methods by name, that product code calls."""
    names, methods = set(), set()
    for room in PRODUCT:
        for path in (ROOT / room).rglob("*.py"):
            module = tree(path)
            home = ".".join(path.relative_to(ROOT).with_suffix("").parts)
            own = {name: f"{home}.{name}" for name in functions(module)}
            origin = own | imported(module)
            for call in calls(module):
                if isinstance(call.func, ast.Name) and call.func.id in origin:
                    names.add(origin[call.func.id])
                elif isinstance(call.func, ast.Attribute):
                    methods.add(call.func.attr)
                for given in call.args:  # handed to a thread
                    if isinstance(given, ast.Name) and given.id in origin:
                        names.add(origin[given.id])
    return names, methods


def methods_of_measuring() -> set[str]:
    [measuring] = [
        node
        for node in tree(ROOT / "domain/quality/rules.py").body
        if isinstance(node, ast.ClassDef) and node.name == "Measuring"
    ]
    return {
        node.name
        for node in measuring.body
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_")
    }


def test_every_row_of_ours_is_named_after_the_functions_that_it_times() -> None:
    evaluator = pytest.importorskip("tests.bench.evaluator", exc_type=ImportError)
    module = tree(ROOT / "tests/bench/evaluator.py")
    methods, local = methods_of_measuring(), functions(module)

    assert evaluator.OURS
    for label, function in evaluator.OURS.items():
        named = label.split(",")[0].split(" → ")
        timed = product_calls(module, local[function.__name__], methods)
        kept = [name for name in timed if name not in NOT_TIMED]
        assert kept == named


@pytest.mark.parametrize("bench", BENCHES)
def test_the_product_calls_what_the_benchmark_times(bench: str) -> None:
    module = tree(ROOT / f"tests/bench/{bench}.py")
    origin, methods = imported(module), methods_of_measuring()
    timed = [
        call.func for name, node in timed_functions(module, bench) for call in calls(node) if name
    ]
    called, called_methods = called_by_the_product()

    functions_used = {
        origin[each.id] for each in timed if isinstance(each, ast.Name) and each.id in origin
    }
    methods_used = {each.attr for each in timed if isinstance(each, ast.Attribute)} & methods
    assert functions_used
    assert methods_used
    assert functions_used <= called
    assert methods_used <= called_methods


def test_the_benchmark_of_the_ledger_times_what_the_product_calls() -> None:
    ledger = pytest.importorskip("tests.bench.ledger", exc_type=ImportError)
    module = tree(ROOT / "tests/bench/ledger.py")
    origin = imported(module)
    [append] = [
        node
        for node in module.body
        if isinstance(node, ast.AsyncFunctionDef) and node.name == "append"
    ]
    timed = {
        origin[call.func.id]
        for call in calls(append)
        if isinstance(call.func, ast.Name) and call.func.id in origin
    }
    called, methods = called_by_the_product()
    relayed = {
        each.func.attr
        for each in calls(tree(ROOT / "workers/relay.py"))
        if isinstance(each.func, ast.Attribute)
    }

    assert timed == {"domain.core.db.transaction", "domain.core.ledger.record"}
    assert timed <= called
    assert ledger.OURS["append"] == "transaction → record"
    assert ledger.OURS["numbered"].split()[2] in relayed
    assert ledger.OURS["shipped"].split()[2] in relayed
    assert "run" in methods


def timed_functions(module: ast.Module, bench: str) -> list[tuple[str, ast.AST]]:
    """The functions of the benchmark that the clock runs around."""
    wanted = {
        "evaluator": {"from_arrival", "resident", "everything", "latest"},
        "loading": {"timed"},
    }[bench]
    found: list[tuple[str, ast.AST]] = [
        (node.name, node)
        for node in module.body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name in wanted
    ]
    assert {name for name, _ in found} == wanted
    return found
