"""Access rules of the capabilities, added to the access table once: importing this module adds all of them.

`domain.access` imports no capability, so the declarations are collected here. A process that has not imported this
module refuses what they open; every process that serves requests or sends facts imports it.
"""

from importlib import import_module
from importlib.util import find_spec
from pkgutil import iter_modules

import domain
from domain.access import declarations


def _collect() -> tuple[str, ...]:
    """Add the rules of every capability that declares some, by name of the capability."""
    packages = sorted(each.name for each in iter_modules(domain.__path__, "domain.") if each.ispkg)
    modules = tuple(f"{name}.access" for name in packages if find_spec(f"{name}.access"))
    for name in modules:
        declarations.add(import_module(name).ACCESS)
    return modules


DECLARED = _collect()
"""The modules whose rules were added."""
