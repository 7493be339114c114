"""What the probes of the gate need of each noun: `tests/gate/nouns/<noun>.py` brings it, and is found here.

`furnish(api, office)` puts rows of the noun into a furnished office. `DOABLE` has the input with which a mutation
succeeds there, where the generated one does not. `LAST_FACTS` names a kind of fact for each subscription that delivers
facts of the noun only.
"""

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from tests.api.asking import Api, Office


def modules() -> Iterator[ModuleType]:
    """Import the module of each noun, by name."""
    for path in sorted((Path(__file__).parent / "nouns").glob("*.py")):
        yield import_module(f"tests.gate.nouns.{path.stem}")


def collected(name: str) -> dict[str, Any]:
    """Merge what the nouns declare under a name."""
    return {key: value for each in modules() for key, value in getattr(each, name, {}).items()}


async def furnish(api: Api, office: Office) -> None:
    """Put rows of every noun that brings some into an office."""
    for each in modules():
        if hasattr(each, "furnish"):
            await each.furnish(api, office)
