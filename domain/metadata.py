"""Every table, imported once: what migrations and checks compare the database with."""

from importlib import import_module
from importlib.util import find_spec
from pkgutil import iter_modules
from types import ModuleType

import domain
import domain.declared_access
from domain.core import deferral, epoch, erasable_text, idempotency, ledger, outbox
from domain.core.base import Base


def _models() -> tuple[ModuleType, ...]:
    """Import the `model` of every capability that has one."""
    packages = (each.name for each in iter_modules(domain.__path__, "domain.") if each.ispkg)
    names = (f"{name}.model" for name in packages)
    return tuple(import_module(name) for name in names if find_spec(name))


MODELS = (*_models(), deferral, epoch, erasable_text, idempotency, ledger, outbox)
metadata = Base.metadata
