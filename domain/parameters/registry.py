"""Registry of parameters: a capability declares its own in `domain/<capability>/parameters.py`.

`domain.parameters` imports no capability that has parameters, so the definitions are collected when they are first
needed.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pkgutil import iter_modules

import domain
from domain.parameters.definitions import ParameterDefinition

_added: list[ParameterDefinition] = []


@cache
def definitions() -> dict[str, ParameterDefinition]:
    """Return the definitions of all parameters by name, in alphabetical order. A name is declared once."""
    packages = [f"domain.{each.name}" for each in iter_modules(domain.__path__) if each.ispkg]
    modules = [f"{name}.parameters" for name in packages if find_spec(f"{name}.parameters")]
    found = [each for name in modules for each in import_module(name).PARAMETERS]
    known: dict[str, ParameterDefinition] = {}
    for each in sorted([*found, *_added], key=lambda definition: definition.name):
        if each.name in known:
            raise ValueError(f"the parameter {each.name} is declared twice")
        known[each.name] = each
    return known


@contextmanager
def including(definition: ParameterDefinition) -> Iterator[None]:
    """Add a definition for a while."""
    _added.append(definition)
    definitions.cache_clear()
    try:
        definitions()
        yield
    finally:
        _added.remove(definition)
        definitions.cache_clear()
