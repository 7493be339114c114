"""Typesetting: render a template with data as PDF or images. The same data give the same bytes."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import msgspec

TEMPLATES = Path(__file__).parent / "templates"
Standard = Literal["ua-1", "a-3b"]
PIXELS_PER_INCH = 144.0
"""Twice the display size in messages, for high-density screens."""


def pdf(
    template: str,
    data: Any,
    *,
    at: datetime,
    standards: Sequence[Standard] = (),
    inputs: Mapping[str, str] | None = None,
) -> bytes:
    """Render a template with `data` (anything msgspec writes as JSON) as a PDF dated `at`.

    `inputs` are further texts that the template reads from `sys.inputs`. Takes 10 to 40 ms of CPU without the
    interpreter's lock: call it in a thread. Only fonts that come with typst are used, so that every machine makes the
    same bytes.
    """
    [made] = _made(
        template, data, inputs, format="pdf", pdf_standards=list(standards), timestamp=_seconds(at)
    )
    return made


def pictures(template: str, data: Any, *, inputs: Mapping[str, str] | None = None) -> list[bytes]:
    """Render the pages of a template with `data` as PNG images."""
    return _made(template, data, inputs, format="png", ppi=PIXELS_PER_INCH)


def _made(template: str, data: Any, inputs: Mapping[str, str] | None, **how: Any) -> list[bytes]:
    import typst

    variables = {
        "data": msgspec.json.encode(data, order="deterministic").decode(),
        **(inputs or {}),
    }
    made = typst.compile(
        str(TEMPLATES / f"{template}.typ"),
        root=str(TEMPLATES),
        ignore_system_fonts=True,
        sys_inputs=variables,
        **how,
    )
    return made if isinstance(made, list) else [made]


def _seconds(at: datetime) -> int:
    return int(at.astimezone(UTC).timestamp())
