"""Rules of rendering: variables become text per language and time zone; an incomplete text is refused.

A template's text is subject, a line `---`, body. Rendered texts are stored, so a new version of a template does not
change messages that were sent.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from jinja2 import (
    Environment,
    FileSystemLoader,
    StrictUndefined,
    Template,
    TemplateNotFound,
    UndefinedError,
)

from domain.core.errors import Code, Refused
from domain.messages.template_data import HOUSE, TEMPLATES, Variables

LANGUAGES = ("nl", "en")
_PLACEHOLDER = re.compile(
    r"\{\{|\}\}|\{%|\[\[|\[(?:naam|name|datum|date|bedrag|amount)\]|<<", re.IGNORECASE
)
"""Placeholders that were not filled in: of Jinja, and of sample texts that people copy."""


@dataclass(frozen=True, slots=True)
class Attachment:
    """An attachment: an inline image when it has a `content_id`, and for one language only when `language` is given."""

    name: str
    media_type: str
    content: bytes
    content_id: str | None = None
    language: str | None = None


@dataclass(frozen=True, slots=True)
class RenderedText:
    """A rendered message: subject, text, and HTML when the template has its own."""

    subject: str
    body: str
    html: str | None = None

    def sha256(self, attachments: Sequence[Attachment] = ()) -> str:
        """Hash of the content: subject and text, and HTML and files where there are any."""
        digest = hashlib.sha256(f"{self.subject}\n\n{self.body}".encode())
        if self.html is not None:
            digest.update(b"\0" + self.html.encode())
        for each in attachments:
            digest.update(
                b"\0" + each.name.encode() + b"\0" + hashlib.sha256(each.content).digest()
            )
        return digest.hexdigest()


def check_variables(template: str | type[Variables], variables: Mapping[str, Any]) -> Variables:
    """Check the variables of a template: all must be present and of the right types; otherwise refuse."""
    kind = TEMPLATES.get(template) if isinstance(template, str) else template
    if kind is None:
        raise Refused(Code.INVALID, f"There is no template {template!r}.", argument="template")
    try:
        checked = msgspec.convert(dict(variables), kind)
    except msgspec.ValidationError as error:
        raise Refused(Code.INVALID, f"{kind.template}: {error}", argument="variables") from error
    text = msgspec.structs.asdict(checked)
    empty = sorted(
        name for name, each in text.items() if isinstance(each, str) and not each.strip()
    )
    if empty:
        raise Refused(Code.INVALID, f"{kind.template}: {empty[0]} is empty.", argument="variables")
    return checked


def render(variables: Variables, *, language: str, time_zone: str, name: str) -> RenderedText:
    """Render subject, text and HTML for one reader: `name` is used in the greeting, times are in `time_zone`.

    Raises `Refused` when a placeholder is left in the template's text: an incomplete message is never sent.
    """
    known = language if language in LANGUAGES else "en"
    checked = msgspec.structs.asdict(variables) | {
        "name": name,
        "zone": ZoneInfo(time_zone),
        "language": known,
    }
    stem = f"{variables.template}.{variables.version}"
    template = _compiled(variables.folder, stem, known)
    try:
        return RenderedText(
            " ".join(template.subject.render(checked).split()),  # a header is a single line
            template.body.render(checked).strip() + "\n",
            None if template.page is None else inlined(template.page.render(checked)),
        )
    except UndefinedError as error:
        raise Refused(Code.INVALID, f"{stem}: {error}", argument="variables") from error


@dataclass(frozen=True, slots=True)
class _Compiled:
    """A template in one language; compiling takes 3 ms, rendering a tenth of it."""

    subject: Template
    body: Template
    page: Template | None


@cache
def _compiled(folder: Path, stem: str, language: str) -> _Compiled:
    plain, marked_up = _environments(folder)
    source = (folder / f"{stem}.{language}.txt").read_text("utf-8")
    _must_be_filled(stem, plain, source)
    subject, body = source.split("\n---\n", 1)
    page: Template | None = None
    with suppress(TemplateNotFound):
        page = marked_up.select_template([f"{stem}.{language}.html", f"{stem}.html"])
    return _Compiled(plain.from_string(subject), plain.from_string(body), page)


def _must_be_filled(stem: str, environment: Environment, source: str) -> None:
    """Refuse a template whose own text, not its variables, contains an unfilled placeholder.

    What people wrote (an incident's summary) may contain `[name]`; the template around it may not.
    """
    text = "".join(value for _, kind, value in environment.lex(source) if kind == "data")
    found = _PLACEHOLDER.search(text)
    if found is not None:
        raise Refused(Code.INVALID, f"{stem}: {found[0]} is not filled in.", argument="template")


def as_html(words: RenderedText, *, language: str) -> str:
    """Return the HTML of a message: the template's own, or paragraphs of the text; styles inlined, nothing external."""
    if words.html is not None:
        return words.html
    paragraphs = [part.splitlines() for part in words.body.strip().split("\n\n")]
    page = _environments(HOUSE)[1].get_template("page.html")
    return inlined(page.render(subject=words.subject, language=language, paragraphs=paragraphs))


def inlined(page: str) -> str:
    """Inline the styles of a page, because mail programs drop `<style>`; nothing is fetched."""
    import css_inline  # 40 ms to import, and only workers need it

    inliner = css_inline.CSSInliner(load_remote_stylesheets=False, keep_at_rules=True)
    return inliner.inline(page)


def grouped(cents: int, thousands: str, decimal: str) -> str:
    """Format 123456 cents as 1.234,56 or 1,234.56."""
    whole, rest = divmod(abs(cents), 100)
    sign = "-" if cents < 0 else ""
    return f"{sign}{whole:,}".replace(",", thousands) + f"{decimal}{rest:02d}"


def is_headed(lines: Sequence[str]) -> bool:
    """Return whether a paragraph begins with a heading: a few words without final punctuation, followed by text."""
    return (
        len(lines) > 1 and len(lines[0]) <= 60 and lines[0][-1:].isalpha() and "/" not in lines[0]
    )


@cache
def _environments(folder: Path) -> tuple[Environment, Environment]:
    """Create the Jinja environments for text and HTML; templates of other packages can use the shared ones."""
    return _environment(folder, autoescape=False), _environment(folder, autoescape=True)


def _environment(folder: Path, *, autoescape: bool) -> Environment:
    environment = Environment(
        loader=FileSystemLoader([folder, HOUSE]),
        undefined=StrictUndefined,
        autoescape=autoescape,  # noqa: S701 - off only for plain text, where &amp; would be a mistake
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["grouped"] = grouped
    environment.filters["is_headed"] = is_headed
    return environment
